//! DIN's relatives as wholes: Wide & Deep, DeepFM, PNN, DSIN and BST.

mod crosses;
mod graphs;
mod parameters;
mod promises;
mod refusals;
mod support;
mod values;

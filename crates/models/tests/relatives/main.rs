//! DIN's relatives as wholes: Wide & Deep, DeepFM, PNN, DSIN and BST; and many candidates for one user, with every model.

mod candidates;
mod crosses;
mod graphs;
mod parameters;
mod promises;
mod refusals;
mod support;
mod values;

//! The layers of the Behavior Sequence Transformer.

mod config;
mod interest;
mod sequence;

pub use config::{BstInterestConfig, BstOutput};
pub use interest::BstInterest;

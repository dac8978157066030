//! Negatives: the rules by which they are drawn.

mod rule;

pub use rule::{CandidateNegatives, Distribution, Draw, Exclude, NegativeRule, Negatives};

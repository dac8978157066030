//! Negatives: the rules by which they are drawn, and the draws.

mod chosen;
mod drawing;
mod key;
mod rule;
mod sampler;
mod weights;

pub use chosen::{Chosen, ChosenItems};
pub use drawing::{Choices, Drawing, DrawnRow};
pub use key::{DrawKey, Slot};
pub use rule::{CandidateNegatives, Distribution, Draw, Exclude, NegativeRule, Negatives};
pub use sampler::{Excluded, NegativeSampler, NoneLeft};

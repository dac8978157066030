//! DIEN's reader of a history: an interest extractor and an interest that evolves towards the candidate.

mod config;
mod evolution;
mod extractor;
mod interest;

pub use config::{DienInterestConfig, EvolutionKind};
pub use evolution::{Evolution, InterestEvolution};
pub use extractor::{ExtractedInterest, InterestExtractor};
pub use interest::DienInterest;

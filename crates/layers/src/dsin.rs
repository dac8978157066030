//! The layers of the Deep Session Interest Network.

mod activation;
mod bias_encoding;
mod extractor;
mod interaction;
mod interest;
mod sessions;

pub use activation::SessionInterestActivation;
pub use bias_encoding::BiasEncoding;
pub use extractor::SessionInterestExtractor;
pub use interaction::SessionInterestInteraction;
pub use interest::{DsinInterest, DsinInterestConfig, DsinParts};
pub use sessions::{SessionLimits, Sessions};

//! The layers of the Deep Session Interest Network.

mod bias_encoding;
mod extractor;
mod interaction;
mod interest;
mod sessions;

pub use bias_encoding::BiasEncoding;
pub use extractor::SessionInterestExtractor;
pub use interaction::SessionInterestInteraction;
pub use interest::{DsinInterest, DsinInterestConfig, DsinParts};
pub use sessions::{SessionLimits, Sessions};

//! A trained model in one folder, and what it takes to score rows with it.
//!
//! A [`Bundle`] holds the encoders that training fitted, the model's settings and its weights, so that a served score
//! equals the trained one to the last bit.
//!
//! ```no_run
//! use std::ops::ControlFlow;
//! use std::path::Path;
//!
//! use fain_features::Parts;
//! use fain_serving::Bundle;
//!
//! # fn main() -> Result<(), fain_serving::BundleError> {
//! let bundle = Bundle::open(Path::new("runs/ml1m/bundle"), tch::Device::Cpu)?;
//! let _ = bundle.score_file(Path::new("new.csv"), Parts::default(), &mut |run| {
//!     println!("{:?}", run.logits);
//!     Ok::<_, fain_serving::BundleError>(ControlFlow::<()>::Continue(()))
//! })?;
//! # Ok(())
//! # }
//! ```

mod bundle;
mod error;

pub use bundle::{Bundle, BundleSettings, ScoredRun};
pub use error::BundleError;

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
//!
//! A service that ranks many candidates for one user reads the user once:
//!
//! ```no_run
//! use fain_features::{Column, Samples, Sequences};
//! use fain_serving::Bundle;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let bundle = Bundle::open(std::path::Path::new("runs/shop/bundle"), tch::Device::Cpu)?;
//! // The features `item` and `history`, in this order; the user's own `item` is not looked at.
//! let id = |item: &str| bundle.encoders().encode_term(0, item);
//! let history = Sequences { values: vec![id("socks")?, id("shoes")?], offsets: vec![0, 2], weights: None };
//! let columns = vec![Column::Category(vec![0]), Column::Sequence(history)];
//! let user = bundle.read_user(&Samples { rows: 1, columns, ..Samples::default() })?;
//!
//! let page = bundle.candidates(vec![("item", Column::Category(vec![id("laces")?, id("hat")?]))])?;
//! let logits = bundle.score_candidates(&user, &page)?;
//! assert_eq!(logits.len(), 2);
//! # Ok(())
//! # }
//! ```

mod bundle;
mod error;

pub use bundle::{Bundle, BundleSettings, ScoredRun};
pub use error::BundleError;

//! Metrics of click-through-rate models: AUC, GAUC, log loss and PCOC.
//!
//! ```
//! use fain_metrics::{Evaluator, MetricError, sigmoid};
//!
//! # fn main() -> Result<(), MetricError> {
//! let logits: [f32; 5] = [-1.0, 0.5, 2.0, -0.5, -2.0];
//! let clicks = [0.0, 0.0, 1.0, 1.0, 0.0];
//! let users = [1, 1, 1, 2, 2];
//!
//! let mut evaluator = Evaluator::new();
//! let probabilities: Vec<f64> = logits.iter().map(|&logit| sigmoid(logit)).collect();
//! evaluator.update(&probabilities, &clicks, Some(&users))?;
//! let evaluation = evaluator.compute();
//!
//! assert_eq!(evaluation.auc, Some(5.0 / 6.0));
//! assert_eq!(evaluation.gauc, Some(1.0));
//! assert_eq!((evaluation.samples, evaluation.positives), (5, 2));
//! # Ok(())
//! # }
//! ```
//!
//! What holds for every metric here:
//!
//! - A metric that is undefined is `None`, never a number that looks like one.
//! - The result does not depend on the order of the samples, nor on how they were split into
//!   updates: it is the same to the last bit. Pairs are counted and sums are kept in integers.
//! - Bad input is an error that names the place and the value. Nothing is repaired in silence.
//!
//! Labels are `0` (no click) or `1` (click). An index in an error counts from 0, within the slices
//! of that call.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod auc;
mod calibration;
mod ceiling;
mod error;
mod evaluator;
mod gauc;
mod input;
mod log_loss;
mod ranking;
mod sigmoid;
mod sum;

pub use auc::auc;
pub use calibration::pcoc;
pub use ceiling::{CeilingReport, ceiling_report};
pub use error::MetricError;
pub use evaluator::{Evaluation, Evaluator, EvaluatorConfig};
pub use gauc::{Gauc, GroupWeighting, gauc};
pub use log_loss::{DEFAULT_CLIP, log_loss};
pub use sigmoid::sigmoid;

/// The README's example is run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

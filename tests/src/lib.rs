//! Holds layers to golden values: numbers that published implementations computed, kept in `tests/golden`.
//!
//! A number meets its golden value when it lies within a bound that grows with the value:
//!
//! ```
//! use fain_tests::Tolerance;
//!
//! let tolerance = Tolerance { absolute: 2e-6, relative: 1e-5 };
//! assert!(tolerance.share(0.500_006, 0.5) < 1.0);
//! assert!(tolerance.share(0.500_008, 0.5) > 1.0);
//! assert!(tolerance.share(f64::NAN, 0.5) > 1.0);
//! ```
//!
//! A [`Fixture`] has cases, a case has sections (training, evaluation, named variants). A layer takes part as a
//! [`Subject`]: it builds itself for the configuration of a case, says how its variables are called in the fixture, and
//! computes outputs from inputs. [`check`] does the rest: it loads the values, runs every section in float32 and in
//! float64, goes backward, and compares outputs, loss, gradients and buffers. Nothing is left out in silence: what a
//! layer is not held to is an [`Exclusion`] with a reason, is compared all the same, and is counted in the [`Report`].
//!
//! What is no layer, such as an optimiser, reads the case's tensors itself and holds each to its golden value by
//! [`Report::compare`].
//!
//! Numbers of a test that need no fixture come from [`draw`].
//!
//! The fixtures are padded, the library is jagged; [`Padding`] goes from one to the other.
//!
//! Files: `NAME.json` lists the cases, their configuration and tolerances; `NAME.safetensors` has the tensors, called
//! `CASE/SECTION/NAME`. Sections: `param`, `buffer` and `in` (what goes in), `w` (the loss is `Σ out · w`), and for each
//! way of running `out`, `loss`, `grad_in`, `grad`, `buffer`; the float64 twin of a section has `64` at its end.

mod check;
mod draw;
mod error;
mod fixture;
mod inputs;
mod padding;
mod report;
mod sidecar;
mod subject;
mod tolerance;
mod variables;

pub use check::check;
pub use draw::{draw, draw_variables};
pub use error::GoldenError;
pub use fixture::{Case, Fixture, Section};
pub use inputs::Inputs;
pub use padding::Padding;
pub use report::{Comparison, Exclusion, KeptOut, Place, Report};
pub use subject::{Forward, Subject};
pub use tolerance::{Bounds, Precision, Tolerance};
pub use variables::BATCH_COUNT;

//! A shop's log with known click probabilities, so that the best possible AUC is known.
//!
//! ```
//! use std::ops::ControlFlow;
//! use fain_simulator::ShopConfig;
//!
//! let folder = tempfile::tempdir()?;
//! let shop = ShopConfig { impressions: 10_000, ..ShopConfig::default() }.check()?;
//! let files = shop.write_samples(folder.path(), &mut |_progress| ControlFlow::Continue(()))?;
//! assert_eq!((files.train_samples, files.test_samples), (9_000, 1_000));
//!
//! // The last two columns are scores like those of a model: one that never reads the history, and
//! // one that cannot be beaten. Their AUC is the floor and the ceiling for a model on this data.
//! let text = std::fs::read_to_string(&files.test)?;
//! let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|row| row.split(',').collect()).collect();
//! let scores = |label: &str, column: usize| -> Vec<f64> {
//!     rows.iter().filter(|row| row[0] == label).filter_map(|row| row[column].parse().ok()).collect()
//! };
//! let auc = |column: usize| {
//!     let (clicked, passed) = (scores("1", column), scores("0", column));
//!     let won: usize = clicked.iter().map(|c| passed.iter().filter(|p| c > p).count()).sum();
//!     won as f64 / (clicked.len() * passed.len()) as f64
//! };
//! let (blind, optimal) = (auc(14), auc(15));
//! assert!(blind > 0.6 && optimal > blind + 0.08, "{blind} {optimal}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The shop
//!
//! A user has a profile and a few interests, which are categories. Over her sessions interests
//! become active and rest, are given up and come back. In a session she views items of the active
//! interests, and is shown candidates drawn from what people of her profile like. Views and clicks
//! are her history. A candidate is clicked with probability
//!
//! ```text
//! p = sigmoid(base(item, profile) + gain · r(history, category))
//! ```
//!
//! where the relevance `r` ([`RelevanceConfig`]) is large when recent events are of the candidate's
//! category. All that `p` depends on is in the sample.
//!
//! # The two probabilities
//!
//! - `true_probability` is `p`. No score ranks better in expectation: its AUC is the ceiling.
//! - `blind_probability` is the mean of `p` over the histories that users of this profile have when
//!   they are shown this item, in this split. No score of item and profile ranks better in
//!   expectation, because what is shown is independent of the history once the profile is known.
//!   The distribution of `r` is counted on users who are simulated for this alone, so it carries
//!   nothing of a written user's history. The error is that of counting: at 300,000 impressions
//!   about 0.004 in probability, which is 0.0002 in AUC.
//!
//! # Negatives
//!
//! Beside each history stands a list of negatives, one for each event: an item drawn evenly from those
//! that the user has neither viewed nor clicked before this impression. They are for a loss that
//! tells the events of a history from items that were not chosen, and know nothing of what comes
//! later: given the history, they are independent of the candidate and of the label.
//!
//! # No features
//!
//! The user id and the time are in the samples to group and to order them. They are no features: a
//! user's id gives away her interests to a model that learns it by heart.
//!
//! # Sameness
//!
//! The same configuration gives the same bytes, for any number of threads and on any machine: all
//! chance comes from `ChaCha8` streams named by (seed, user), and exponentials from `libm` compiled
//! in, not from the system.

#![deny(missing_docs)]

mod blind;
mod catalogue;
mod config;
mod error;
mod journey;
mod log;
mod negatives;
mod output;
mod person;
mod profile;
mod progress;
mod random;
mod relevance;
mod samples;
mod shop;
mod split;
mod taste;
mod text;
mod world;

pub use config::{RelevanceConfig, ShopConfig};
pub use error::SimulatorError;
pub use progress::{Phase, Progress};
pub use shop::{LogFiles, SampleFiles, Shop};

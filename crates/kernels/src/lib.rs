//! CPU kernels for what a tensor library would loop over in time: GRU, AGRU and AUGRU over histories of different
//! lengths, forward and backward, for `f32` and `f64` and any width. And for what it would copy: [`update_rows`] moves
//! the rows of a table that a batch looked up, where they lie, [`gather_rows`] copies them, [`scatter_rows`] sums
//! their gradients, and [`update_elements`] moves all numbers of dense parameters.
//!
//! ```
//! use fain_kernels::{
//!     Cell, Gradients, Sequences, Serial, StateGradient, Weights, recurrence_backward, recurrence_forward,
//! };
//!
//! // Two samples: one with two events, one with none. Width 1, one hidden unit.
//! let sequences = Sequences { offsets: &[0, 2, 2], inputs: &[1.0, -1.0], scores: Some(&[0.5, 1.0]), initial: None };
//! let weights = Weights { input: &[0.0, 1.0], hidden: &[0.0, 0.0], input_bias: None, hidden_bias: None };
//! let cell = Cell::Agru;
//!
//! let mut states = [0.0; 2];
//! let mut saved = vec![0.0; 2 * cell.saved_width(1)];
//! recurrence_forward(cell, 1, 1, &sequences, &weights, &mut states, Some(&mut saved), &Serial)?;
//! // The first score takes half of the candidate tanh(1), the second one takes all of the candidate tanh(-1).
//! assert!((states[0] - 0.5 * 1.0f64.tanh()).abs() < 1e-15);
//! assert!((states[1] - (-1.0f64).tanh()).abs() < 1e-15);
//!
//! // How the last state moves with the scores: the second one replaced all that the first one did.
//! let mut scores = [0.0; 2];
//! let mut gradients = Gradients { scores: Some(&mut scores), ..Gradients::default() };
//! let gradient = StateGradient::Events(&[0.0, 1.0]);
//! recurrence_backward(
//!     cell, 1, 1, &sequences, &weights, &states, &saved, gradient, &mut gradients, &Serial,
//! )?;
//! assert!(scores[0].abs() < 1e-15);
//! assert!((scores[1] - ((-1.0f64).tanh() - states[0])).abs() < 1e-15);
//! # Ok::<(), fain_kernels::KernelError>(())
//! ```
//!
//! Besides, batch normalisation and Dice over the columns of a matrix ([`column_statistics`], [`normalize_forward`]), and
//! Dice over its rows ([`row_dice_forward`]); the first layer of target attention, which sees each event beside its
//! sample's candidate ([`target_pairs_forward`]), and what attention does with the events of each sample
//! ([`segment_products`], [`segment_softmax_forward`], [`segment_sums`]); and a network over pairs of a state and an event
//! with its loss and their gradients, tile by tile ([`pair_loss`]), or the same for their inner product
//! ([`inner_pair_loss`]).
//!
//! The events lie as the data has them, sample after sample, and are not copied, padded or sorted: within a block of
//! samples the kernels walk through time from row to row. There are no threads here; the caller brings a [`Pool`].
//! The results are the same to the last bit for any number of threads. Vector instructions are chosen when the program
//! runs, see [`InstructionSet`].
//!
//! AIGRU, the third variant of the paper behind AGRU and AUGRU, is [`Cell::Gru`] over inputs that were multiplied by
//! their scores.

#![deny(missing_docs)]
#![allow(
    clippy::inline_always,
    reason = "what is not inlined is compiled without the vector instructions, see `level`"
)]
#![allow(clippy::needless_range_loop, reason = "the numbers of several vectors are worked on side by side")]

mod activation;
mod backward;
mod buffers;
mod cell;
mod columns;
mod elements;
mod entry;
mod error;
mod forward;
mod hidden;
mod instruction_set;
mod level;
mod memory;
mod mixture;
mod normalization;
mod pair_loss;
mod panel;
mod partition;
mod pool;
mod problem;
mod product;
mod recurrence;
mod row_dice;
mod rows;
mod scalar;
mod segments;
mod target_pairs;
mod tasks;

pub use buffers::{Gradients, Sequences, StateGradient, Weights};
pub use cell::{AugruGate, Cell};
pub use elements::{ElementRule, ElementStep, Elements, update_elements, update_elements_with};
pub use error::KernelError;
pub use hidden::{
    HiddenActivation, HiddenCorrection, HiddenGradients, HiddenLayer, HiddenRows, HiddenUpstream, hidden_backward,
    hidden_backward_with, hidden_forward, hidden_forward_with, hidden_stride,
};
pub use instruction_set::InstructionSet;
pub use normalization::{
    Normalization, NormalizationGradients, column_statistics, column_statistics_with, normalize_backward,
    normalize_backward_with, normalize_forward, normalize_forward_with,
};
pub use pair_loss::{
    DenseLayer, DenseLayerGradients, PairGradients, PairNetwork, Pairs, inner_pair_loss, inner_pair_loss_with,
    pair_loss, pair_loss_with,
};
pub use pool::{Pool, Serial};
pub use recurrence::{recurrence_backward, recurrence_backward_with, recurrence_forward, recurrence_forward_with};
pub use row_dice::{row_dice_backward, row_dice_backward_with, row_dice_forward, row_dice_forward_with};
pub use rows::{
    Correction, LookupGradients, Lookups, RowRule, RowState, RowStep, SecondMoment, gather_rows, gather_rows_with,
    scatter_rows, scatter_rows_with, update_rows, update_rows_with,
};
pub use scalar::Real;
pub use segments::{
    WeightedEvents, segment_expand, segment_expand_with, segment_products, segment_products_with,
    segment_softmax_backward, segment_softmax_backward_with, segment_softmax_forward, segment_softmax_forward_with,
    segment_sums, segment_sums_with,
};
pub use target_pairs::{
    TargetPairGradients, TargetPairs, target_pairs_backward, target_pairs_backward_with, target_pairs_forward,
    target_pairs_forward_with,
};

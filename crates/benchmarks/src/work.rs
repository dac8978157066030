//! The arithmetic of a model's matrix products, for the limit of the machine.
//!
//! Operations count a multiplication and an addition as two. Training is three times the forward pass: the gradients of
//! inputs and of weights are as much again each. What is not a matrix product counts nothing: the limit is one that no
//! program reaches.
//!
//! Bytes count what a training step must move through memory however well it uses the caches, for each event in float32:
//! - the rows of embeddings are read in each direction and their gradients written;
//! - a recurrence writes its states, reads them again, and writes and reads their gradients;
//! - numbers that wait for the statistics of the whole batch are written, read, read twice on the way back, and their
//!   gradients written and read: a layer behind batch normalisation or Dice costs six times its width.

use crate::figures::Cost;
use crate::rows::Lengths;

/// The width of an embedding in every experiment here, and of the recurrences over it.
const WIDTH: f64 = 16.0;

/// A dense layer on one row.
fn dense(inputs: f64, outputs: f64) -> f64 {
    2.0 * inputs * outputs
}

/// Dense layers one after the other.
fn network(widths: &[f64]) -> f64 {
    widths.windows(2).map(|pair| dense(pair[0], pair[1])).sum()
}

/// A recurrence of three gates on one event.
pub(crate) fn recurrence(inputs: f64, hidden: f64) -> f64 {
    dense(inputs, 3.0 * hidden) + dense(hidden, 3.0 * hidden)
}

/// Bytes of `numbers` float32 numbers.
fn bytes(numbers: f64) -> f64 {
    4.0 * numbers
}

/// Numbers moved for the embedding of one event.
const EMBEDDED: f64 = 3.0 * WIDTH;

/// Numbers moved for one event's state of a recurrence.
const STATE: f64 = 4.0 * WIDTH;

/// Numbers moved for each unit that waits for the statistics of a batch.
const WAITING: f64 = 6.0;

/// Least bytes of a recurrence on one event, forward and backward: the event, its gradient, and the states.
pub(crate) fn recurrence_bytes(inputs: f64, hidden: f64) -> f64 {
    bytes(3.0 * inputs + 2.0 * hidden)
}

/// Operations for one sample, forward.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Work {
    /// What scoring needs.
    pub(crate) scoring: f64,
    /// What training needs besides, forward: the auxiliary loss.
    pub(crate) auxiliary: f64,
    /// Least bytes of a training step.
    pub(crate) bytes: f64,
}

impl Work {
    /// DIN: attention 64-32, whose first layer is split between candidate and events, and a network 256-128.
    pub(crate) fn din(lengths: &Lengths) -> Self {
        let attention = dense(WIDTH, 64.0) + lengths.events * (dense(2.0 * WIDTH, 64.0) + network(&[64.0, 32.0, 1.0]));
        Self {
            scoring: attention + head(lengths, &[256.0, 128.0]),
            auxiliary: 0.0,
            bytes: bytes(lengths.events * (EMBEDDED + WAITING * (64.0 + 32.0))),
        }
    }

    /// DIEN of the notebook: two recurrences, attention 16-8, a network 32-16, an auxiliary network 100-50 whose first
    /// layer reads the state once for both events.
    pub(crate) fn dien(lengths: &Lengths) -> Self {
        let attention = dense(WIDTH, 16.0) + lengths.events * (dense(2.0 * WIDTH, 16.0) + network(&[16.0, 8.0, 1.0]));
        let pair = dense(WIDTH, 100.0) + 2.0 * (dense(WIDTH, 100.0) + network(&[100.0, 50.0, 1.0]));
        Self {
            scoring: recurrences(lengths) + attention + head(lengths, &[32.0, 16.0]),
            auxiliary: lengths.pairs * pair,
            bytes: bytes(lengths.events * (2.0 * EMBEDDED + 2.0 * STATE + WAITING * (16.0 + 8.0))),
        }
    }

    /// DIEN of torch-rechub: bilinear attention, a network 256-128, inner products as auxiliary loss.
    pub(crate) fn dien_of_rechub(lengths: &Lengths) -> Self {
        let attention = dense(WIDTH, WIDTH) + lengths.events * dense(WIDTH, 1.0);
        Self {
            scoring: recurrences(lengths) + attention + head(lengths, &[256.0, 128.0]),
            auxiliary: lengths.pairs * 2.0 * dense(WIDTH, 1.0),
            bytes: bytes(lengths.events * (2.0 * EMBEDDED + 2.0 * STATE)),
        }
    }

    /// Operations of a training step for one sample.
    pub(crate) fn training(&self) -> f64 {
        3.0 * (self.scoring + self.auxiliary)
    }

    /// What a training step costs for one sample.
    pub(crate) fn cost(&self) -> Cost {
        Cost { operations: self.training(), bytes: self.bytes }
    }
}

fn recurrences(lengths: &Lengths) -> f64 {
    2.0 * lengths.events * recurrence(WIDTH, WIDTH)
}

/// The network over the categories and one interest, to one logit.
fn head(lengths: &Lengths, hidden: &[f64]) -> f64 {
    let mut widths = vec![WIDTH * (lengths.categories + 1.0)];
    widths.extend(hidden);
    widths.push(1.0);
    network(&widths)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp, reason = "these numbers are exact")]
    use super::*;

    const LENGTHS: Lengths = Lengths { events: 10.0, pairs: 9.0, categories: 3.0 };

    #[test]
    fn a_recurrence_has_six_square_products() {
        assert_eq!(recurrence(36.0, 36.0), 6.0 * 2.0 * 36.0 * 36.0);
    }

    #[test]
    fn work_is_counted_layer_by_layer() {
        // Candidate part, then for each event 32·64 + 64·32 + 32, then 64·256 + 256·128 + 128.
        let din =
            2.0 * (16.0 * 64.0 + 10.0 * (32.0 * 64.0 + 64.0 * 32.0 + 32.0) + 64.0 * 256.0 + 256.0 * 128.0 + 128.0);
        // Three times 16 numbers of the event, and six times 64 and 32 that wait for statistics.
        assert_eq!(Work::din(&LENGTHS), Work { scoring: din, auxiliary: 0.0, bytes: 4.0 * 10.0 * (48.0 + 6.0 * 96.0) });
        assert_eq!(Work::din(&LENGTHS).training(), 3.0 * din);
        // The auxiliary network of one pair: 16·100 for the state, twice 16·100 + 100·50 + 50 for the events.
        let pair = 2.0 * (16.0 * 100.0 + 2.0 * (16.0 * 100.0 + 100.0 * 50.0 + 50.0));
        assert_eq!(Work::dien(&LENGTHS).auxiliary, 9.0 * pair);
        // 90 kFLOP an event, forward and backward, as the shape says.
        assert!((3.0 * pair - 89_400.0).abs() < 1.0, "{pair}");
        let rechub = Work::dien_of_rechub(&LENGTHS);
        assert_eq!(rechub.auxiliary, 9.0 * 4.0 * 16.0);
        let two = 2.0 * 10.0 * 12.0 * 16.0 * 16.0;
        assert_eq!(rechub.bytes, 4.0 * 10.0 * (2.0 * 48.0 + 2.0 * 64.0));
        assert_eq!(rechub.scoring, two + 2.0 * 256.0 + 10.0 * 32.0 + 2.0 * (64.0 * 256.0 + 256.0 * 128.0 + 128.0));
    }
}

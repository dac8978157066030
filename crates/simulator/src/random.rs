//! The one source of chance. Every draw uses integers and exact floating-point steps only, so a
//! seed gives the same values on every machine.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What a stream of random numbers is for. Streams of different purposes never overlap.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    Catalogue = 1,
    Taste = 2,
    /// The users that are written; the stream's number is the user.
    User = 3,
    /// The users that only calibrate the blind probability; they are never written.
    Calibration = 4,
    /// The negatives beside the histories of the users that are written; the stream's number is the user.
    Negatives = 5,
}

pub(crate) struct Random(ChaCha8Rng);

impl Random {
    pub(crate) fn new(seed: u64, purpose: Purpose, stream: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8] = purpose as u8;
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(stream);
        Self(generator)
    }

    /// Uniform in `[0, 1)`, a multiple of 2⁻⁵³.
    pub(crate) fn uniform(&mut self) -> f64 {
        const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
        (self.0.next_u64() >> 11) as f64 * STEP
    }

    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// Uniform in `0..bound`. The bias is at most `bound` · 2⁻³², too small to matter here.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        ((u64::from(self.0.next_u32()) * u64::from(bound)) >> 32) as u32
    }

    /// One plus a geometric count with mean `extra`, cut at 50.
    pub(crate) fn one_or_more(&mut self, extra: f64) -> u32 {
        let go_on = extra / (1.0 + extra);
        let mut count = 1;
        while count < 50 && self.chance(go_on) {
            count += 1;
        }
        count
    }

    /// Mean 0, variance 1, bell-shaped: the sum of twelve uniform draws (Irwin–Hall), which needs no
    /// logarithm.
    pub(crate) fn bell(&mut self) -> f64 {
        let sum: u64 = (0..12).map(|_| u64::from(self.0.next_u32())).sum();
        sum as f64 / (1_u64 << 32) as f64 - 6.0
    }

    /// An index drawn with the weights whose running sums are `cumulative`.
    pub(crate) fn index(&mut self, cumulative: &[f64]) -> usize {
        let total = cumulative.last().copied().unwrap_or(0.0);
        let mark = self.uniform() * total;
        let index = cumulative.partition_point(|&sum| sum <= mark);
        // Rounding can lift the product to the total itself.
        index.min(cumulative.len().saturating_sub(1))
    }
}

/// Running sums, for [`Random::index`].
pub(crate) fn cumulative(weights: impl IntoIterator<Item = f64>) -> Vec<f64> {
    weights
        .into_iter()
        .scan(0.0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Purpose, Random, cumulative};

    #[test]
    fn a_stream_is_pinned() {
        let mut random = Random::new(1, Purpose::User, 2);
        let draws: Vec<u32> = (0..4).map(|_| random.below(1000)).collect();
        assert_eq!(draws, [8, 948, 433, 489]);
    }

    #[test]
    fn seeds_purposes_and_streams_differ() {
        let first = |seed, purpose, stream| Random::new(seed, purpose, stream).below(u32::MAX);
        let draws = [
            first(1, Purpose::User, 1),
            first(2, Purpose::User, 1),
            first(1, Purpose::Calibration, 1),
            first(1, Purpose::User, 2),
        ];
        for (i, a) in draws.iter().enumerate() {
            assert!(draws[i + 1..].iter().all(|b| a != b), "{draws:?}");
        }
    }

    #[test]
    fn draws_have_the_stated_means() {
        let mut random = Random::new(7, Purpose::Taste, 0);
        let n = 20_000;
        let mean = |draw: &mut dyn FnMut() -> f64| (0..n).map(|_| draw()).sum::<f64>() / f64::from(n);
        assert!((mean(&mut || random.uniform()) - 0.5).abs() < 0.01);
        assert!((mean(&mut || f64::from(random.below(11))) - 5.0).abs() < 0.1);
        assert!((mean(&mut || f64::from(random.one_or_more(3.0))) - 4.0).abs() < 0.1);
        assert!(mean(&mut || random.bell()).abs() < 0.03);
        let second_moment = mean(&mut || {
            let draw = random.bell();
            draw * draw
        });
        assert!((second_moment - 1.0).abs() < 0.04);
    }

    #[test]
    fn an_index_follows_its_weights() {
        let mut random = Random::new(3, Purpose::Taste, 0);
        let sums = cumulative([1.0, 0.0, 3.0]);
        assert_eq!(sums, [1.0, 1.0, 4.0]);
        let mut counts = [0_u32; 3];
        for _ in 0..8000 {
            counts[random.index(&sums)] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!(counts[0].abs_diff(2000) < 150, "{counts:?}");
    }
}

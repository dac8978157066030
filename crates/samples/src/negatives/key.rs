//! What names a draw, and the numbers that follow from the name.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::part::Part;

/// What a draw is for. Together with the seed of its rule it determines the draw: the order in which draws are made,
/// and the thread that makes them, do not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DrawKey {
    /// The epoch, counted from 0. Rules with [`Draw::Fixed`](crate::Draw::Fixed) do not look at it.
    pub epoch: u64,
    /// The part of the samples.
    pub part: Part,
    /// The stored row of the part, counted from 0.
    pub row: u64,
    /// What the row needs the item for.
    pub slot: Slot,
}

/// What a row needs an item for. Draws for one kind of slot do not depend on draws for the other, even with one seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Slot {
    /// The candidate of a row with label 0 beside the stored row: the number of that row, counted from 0.
    Candidate(u32),
    /// What stands beside an event of the history: the event's row in `events.arrow`. It is not the place in the
    /// history, so that a history that is cut shorter keeps its negatives.
    History(u32),
}

/// Random numbers that follow from a seed and a key.
///
/// The key is hashed (xxh3-64) and the hash starts a `SplitMix64` sequence: Steele, Lea and Flood, "Fast Splittable
/// Pseudorandom Number Generators", 2014, <https://doi.org/10.1145/2660193.2660195>.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64, key: DrawKey) -> Self {
        let (kind, place) = match key.slot {
            Slot::Candidate(place) => (0, place),
            Slot::History(event) => (1, event),
        };
        let mut text = [0; 22];
        text[..8].copy_from_slice(&key.epoch.to_le_bytes());
        text[8..16].copy_from_slice(&key.row.to_le_bytes());
        text[16..20].copy_from_slice(&place.to_le_bytes());
        text[20] = match key.part {
            Part::Train => 0,
            Part::Validation => 1,
            Part::Test => 2,
        };
        text[21] = kind;
        Self(xxh3_64_with_seed(&text, seed))
    }

    /// The next number, uniform over all 64-bit integers.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The next number, uniform in `[0, 1)`, a multiple of 2⁻⁵³.
    pub(crate) fn fraction(&mut self) -> f64 {
        const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
        (self.next() >> 11) as f64 * STEP
    }
}

#[cfg(test)]
mod tests {
    use super::{DrawKey, Numbers, Slot};
    use crate::part::Part;

    const KEY: DrawKey = DrawKey { epoch: 3, part: Part::Validation, row: 70_000, slot: Slot::History(9) };

    #[test]
    fn every_part_of_the_key_counts() {
        let first = |seed, key| Numbers::new(seed, key).next();
        let draws = [
            first(1, KEY),
            first(2, KEY),
            first(1, DrawKey { epoch: 4, ..KEY }),
            first(1, DrawKey { part: Part::Train, ..KEY }),
            first(1, DrawKey { part: Part::Test, ..KEY }),
            first(1, DrawKey { row: 70_001, ..KEY }),
            first(1, DrawKey { slot: Slot::History(10), ..KEY }),
            first(1, DrawKey { slot: Slot::Candidate(9), ..KEY }),
        ];
        for (place, draw) in draws.iter().enumerate() {
            assert!(!draws[..place].contains(draw), "{draws:?}");
        }
        assert_eq!(first(1, KEY), draws[0]);
    }

    #[test]
    fn fractions_are_even() {
        let mut tenths = [0_u32; 10];
        for row in 0..10_000 {
            let fraction = Numbers::new(1, DrawKey { row, ..KEY }).fraction();
            assert!((0.0..1.0).contains(&fraction), "{fraction}");
            tenths[(fraction * 10.0) as usize] += 1;
        }
        // 1000 are expected in each; the standard deviation is 30.
        assert!(tenths.iter().all(|count| count.abs_diff(1000) < 150), "{tenths:?}");
    }
}

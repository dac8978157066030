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

/// Which of the kinds of slots of a row.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SlotKind {
    Candidate,
    History,
}

impl Slot {
    /// The kind, and the place among those of the kind.
    pub(crate) fn place(self) -> (SlotKind, u32) {
        match self {
            Self::Candidate(number) => (SlotKind::Candidate, number),
            Self::History(event) => (SlotKind::History, event),
        }
    }
}

/// The step of the sequence: the golden ratio, of 2⁶⁴.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Random numbers that follow from a seed, a row and a kind of slot: for each place many, any of which is found at once.
///
/// Seed and row are hashed (xxh3-64), and the hash starts a `SplitMix64` sequence: Steele, Lea and Flood, "Fast
/// Splittable Pseudorandom Number Generators", 2014, <https://doi.org/10.1145/2660193.2660195>. The number of a place and
/// a try stands at `2³² try + place` in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64, (epoch, part, row): (u64, Part, u64), kind: SlotKind) -> Self {
        let mut text = [0; 18];
        text[..8].copy_from_slice(&epoch.to_le_bytes());
        text[8..16].copy_from_slice(&row.to_le_bytes());
        text[16] = match part {
            Part::Train => 0,
            Part::Validation => 1,
            Part::Test => 2,
        };
        text[17] = match kind {
            SlotKind::Candidate => 0,
            SlotKind::History => 1,
        };
        Self(xxh3_64_with_seed(&text, seed))
    }

    /// The number of a place and a try, uniform over all 64-bit integers.
    #[inline]
    pub(crate) fn number(self, place: u32, again: u32) -> u64 {
        let position = (u64::from(again) << 32) | u64::from(place);
        let mut mixed = self.0.wrapping_add(STEP.wrapping_mul(position.wrapping_add(1)));
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// A number as a fraction, uniform in `[0, 1)`, a multiple of 2⁻⁵³.
pub(crate) fn fraction(number: u64) -> f64 {
    const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
    (number >> 11) as f64 * STEP
}

#[cfg(test)]
mod tests {
    use super::{DrawKey, Numbers, Slot, SlotKind, fraction};
    use crate::part::Part;

    const KEY: DrawKey = DrawKey { epoch: 3, part: Part::Validation, row: 70_000, slot: Slot::History(9) };

    fn number(seed: u64, key: DrawKey, again: u32) -> u64 {
        let (kind, place) = key.slot.place();
        Numbers::new(seed, (key.epoch, key.part, key.row), kind).number(place, again)
    }

    #[test]
    fn every_part_of_the_key_counts() {
        let draws = [
            number(1, KEY, 0),
            number(1, KEY, 1),
            number(2, KEY, 0),
            number(1, DrawKey { epoch: 4, ..KEY }, 0),
            number(1, DrawKey { part: Part::Train, ..KEY }, 0),
            number(1, DrawKey { part: Part::Test, ..KEY }, 0),
            number(1, DrawKey { row: 70_001, ..KEY }, 0),
            number(1, DrawKey { slot: Slot::History(10), ..KEY }, 0),
            number(1, DrawKey { slot: Slot::Candidate(9), ..KEY }, 0),
        ];
        for (place, draw) in draws.iter().enumerate() {
            assert!(!draws[..place].contains(draw), "{draws:?}");
        }
        assert_eq!(number(1, KEY, 0), draws[0]);
    }

    #[test]
    fn numbers_are_those_of_the_sequence() {
        // SplitMix64 from 1234567, as published with the generator.
        let numbers = Numbers(1_234_567);
        let first: Vec<u64> = (0..3).map(|place| numbers.number(place, 0)).collect();
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn fractions_are_even() {
        let mut tenths = [0_u32; 10];
        for row in 0..1000 {
            let numbers = Numbers::new(1, (0, Part::Train, row), SlotKind::History);
            for place in 0..10 {
                let fraction = fraction(numbers.number(place, 0));
                assert!((0.0..1.0).contains(&fraction), "{fraction}");
                tenths[(fraction * 10.0) as usize] += 1;
            }
        }
        // 1000 are expected in each; the standard deviation is 30.
        assert!(tenths.iter().all(|count| count.abs_diff(1000) < 150), "{tenths:?}");
    }
}

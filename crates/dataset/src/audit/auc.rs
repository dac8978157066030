//! The AUC of values that come many times.

use std::collections::HashMap;

/// Rows by label: index 0 counts those with label 0, index 1 those with label 1.
pub(super) type ByLabel = [u64; 2];

/// Scores, each with the rows that have it.
pub(super) type Cells = Vec<(f64, ByLabel)>;

/// Share of the pairs of a row with label 1 and one with label 0 that the scores put in order, a tie counting one half;
/// `None` without a pair. Pairs are counted in integers, so that the
/// order of the cells does not matter.
pub(super) fn auc(mut cells: Cells) -> Option<f64> {
    cells.sort_unstable_by(|(a, _), (b, _)| a.total_cmp(b));
    let (mut twice, mut below, mut positives) = (0_u128, 0_u128, 0_u128);
    for tied in cells.chunk_by(|(a, _), (b, _)| a.total_cmp(b).is_eq()) {
        let [zeros, ones] = tied.iter().fold([0_u128; 2], |[zeros, ones], (_, counts)| {
            [zeros + u128::from(counts[0]), ones + u128::from(counts[1])]
        });
        twice += ones * (2 * below + zeros);
        below += zeros;
        positives += ones;
    }
    let pairs = positives * below;
    (pairs > 0).then(|| twice as f64 / (2 * pairs) as f64)
}

/// How often each value comes with each label.
///
/// Memory is bounded: beyond so many values, only those are counted whose hash ends in enough zero bits. Which these are
/// depends on the values alone, never on their order.
pub(super) struct ValueCounts {
    cells: HashMap<u32, ByLabel>,
    mask: u64,
    most: usize,
}

/// Values that are counted exactly, unless a test asks for fewer.
const MOST_VALUES: usize = 1 << 20;

impl Default for ValueCounts {
    fn default() -> Self {
        Self::with_limit(MOST_VALUES)
    }
}

impl ValueCounts {
    /// Counts at most `most` values, which is 1 or more.
    pub(super) fn with_limit(most: usize) -> Self {
        Self { cells: HashMap::new(), mask: 0, most }
    }

    pub(super) fn add(&mut self, value: f32, label: usize) {
        // Adding zero turns -0.0 into 0.0, so that the two are one value.
        let bits = (value + 0.0).to_bits();
        if mixed(bits) & self.mask != 0 {
            return;
        }
        self.cells.entry(bits).or_default()[label] += 1;
        while self.cells.len() > self.most {
            self.mask = self.mask << 1 | 1;
            let mask = self.mask;
            self.cells.retain(|bits, _| mixed(*bits) & mask == 0);
        }
    }

    /// The values counted, each with its rows.
    pub(super) fn cells(&self) -> Cells {
        self.cells.iter().map(|(bits, counts)| (f64::from(f32::from_bits(*bits)), *counts)).collect()
    }

    /// Whether all values were counted.
    pub(super) fn is_exact(&self) -> bool {
        self.mask == 0
    }

    /// Rows of the commonest value.
    pub(super) fn commonest(&self) -> u64 {
        self.cells.values().map(|counts| counts[0] + counts[1]).max().unwrap_or(0)
    }
}

/// The finaliser of `SplitMix64`: a bijection, so that two values never have all bits in common.
fn mixed(bits: u32) -> u64 {
    let mut mixed = u64::from(bits).wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn counted_values_have_the_auc_of_the_rows(rows in prop::collection::vec((-5_i8..5, 0_usize..2), 0..200)) {
            let mut counts = ValueCounts::default();
            for (value, label) in &rows {
                counts.add(f32::from(*value) / 4.0, *label);
            }
            let scores: Vec<f64> = rows.iter().map(|(value, _)| f64::from(*value) / 4.0).collect();
            let labels: Vec<f32> = rows.iter().map(|(_, label)| *label as f32).collect();
            prop_assert_eq!(auc(counts.cells()), fain_metrics::auc(&scores, &labels).unwrap());
        }
    }

    #[test]
    fn one_class_has_no_auc() {
        assert_eq!(auc(vec![]), None);
        assert_eq!(auc(vec![(1.0, [0, 5]), (2.0, [0, 1])]), None);
        assert_eq!(auc(vec![(1.0, [3, 0])]), None);
    }

    #[test]
    fn zero_has_one_sign() {
        let mut counts = ValueCounts::default();
        counts.add(0.0, 0);
        counts.add(-0.0, 1);
        assert_eq!(counts.cells(), [(0.0, [1, 1])]);
        assert_eq!((counts.commonest(), counts.is_exact()), (2, true));
    }

    #[test]
    fn memory_is_bounded_and_the_order_does_not_matter() {
        let values: Vec<u16> = (0..20_000).collect();
        let counted = |values: &mut dyn Iterator<Item = &u16>| {
            let mut counts = ValueCounts::with_limit(1000);
            // Larger values are positives, but for every seventh.
            values.for_each(|value| counts.add(f32::from(*value), usize::from(*value >= 10_000 && value % 7 != 0)));
            assert!(!counts.is_exact());
            let mut cells = counts.cells();
            cells.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
            cells
        };
        let cells = counted(&mut values.iter());
        assert!((400..=1000).contains(&cells.len()), "{}", cells.len());
        assert_eq!(cells, counted(&mut values.iter().rev()));
        let whole = values.iter().map(|value| {
            let label = usize::from(*value >= 10_000 && value % 7 != 0);
            (f64::from(*value), if label == 1 { [0, 1] } else { [1, 0] })
        });
        assert!((auc(cells).unwrap() - auc(whole.collect()).unwrap()).abs() < 0.03);
    }
}

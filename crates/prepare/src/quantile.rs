//! Exact order statistics of more values than memory holds.

use crate::error::PrepareError;

/// Bits of a value that one pass settles.
const BITS: u32 = 16;

/// The values of given ranks (counted from 0) among values that `scan` shows one by one, as often as it is called.
/// All lie between `low` and `high`, and every rank is below their number. Memory does not grow with them.
pub(crate) fn order_statistics(
    ranks: &[u64],
    low: i64,
    high: i64,
    mut scan: impl FnMut(&mut dyn FnMut(i64)) -> Result<(), PrepareError>,
) -> Result<Vec<i64>, PrepareError> {
    // Distances from the lowest value keep the order and have no sign.
    let distance = |value: i64| value.wrapping_sub(low) as u64;
    let mut open = u64::BITS - distance(high).leading_zeros();
    let mut searches: Vec<Search> = ranks.iter().map(|rank| Search { rank: *rank, prefix: 0 }).collect();
    while open > 0 && !searches.is_empty() {
        let taken = open.min(BITS);
        let shift = open - taken;
        let mut counts = vec![vec![0_u64; 1 << taken]; searches.len()];
        scan(&mut |value| {
            let distance = distance(value);
            for (search, counts) in searches.iter().zip(&mut counts) {
                // A shift by all 64 bits is none that a processor knows.
                if distance.checked_shr(open).unwrap_or(0) == search.prefix {
                    counts[(distance >> shift) as usize & ((1 << taken) - 1)] += 1;
                }
            }
        })?;
        for (search, counts) in searches.iter_mut().zip(&counts) {
            search.narrow(counts, taken);
        }
        open = shift;
    }
    Ok(searches.iter().map(|search| low.wrapping_add(search.prefix as i64)).collect())
}

/// The value of one rank: the leading bits known so far, and its rank among the values that share them.
struct Search {
    rank: u64,
    prefix: u64,
}

impl Search {
    /// Takes the next bits: those of the first value that this many values are not above.
    fn narrow(&mut self, counts: &[u64], taken: u32) {
        let mut bits = 0;
        for count in &counts[..counts.len() - 1] {
            if self.rank < *count {
                break;
            }
            self.rank -= count;
            bits += 1;
        }
        self.prefix = self.prefix << taken | bits;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;

    fn found(values: &[i64], ranks: &[u64]) -> Vec<i64> {
        let (low, high) = (*values.iter().min().unwrap(), *values.iter().max().unwrap());
        let scan = |visit: &mut dyn FnMut(i64)| {
            values.iter().copied().for_each(visit);
            Ok(())
        };
        order_statistics(ranks, low, high, scan).unwrap()
    }

    #[test]
    fn the_whole_range_of_numbers_is_ranked() {
        let values = [i64::MAX, 0, i64::MIN, -1, 1];
        assert_eq!(found(&values, &[0, 1, 2, 3, 4]), [i64::MIN, -1, 0, 1, i64::MAX]);
        assert_eq!(found(&[7, 7, 7], &[0, 2]), [7, 7]);
        assert_eq!(found(&[7], &[]), [0; 0]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn ranks_are_those_of_the_sorted_values(
            values in prop_oneof![
                prop::collection::vec(-5_i64..5, 1..50),
                prop::collection::vec(1_400_000_000_i64..1_500_000_000, 1..50),
                prop::collection::vec(any::<i64>(), 1..50),
            ],
        ) {
            let mut sorted = values.clone();
            sorted.sort_unstable();
            let ranks: Vec<u64> = (0..values.len() as u64).collect();
            prop_assert_eq!(found(&values, &ranks), sorted);
        }
    }
}

//! The order of rows in an epoch, computed instead of stored.

use xxhash_rust::xxh3::xxh3_64;

/// Rounds of the network. Four make a pseudo-random permutation of a large set; the rest is for sets of a few rows,
/// where a round has few bits to mix with.
const ROUNDS: usize = 12;

/// A pseudo-random permutation of `0..rows`, determined by a seed and an epoch.
///
/// A Feistel network over a grid of `width × height` cells, the smallest near-square that holds all rows. Rounds add,
/// in turn, a keyed hash of one coordinate to the other (modulo its size), which can be undone, so no two cells meet.
/// A cell beyond the last row is mapped on until it lands on a row (cycle walking): Black and Rogaway, "Ciphers with
/// Arbitrary Finite Domains", 2002, <https://doi.org/10.1007/3-540-45760-7_9>. No list of rows is held, and the row at
/// any place of the order is found in constant time.
#[derive(Debug, Clone)]
pub(crate) struct Permutation {
    rows: u64,
    width: u64,
    height: u64,
    keys: [u64; ROUNDS],
}

impl Permutation {
    pub(crate) fn new(rows: u64, seed: u64, epoch: u64) -> Self {
        let width = match rows {
            0 => 1,
            rows => (rows - 1).isqrt() + 1,
        };
        let mut keys = [0; ROUNDS];
        for (round, key) in (0_u64..).zip(&mut keys) {
            let mut text = [0; 24];
            text[..8].copy_from_slice(&seed.to_le_bytes());
            text[8..16].copy_from_slice(&epoch.to_le_bytes());
            text[16..].copy_from_slice(&round.to_le_bytes());
            *key = xxh3_64(&text);
        }
        Self { rows, width, height: rows.div_ceil(width).max(1), keys }
    }

    /// The row at `place` of the order; `place` must be below the number of rows.
    pub(crate) fn row(&self, place: u64) -> u64 {
        debug_assert!(place < self.rows, "place {place} of {}", self.rows);
        let mut cell = place;
        loop {
            cell = self.step(cell);
            if cell < self.rows {
                return cell;
            }
        }
    }

    /// One pass through the network: a bijection of `0..width * height`.
    fn step(&self, cell: u64) -> u64 {
        let (mut x, mut y) = (cell % self.width, cell / self.width);
        for keys in self.keys.as_chunks::<2>().0 {
            x = add(x, hash(y, keys[0]), self.width);
            y = add(y, hash(x, keys[1]), self.height);
        }
        y * self.width + x
    }
}

/// `value + offset` modulo `size`, where `offset` is first scaled from 64 bits to `0..size`.
fn add(value: u64, offset: u64, size: u64) -> u64 {
    let offset = ((u128::from(offset) * u128::from(size)) >> 64) as u64;
    let sum = value + offset;
    if sum >= size { sum - size } else { sum }
}

/// The finaliser of `SplitMix64` on a keyed value.
fn hash(value: u64, key: u64) -> u64 {
    let mut mixed = value ^ key;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(rows: u64, seed: u64, epoch: u64) -> Vec<u64> {
        let permutation = Permutation::new(rows, seed, epoch);
        (0..rows).map(|place| permutation.row(place)).collect()
    }

    #[test]
    fn every_row_comes_exactly_once() {
        let sizes = (1..=300).chain([1021, 1023, 1024, 1025, 4096, 65_535, 65_536, 65_537, 99_991, 1_000_000]);
        for rows in sizes {
            let mut seen = vec![false; rows as usize];
            for row in order(rows, 7, 3) {
                assert!(row < rows, "{row} of {rows}");
                assert!(!seen[row as usize], "{row} of {rows} twice");
                seen[row as usize] = true;
            }
            assert!(seen.iter().all(|seen| *seen), "{rows}");
        }
    }

    #[test]
    fn seeds_and_epochs_give_different_orders() {
        let base = order(1000, 1, 0);
        assert_eq!(base, order(1000, 1, 0));
        for (seed, epoch) in [(1, 1), (0, 1), (2, 0), (1, 2)] {
            let other = order(1000, seed, epoch);
            let same = base.iter().zip(&other).filter(|(a, b)| a == b).count();
            // One fixed place is expected between two random orders; 10 or more has probability below 1e-6.
            assert!(same < 10, "seed {seed}, epoch {epoch}: {same} rows in place");
        }
    }

    #[test]
    fn orders_are_stable_between_versions() {
        // From a second implementation, in Python.
        assert_eq!(order(10, 1, 0), [7, 5, 0, 6, 4, 2, 1, 3, 8, 9]);
        assert_eq!(order(7, 42, 5), [0, 4, 2, 5, 3, 6, 1]);
        let first: Vec<u64> = (0..5).map(|place| Permutation::new(1_000_003, 7, 3).row(place)).collect();
        assert_eq!(first, [423_968, 554_897, 222_366, 856_756, 539_802]);
    }

    /// Chi-square statistic of the row found at `place` over many seeds, against a uniform one.
    fn chi_square(rows: u64, place: u64, seeds: u64) -> f64 {
        let mut counts = vec![0_u64; rows as usize];
        for seed in 0..seeds {
            counts[Permutation::new(rows, seed, 0).row(place) as usize] += 1;
        }
        let expected = seeds as f64 / rows as f64;
        counts.iter().map(|count| (*count as f64 - expected).powi(2) / expected).sum()
    }

    #[test]
    fn a_place_holds_every_row_equally_often() {
        for rows in [2, 3, 5, 10, 16, 31, 64, 101] {
            for place in 0..rows.min(8) {
                let statistic = chi_square(rows, place, 400 * rows);
                let degrees = (rows - 1) as f64;
                // Mean plus five standard deviations and a margin for the long tail of few degrees of freedom.
                let limit = degrees + 5.0 * (2.0 * degrees).sqrt() + 12.0;
                assert!(statistic < limit, "{rows} rows, place {place}: {statistic} of {limit}");
            }
        }
    }

    #[test]
    fn all_orders_of_four_rows_come_equally_often() {
        let mut counts = std::collections::BTreeMap::new();
        for seed in 0..24_000 {
            *counts.entry(order(4, seed, 1)).or_insert(0_u64) += 1;
        }
        assert_eq!(counts.len(), 24);
        let statistic: f64 = counts.values().map(|count| (*count as f64 - 1000.0).powi(2) / 1000.0).sum();
        // 99.99 % point of chi-square with 23 degrees of freedom.
        assert!(statistic < 58.6, "{statistic}");
    }

    #[test]
    fn neighbours_are_separated() {
        let rows = 100_000;
        let order = order(rows, 11, 0);
        let near = order.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) <= 10).count();
        // A pair of random rows is this near with probability 20 / rows: 20 pairs are expected.
        assert!(near < 50, "{near}");
        let mean = order.windows(2).map(|pair| pair[0].abs_diff(pair[1]) as f64).sum::<f64>() / (rows - 1) as f64;
        let expected = rows as f64 / 3.0;
        assert!((mean / expected - 1.0).abs() < 0.02, "{mean} of {expected}");
    }
}

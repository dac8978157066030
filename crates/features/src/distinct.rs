//! Exact quantiles of a stream of numbers.

/// Numbers not yet sorted in, at least.
const PENDING: usize = 1 << 16;

/// The distinct numbers of a stream and how often each came.
///
/// Memory grows with the number of distinct values, not with the number of rows: prices and ages repeat.
#[derive(Debug, Clone, Default)]
pub(crate) struct DistinctValues {
    /// Ascending and distinct.
    counted: Vec<(f64, u64)>,
    pending: Vec<f64>,
}

impl DistinctValues {
    pub(crate) fn push(&mut self, value: f64) {
        self.pending.push(value);
        if self.pending.len() >= PENDING.max(self.counted.len()) {
            self.sort_in();
        }
    }

    pub(crate) fn push_times(&mut self, value: f64, times: u64) {
        self.sort_in();
        if times > 0 {
            let place = self.counted.partition_point(|&(other, _)| other < value);
            match self.counted.get_mut(place) {
                Some((other, count)) if other.total_cmp(&value).is_eq() => *count += times,
                _ => self.counted.insert(place, (value, times)),
            }
        }
    }

    /// `count` quantiles from the lowest to the highest value, in equal steps of rank, linear in between.
    /// Empty when there are no values.
    pub(crate) fn quantiles(mut self, count: usize) -> Vec<f64> {
        self.sort_in();
        let total: u64 = self.counted.iter().map(|&(_, times)| times).sum();
        if total == 0 {
            return Vec::new();
        }
        let mut ranks = Ranks { values: &self.counted, index: 0, before: 0 };
        let mut quantiles: Vec<f64> = Vec::with_capacity(count);
        for step in 0..count {
            // By way of a percentage, as NumPy and scikit-learn compute it: rounding decides whether a rank
            // falls on a value or beside it, and so whether two quantiles tie.
            let rank = reference(step, count) * 100.0 / 100.0 * (total - 1) as f64;
            let low = ranks.value(rank.floor() as u64);
            let high = ranks.next_value(rank.floor() as u64 + 1);
            let quantile = between(low, high, rank - rank.floor());
            // Rounding must not turn the order around.
            quantiles.push(quantiles.last().map_or(quantile, |&last| quantile.max(last)));
        }
        quantiles
    }

    /// The middle value, or the middle of the two middle ones; `None` when there are no values.
    pub(crate) fn median(&mut self) -> Option<f64> {
        self.sort_in();
        let total: u64 = self.counted.iter().map(|&(_, times)| times).sum();
        let middle = total.checked_sub(1)? / 2;
        let mut ranks = Ranks { values: &self.counted, index: 0, before: 0 };
        let low = ranks.value(middle);
        Some(if total.is_multiple_of(2) { f64::midpoint(low, ranks.next_value(middle + 1)) } else { low })
    }

    fn sort_in(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        self.pending.sort_unstable_by(f64::total_cmp);
        let old = std::mem::take(&mut self.counted);
        let mut old = old.into_iter().peekable();
        for value in self.pending.drain(..) {
            while let Some(entry) = old.next_if(|&(other, _)| other <= value) {
                self.counted.push(entry);
            }
            match self.counted.last_mut() {
                Some((last, times)) if last.total_cmp(&value).is_eq() => *times += 1,
                _ => self.counted.push((value, 1)),
            }
        }
        self.counted.extend(old);
    }
}

/// The share of values below quantile `index` of `count`, from 0 to 1. A single quantile has 0.
pub(crate) fn reference(index: usize, count: usize) -> f64 {
    if count > 1 && index == count - 1 { 1.0 } else { index as f64 * (1.0 / (count.max(2) - 1) as f64) }
}

/// The sorted stream, looked up by ascending rank.
struct Ranks<'a> {
    values: &'a [(f64, u64)],
    index: usize,
    /// Values before `index`, with their counts.
    before: u64,
}

impl Ranks<'_> {
    fn value(&mut self, rank: u64) -> f64 {
        while self.index + 1 < self.values.len() && self.before + self.values[self.index].1 <= rank {
            self.before += self.values[self.index].1;
            self.index += 1;
        }
        self.values[self.index].0
    }

    /// The value at the rank after the current one; the highest value beyond the end.
    fn next_value(&self, rank: u64) -> f64 {
        let next = self.before + self.values[self.index].1 <= rank;
        self.values[(self.index + usize::from(next)).min(self.values.len() - 1)].0
    }
}

/// Linear interpolation from the nearer end, so that both ends are met exactly.
fn between(low: f64, high: f64, part: f64) -> f64 {
    if part < 0.5 { low + (high - low) * part } else { high - (high - low) * (1.0 - part) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> DistinctValues {
        let mut distinct = DistinctValues::default();
        for &value in values {
            distinct.push(value);
        }
        distinct
    }

    #[test]
    fn quantiles_interpolate_between_ranks() {
        assert_eq!(of(&[4.0, 1.0, 5.0, 3.0, 2.0]).quantiles(5), [1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(of(&[1.0, 2.0]).quantiles(5), [1.0, 1.25, 1.5, 1.75, 2.0]);
        assert_eq!(of(&[7.0]).quantiles(1), [7.0]);
        assert_eq!(of(&[]).quantiles(3), Vec::<f64>::new());
    }

    #[test]
    fn repeated_values_keep_their_weight() {
        let mut distinct = of(&[1.0, 1.0, 1.0, 5.0, 7.0]);
        assert_eq!(distinct.clone().quantiles(5), [1.0, 1.0, 1.0, 5.0, 7.0]);
        distinct.push_times(3.0, 2);
        distinct.push_times(1.0, 1);
        distinct.push_times(8.0, 1);
        distinct.push_times(9.0, 0);
        assert_eq!(distinct.quantiles(9), [1.0, 1.0, 1.0, 1.0, 3.0, 3.0, 5.0, 7.0, 8.0]);
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(of(&[]).median(), None);
        assert_eq!(of(&[3.0]).median(), Some(3.0));
        assert_eq!(of(&[9.0, 1.0, 2.0]).median(), Some(2.0));
        assert_eq!(of(&[9.0, 1.0, 2.0, 4.0]).median(), Some(3.0));
        assert_eq!(of(&[5.0, 1.0, 5.0, 5.0]).median(), Some(5.0));
        assert_eq!(of(&[f64::MAX, f64::MAX]).median(), Some(f64::MAX));
    }

    #[test]
    fn many_values_are_sorted_in_piece_by_piece() {
        let count = 3 * PENDING + 7;
        let mut distinct = DistinctValues::default();
        for index in 0..count {
            distinct.push(((index * 31) % count) as f64);
        }
        assert!(distinct.pending.len() < 2 * PENDING && !distinct.counted.is_empty());
        let quantiles = distinct.quantiles(count);
        assert!(quantiles.iter().enumerate().all(|(index, &value)| (value - index as f64).abs() < 1e-6));
    }
}

//! Ids of numbers: the interval that a number falls into.

use crate::checked::Buckets;
use crate::distinct::DistinctValues;

/// Intervals of the numbers, divided by boundaries.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Intervals {
    /// Ascending, distinct and finite.
    boundaries: Vec<f64>,
}

impl Intervals {
    /// Intervals between boundaries that ascend; else what is wrong with them.
    pub(crate) fn new(boundaries: Vec<f64>) -> Result<Self, &'static str> {
        if boundaries.iter().any(|boundary| !boundary.is_finite()) {
            return Err("a boundary is not finite");
        }
        if !boundaries.is_sorted_by(|left, right| left < right) {
            return Err("the boundaries do not ascend");
        }
        Ok(Self { boundaries })
    }

    pub(crate) fn boundaries(&self) -> &[f64] {
        &self.boundaries
    }

    pub(crate) fn number(&self) -> usize {
        self.boundaries.len() + 1
    }

    /// 1 for a number below the first boundary, one more for each boundary that it reaches; 0 for a missing number.
    pub(crate) fn id(&self, value: Option<f64>) -> u32 {
        match value.filter(|value| !value.is_nan()) {
            None => 0,
            Some(value) => 1 + self.boundaries.partition_point(|&boundary| boundary <= value) as u32,
        }
    }
}

/// Learns the boundaries of intervals from the training rows' numbers.
#[derive(Debug, Clone)]
pub(crate) struct IntervalFitter {
    buckets: Buckets,
    values: DistinctValues,
    seen: bool,
}

impl IntervalFitter {
    pub(crate) fn new(buckets: Buckets) -> Self {
        Self { buckets, values: DistinctValues::default(), seen: false }
    }

    pub(crate) fn observe(&mut self, value: Option<f64>) {
        let Some(value) = value.filter(|value| value.is_finite()) else { return };
        self.seen = true;
        if let Buckets::Quantiles(_) = self.buckets {
            // One zero only: -0.0 is the same value.
            self.values.push(value + 0.0);
        }
    }

    /// The intervals; `None` when they depend on numbers and there was none.
    pub(crate) fn finish(self) -> Option<Intervals> {
        match self.buckets {
            Buckets::Boundaries(boundaries) => Some(Intervals { boundaries }),
            Buckets::Quantiles(_) if !self.seen => None,
            Buckets::Quantiles(count) => {
                let quantiles = self.values.quantiles(count + 1);
                let lowest = quantiles.first().copied();
                let mut boundaries: Vec<f64> = quantiles.into_iter().skip(1).take(count - 1).collect();
                boundaries.dedup();
                // Below the lowest value there would be an interval without any.
                boundaries.retain(|&boundary| Some(boundary) != lowest);
                Some(Intervals { boundaries })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn fitted(count: usize, values: &[f64]) -> Intervals {
        let mut fitter = IntervalFitter::new(Buckets::Quantiles(count));
        fitter.observe(None);
        for &value in values {
            fitter.observe(Some(value));
        }
        fitter.finish().unwrap()
    }

    #[test]
    fn a_boundary_belongs_to_the_interval_above() {
        let intervals = Intervals::new(vec![-1.0, 0.0, 2.5]).unwrap();
        let ids = [-5.0, -1.0, -0.5, -0.0, 0.0, 2.4, 2.5, 9.0, f64::INFINITY].map(|value| intervals.id(Some(value)));
        assert_eq!(ids, [1, 2, 2, 3, 3, 3, 4, 4, 4]);
        assert_eq!((intervals.id(None), intervals.id(Some(f64::NAN)), intervals.number()), (0, 0, 4));
    }

    #[test]
    fn quantiles_hold_as_many_values_each() {
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        let intervals = fitted(4, &values);
        assert_eq!(intervals.boundaries(), [24.75, 49.5, 74.25]);
        let mut counts = [0; 5];
        for &value in &values {
            counts[intervals.id(Some(value)) as usize] += 1;
        }
        assert_eq!(counts, [0, 25, 25, 25, 25]);
    }

    #[test]
    fn repeated_values_leave_fewer_intervals() {
        assert_eq!(fitted(4, &[1.0, 1.0, 1.0, 1.0, 7.0]).boundaries(), [] as [f64; 0]);
        assert_eq!(fitted(4, &[1.0, 7.0, 7.0, 7.0, 7.0]).boundaries(), [7.0]);
        assert_eq!(fitted(3, &[-0.0, 0.0]).number(), 1);
    }

    #[test]
    fn no_number_leaves_nothing_to_divide() {
        let mut fitter = IntervalFitter::new(Buckets::Quantiles(2));
        fitter.observe(None);
        fitter.observe(Some(f64::NAN));
        assert_eq!(fitter.finish(), None);
        let given = IntervalFitter::new(Buckets::Boundaries(vec![1.0]));
        assert_eq!(given.finish().unwrap().boundaries(), [1.0]);
    }

    #[test]
    fn boundaries_must_ascend() {
        assert_eq!(Intervals::new(vec![1.0, 1.0]), Err("the boundaries do not ascend"));
        assert_eq!(Intervals::new(vec![2.0, 1.0]), Err("the boundaries do not ascend"));
        assert_eq!(Intervals::new(vec![f64::NAN]), Err("a boundary is not finite"));
    }
}

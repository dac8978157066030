/// A sum of terms of at least 0 that does not depend on their order.
///
/// Each term is rounded to a multiple of 2^-84 (5e-26) and the multiples are added as integers.
/// The total must stay below 2^44: more than 10^11 samples at the largest term there is, the
/// log loss of a missed click at the smallest clip (36.05).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ExactSum {
    units: u128,
}

/// 2^84, as a float: multiplying and dividing by it is exact.
const UNITS_PER_ONE: f64 = (1u128 << 84) as f64;

impl ExactSum {
    pub(crate) fn add(&mut self, term: f64) {
        self.units += (term * UNITS_PER_ONE).round() as u128;
    }

    pub(crate) fn value(self) -> f64 {
        self.units as f64 / UNITS_PER_ONE
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "the sums are exact")]
mod tests {
    use super::ExactSum;

    fn sum(terms: impl IntoIterator<Item = f64>) -> f64 {
        let mut sum = ExactSum::default();
        terms.into_iter().for_each(|term| sum.add(term));
        sum.value()
    }

    #[test]
    fn order_does_not_matter_where_float_addition_loses_terms() {
        let small = 2f64.powi(-54);
        let terms = [1.0, small, small, small, small];
        assert_eq!(terms.iter().sum::<f64>(), 1.0);
        assert_eq!(sum(terms), 1.0 + f64::EPSILON);
        assert_eq!(sum(terms.into_iter().rev()), 1.0 + f64::EPSILON);
    }

    #[test]
    fn largest_and_smallest_terms() {
        assert_eq!(sum([]), 0.0);
        assert_eq!(sum([2f64.powi(43)]), 2f64.powi(43));
        assert_eq!(sum([2f64.powi(-84)]), 2f64.powi(-84));
        assert_eq!(sum([1e-300]), 0.0);
    }
}

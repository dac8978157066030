//! The scaling of numbers, learnt from training rows.

use crate::checked::Scaling;
use crate::distinct::DistinctValues;
use crate::number::Domain;
use crate::numeric::{Fitted, NumericEncoder};
use crate::schema::Missing;

/// Collects the training rows' values of one numeric feature.
///
/// ```
/// use fain_features::{Missing, NumericFitter, Scaling};
///
/// let mut fitter = NumericFitter::new(Scaling::Standard, Missing::Mean);
/// for value in [Some(1.0), None, Some(3.0)] {
///     fitter.observe(value);
/// }
/// let encoder = fitter.finish().ok_or("no value at all")?;
/// assert_eq!(encoder.transform(Some(3.0)), 1.0);
/// assert_eq!(encoder.transform(None), 0.0);
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug, Clone)]
pub struct NumericFitter {
    scaling: Scaling,
    filling: Missing,
    present: u64,
    missing: u64,
    sum: Sum,
    spread: Spread,
    lowest: f64,
    highest: f64,
    values: DistinctValues,
}

/// A sum that keeps what rounding drops, after Neumaier.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    total: f64,
    rest: f64,
}

impl Sum {
    fn add(&mut self, value: f64) {
        let total = self.total + value;
        self.rest +=
            if self.total.abs() >= value.abs() { (self.total - total) + value } else { (value - total) + self.total };
        self.total = total;
    }
}

/// Mean and sum of squared distances so far, after Welford.
#[derive(Debug, Clone, Copy, Default)]
struct Spread {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Spread {
    fn add(&mut self, value: f64) {
        self.count += 1;
        let distance = value - self.mean;
        self.mean += distance / self.count as f64;
        self.squares += distance * (value - self.mean);
    }

    /// Of the population.
    fn deviation(&self) -> f64 {
        (self.squares / self.count.max(1) as f64).sqrt()
    }
}

impl NumericFitter {
    /// A fitter without values.
    pub fn new(scaling: Scaling, missing: Missing) -> Self {
        Self {
            scaling,
            filling: missing,
            present: 0,
            missing: 0,
            sum: Sum::default(),
            spread: Spread::default(),
            lowest: f64::INFINITY,
            highest: f64::NEG_INFINITY,
            values: DistinctValues::default(),
        }
    }

    /// Takes one row's value in, `None` for a missing one. A value that is not finite counts as missing, and where
    /// logarithms are taken, so does one that is not above -1.
    pub fn observe(&mut self, value: Option<f64>) {
        let domain = self.scaling.domain();
        let Some(value) = value.filter(|value| value.is_finite() && (domain == Domain::All || *value > -1.0)) else {
            self.missing += 1;
            return;
        };
        // One zero only: -0.0 is the same value.
        let value = value + 0.0;
        self.present += 1;
        self.sum.add(value);
        match self.scaling {
            Scaling::Standard => self.spread.add(value),
            Scaling::Log1pStandard => self.spread.add(libm::log1p(value)),
            Scaling::MinMax | Scaling::Quantile { .. } | Scaling::Log1p | Scaling::None => {}
        }
        self.lowest = self.lowest.min(value);
        self.highest = self.highest.max(value);
        if self.filling == Missing::Median || matches!(self.scaling, Scaling::Quantile { .. }) {
            self.values.push(value);
        }
    }

    /// The fitted encoder; `None` when no value was present.
    pub fn finish(mut self) -> Option<NumericEncoder> {
        if self.present == 0 {
            return None;
        }
        let mean = ((self.sum.total + self.sum.rest) / self.present as f64).clamp(self.lowest, self.highest);
        let missing = match self.filling {
            Missing::Mean => None,
            Missing::Median => Some(self.values.median()?),
            Missing::Constant(constant) => Some(constant),
        };
        let scale = match self.scaling {
            Scaling::Standard => Fitted::Standard { deviation: self.spread.deviation() },
            Scaling::MinMax => Fitted::MinMax { lowest: self.lowest, highest: self.highest },
            Scaling::Quantile { quantiles } => {
                self.values.push_times(missing.unwrap_or(mean), self.missing);
                let rows = usize::try_from(self.present + self.missing).unwrap_or(usize::MAX);
                Fitted::Quantile { quantiles: self.values.quantiles(quantiles.min(rows)) }
            }
            Scaling::Log1p => Fitted::Log1p,
            Scaling::Log1pStandard => {
                Fitted::Log1pStandard { log_mean: self.spread.mean, log_deviation: self.spread.deviation() }
            }
            Scaling::None => Fitted::None,
        };
        Some(NumericEncoder { mean, missing, scale })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test fails by panicking; the values are exact")]

    use super::*;

    fn fitted(scaling: Scaling, values: &[Option<f64>]) -> NumericEncoder {
        let mut fitter = NumericFitter::new(scaling, Missing::Mean);
        for &value in values {
            fitter.observe(value);
        }
        fitter.finish().unwrap()
    }

    #[test]
    fn standard_uses_the_population_deviation_of_present_values() {
        let encoder = fitted(Scaling::Standard, &[Some(2.0), Some(4.0), None, Some(9.0)]);
        assert_eq!(encoder.mean(), 5.0);
        let deviation = (26.0_f64 / 3.0).sqrt();
        assert!((encoder.transform(Some(9.0)) - 4.0 / deviation).abs() < 1e-15);
        assert_eq!(encoder.transform(None), 0.0);
    }

    #[test]
    fn standard_does_not_lose_a_small_spread_around_a_large_mean() {
        let encoder = fitted(Scaling::Standard, &[Some(1e9), Some(1e9 + 1.0), Some(1e9 + 2.0)]);
        assert!((encoder.transform(Some(1e9 + 2.0)) - 1.5_f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn a_constant_column_gives_zero() {
        for scaling in [Scaling::Standard, Scaling::MinMax, Scaling::Quantile { quantiles: 5 }] {
            let encoder = fitted(scaling, &[Some(0.1); 7]);
            assert_eq!(encoder.transform(Some(0.1)), 0.0);
            assert_eq!(encoder.transform(None), 0.0);
        }
        assert_eq!(fitted(Scaling::Standard, &[Some(0.1); 7]).transform(Some(5.0)), 0.0);
    }

    #[test]
    fn min_max_clips_what_training_did_not_see() {
        let encoder = fitted(Scaling::MinMax, &[Some(-1.0), Some(3.0), None]);
        let scaled = [-9.0, -1.0, 0.0, 3.0, 9.0].map(|value| encoder.transform(Some(value)));
        assert_eq!(scaled, [0.0, 0.0, 0.25, 1.0, 1.0]);
        assert_eq!(encoder.transform(None), 0.5);
    }

    #[test]
    fn none_keeps_the_value_and_fills_in_the_mean() {
        let encoder = fitted(Scaling::None, &[Some(1.0), Some(4.0), None]);
        assert_eq!((encoder.transform(Some(7.5)), encoder.transform(None)), (7.5, 2.5));
    }

    #[test]
    fn a_scaled_value_stays_within_32_bits() {
        let encoder = fitted(Scaling::Standard, &[Some(0.0), Some(1e-30)]);
        assert_eq!(encoder.encode(Some(3e38)), f32::MAX);
        assert_eq!(encoder.encode(Some(-3e38)), f32::MIN);
    }

    #[test]
    fn no_value_at_all_gives_no_encoder() {
        let mut fitter = NumericFitter::new(Scaling::Standard, Missing::Mean);
        fitter.observe(None);
        assert_eq!(fitter.finish(), None);
    }

    #[test]
    fn values_that_are_not_finite_do_no_harm() {
        for scaling in [Scaling::Standard, Scaling::MinMax, Scaling::Quantile { quantiles: 5 }, Scaling::None] {
            let strange = [Some(1.0), Some(f64::NAN), Some(3.0), Some(f64::INFINITY)];
            let encoder = fitted(scaling, &strange);
            assert_eq!(encoder, fitted(scaling, &[Some(1.0), None, Some(3.0), None]));
            assert_eq!(encoder.transform(Some(f64::NAN)), encoder.transform(None));
        }
        let mut fitter = NumericFitter::new(Scaling::Standard, Missing::Mean);
        fitter.observe(Some(f64::NAN));
        assert_eq!(fitter.finish(), None);
    }

    fn filled(scaling: Scaling, missing: Missing, values: &[Option<f64>]) -> NumericEncoder {
        let mut fitter = NumericFitter::new(scaling, missing);
        for &value in values {
            fitter.observe(value);
        }
        fitter.finish().unwrap()
    }

    #[test]
    fn the_median_or_a_constant_can_stand_for_what_is_missing() {
        let values = [Some(1.0), None, Some(2.0), Some(9.0), None];
        let median = filled(Scaling::None, Missing::Median, &values);
        assert_eq!((median.mean(), median.missing(), median.transform(None)), (4.0, 2.0, 2.0));
        let constant = filled(Scaling::MinMax, Missing::Constant(5.0), &values);
        assert_eq!((constant.missing(), constant.transform(None)), (5.0, 0.5));
        // The scale is learnt from the numbers that are there.
        let mean = fitted(Scaling::Standard, &values);
        let constant = filled(Scaling::Standard, Missing::Constant(-7.0), &values);
        assert_eq!(constant.transform(Some(9.0)), mean.transform(Some(9.0)));
        assert_eq!(constant.transform(None), mean.transform(Some(-7.0)));
    }

    #[test]
    fn quantiles_count_what_stands_for_missing_values() {
        let values = [Some(1.0), Some(2.0), None, None, Some(3.0)];
        let scaling = Scaling::Quantile { quantiles: 5 };
        let stored = serde_json::to_value(filled(scaling, Missing::Constant(0.0), &values)).unwrap();
        assert_eq!(stored["quantiles"], serde_json::json!([0.0, 0.0, 1.0, 2.0, 3.0]));
        let stored = serde_json::to_value(filled(scaling, Missing::Median, &values)).unwrap();
        assert_eq!(stored["quantiles"], serde_json::json!([1.0, 2.0, 2.0, 2.0, 3.0]));
    }

    #[test]
    fn logarithms_are_of_the_number_plus_one() {
        let e = std::f64::consts::E;
        let encoder = fitted(Scaling::Log1p, &[Some(0.0), Some(e - 1.0), None]);
        assert_eq!(encoder.transform(Some(0.0)), 0.0);
        assert!((encoder.transform(Some(e * e - 1.0)) - 2.0).abs() < 1e-15);
        // The mean is of the numbers, not of their logarithms.
        assert!((encoder.transform(None) - ((e - 1.0) / 2.0).ln_1p()).abs() < 1e-15);
        let standard = fitted(Scaling::Log1pStandard, &[Some(0.0), Some(e * e - 1.0), None]);
        assert!((standard.transform(Some(0.0)) + 1.0).abs() < 1e-15);
        assert!((standard.transform(Some(e - 1.0))).abs() < 1e-15);
        assert_eq!(fitted(Scaling::Log1pStandard, &[Some(3.0); 4]).transform(Some(8.0)), 0.0);
    }

    #[test]
    fn what_has_no_logarithm_is_missing() {
        for scaling in [Scaling::Log1p, Scaling::Log1pStandard] {
            let encoder = fitted(scaling, &[Some(1.0), Some(-1.0), Some(3.0), Some(-4.0)]);
            assert_eq!(encoder, fitted(scaling, &[Some(1.0), None, Some(3.0), None]));
            assert_eq!(encoder.transform(Some(-1.0)), encoder.transform(None));
        }
    }

    #[test]
    fn stored_numbers_are_checked() {
        let encoder = |json: &str| serde_json::from_str::<NumericEncoder>(json).unwrap();
        let good = encoder(r#"{"mean": 1.0, "scale": "standard", "deviation": 2.0}"#);
        assert_eq!(good.problem(Missing::Mean, Scaling::Standard), None);
        assert!(good.problem(Missing::Mean, Scaling::MinMax).unwrap().contains("not fitted for the scale"));
        let negative = encoder(r#"{"mean": 1.0, "scale": "standard", "deviation": -2.0}"#);
        assert_eq!(negative.problem(Missing::Mean, Scaling::Standard).unwrap(), "the numbers are not in order");
        let turned = encoder(r#"{"mean": 1.0, "scale": "quantile", "quantiles": [2.0, 1.0]}"#);
        assert_eq!(
            turned.problem(Missing::Mean, Scaling::Quantile { quantiles: 9 }).unwrap(),
            "the numbers are not in order"
        );
        let many = encoder(r#"{"mean": 1.0, "scale": "quantile", "quantiles": [1.0, 2.0, 3.0]}"#);
        assert!(many.problem(Missing::Mean, Scaling::Quantile { quantiles: 2 }).unwrap().contains("not fitted"));
        let filled = encoder(r#"{"mean": 1.0, "missing": 2.0, "scale": "log1p"}"#);
        assert_eq!(filled.problem(Missing::Median, Scaling::Log1p), None);
        assert_eq!(filled.problem(Missing::Constant(2.0), Scaling::Log1p), None);
        for missing in [Missing::Mean, Missing::Constant(3.0)] {
            let problem = filled.problem(missing, Scaling::Log1p).unwrap();
            assert_eq!(problem, "what stands for a missing number is not what the schema says");
        }
        assert!(good.problem(Missing::Median, Scaling::Standard).unwrap().contains("not what the schema says"));
        let low = encoder(r#"{"mean": 1.0, "missing": -2.0, "scale": "log1p"}"#);
        assert!(low.problem(Missing::Median, Scaling::Log1p).unwrap().contains("none that can be scaled"));
        let turned = encoder(r#"{"mean": 1, "scale": "log1p_standard", "log_mean": 0, "log_deviation": -1}"#);
        assert_eq!(turned.problem(Missing::Mean, Scaling::Log1pStandard).unwrap(), "the numbers are not in order");
    }
}

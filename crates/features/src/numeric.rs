//! Numbers and their scaling.

use serde::{Deserialize, Serialize};

use crate::checked::Scaling;
use crate::distinct::{DistinctValues, reference};

/// What a numeric column may hold.
pub(crate) const NUMBER: &str = "a finite number within the range of 32-bit floats, or empty";

/// Reads a number; `Ok(None)` for the empty text, which is a missing value.
pub(crate) fn parse_number(text: &str) -> Result<Option<f64>, &'static str> {
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse::<f64>() {
        // Samples hold 32-bit floats. NaN fails the comparison.
        Ok(value) if value.abs() <= f64::from(f32::MAX) => Ok(Some(value)),
        _ => Err(NUMBER),
    }
}

/// Collects the training rows' values of one numeric feature.
///
/// ```
/// use fain_features::{NumericFitter, Scaling};
///
/// let mut fitter = NumericFitter::new(Scaling::Standard);
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
    present: u64,
    missing: u64,
    sum: Sum,
    /// Mean and sum of squared distances so far, after Welford.
    running_mean: f64,
    squares: f64,
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

impl NumericFitter {
    /// A fitter without values.
    pub fn new(scaling: Scaling) -> Self {
        Self {
            scaling,
            present: 0,
            missing: 0,
            sum: Sum::default(),
            running_mean: 0.0,
            squares: 0.0,
            lowest: f64::INFINITY,
            highest: f64::NEG_INFINITY,
            values: DistinctValues::default(),
        }
    }

    /// Takes one row's value in, `None` for a missing one. A value that is not finite counts as missing.
    pub fn observe(&mut self, value: Option<f64>) {
        let Some(value) = value.filter(|value| value.is_finite()) else {
            self.missing += 1;
            return;
        };
        // One zero only: -0.0 is the same value.
        let value = value + 0.0;
        self.present += 1;
        self.sum.add(value);
        let distance = value - self.running_mean;
        self.running_mean += distance / self.present as f64;
        self.squares += distance * (value - self.running_mean);
        self.lowest = self.lowest.min(value);
        self.highest = self.highest.max(value);
        if matches!(self.scaling, Scaling::Quantile { .. }) {
            self.values.push(value);
        }
    }

    /// The fitted encoder; `None` when no value was present.
    pub fn finish(mut self) -> Option<NumericEncoder> {
        if self.present == 0 {
            return None;
        }
        let mean = ((self.sum.total + self.sum.rest) / self.present as f64).clamp(self.lowest, self.highest);
        let scale = match self.scaling {
            Scaling::Standard => Fitted::Standard { deviation: (self.squares / self.present as f64).sqrt() },
            Scaling::MinMax => Fitted::MinMax { lowest: self.lowest, highest: self.highest },
            Scaling::Quantile { quantiles } => {
                self.values.push_times(mean, self.missing);
                let rows = usize::try_from(self.present + self.missing).unwrap_or(usize::MAX);
                Fitted::Quantile { quantiles: self.values.quantiles(quantiles.min(rows)) }
            }
            Scaling::None => Fitted::None,
        };
        Some(NumericEncoder { mean, scale })
    }
}

/// Scales the values of one numeric feature. A missing value counts as the mean of the training values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NumericEncoder {
    mean: f64,
    #[serde(flatten)]
    scale: Fitted,
}

/// What a scaling learnt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "scale", rename_all = "snake_case")]
enum Fitted {
    Standard { deviation: f64 },
    MinMax { lowest: f64, highest: f64 },
    Quantile { quantiles: Vec<f64> },
    None,
}

impl NumericEncoder {
    /// Mean of the training values that were present; it stands for a missing value.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The scaled value; `None` is a missing one, and so is NaN.
    ///
    /// - standard: distance from the mean in population standard deviations; 0 for a constant column
    /// - min-max: place between the lowest and highest training value, 0 below, 1 above; 0 for a constant column
    /// - quantile: share of the training values below, linear between quantiles; ties count half; missing
    ///   training values count as the mean
    /// - none: the value
    pub fn transform(&self, value: Option<f64>) -> f64 {
        let value = value.filter(|value| !value.is_nan()).unwrap_or(self.mean);
        match &self.scale {
            Fitted::Standard { deviation } if *deviation > 0.0 => (value - self.mean) / deviation,
            Fitted::MinMax { lowest, highest } if lowest < highest => {
                ((value - lowest) / (highest - lowest)).clamp(0.0, 1.0)
            }
            Fitted::Standard { .. } | Fitted::MinMax { .. } => 0.0,
            Fitted::Quantile { quantiles } => quantile_rank(quantiles, value),
            Fitted::None => value,
        }
    }

    /// The scaled value as samples hold it. What 32 bits cannot hold becomes the largest that they can.
    pub(crate) fn encode(&self, value: Option<f64>) -> f32 {
        let limit = f64::from(f32::MAX);
        self.transform(value).clamp(-limit, limit) as f32
    }

    /// What is wrong with numbers that were read from a file for this scaling.
    pub(crate) fn problem(&self, scaling: Scaling) -> Option<String> {
        let (wanted, numbers): (_, Vec<f64>) = match &self.scale {
            Fitted::Standard { deviation } => (scaling == Scaling::Standard, vec![*deviation]),
            Fitted::MinMax { lowest, highest } => (scaling == Scaling::MinMax, vec![*lowest, *highest]),
            Fitted::Quantile { quantiles } => (
                matches!(scaling, Scaling::Quantile { quantiles: most } if (1..=most).contains(&quantiles.len())),
                quantiles.clone(),
            ),
            Fitted::None => (scaling == Scaling::None, Vec::new()),
        };
        if !wanted {
            return Some("what is stored was not fitted for the scale of the schema".to_owned());
        }
        if !self.mean.is_finite() || numbers.iter().any(|number| !number.is_finite()) {
            return Some("a number is not finite".to_owned());
        }
        let ascending = numbers.is_sorted() && !matches!(self.scale, Fitted::Standard { deviation } if deviation < 0.0);
        (!ascending).then(|| "the numbers are not in order".to_owned())
    }

    /// The fitted numbers in words.
    pub(crate) fn describe(&self) -> String {
        match &self.scale {
            Fitted::Standard { deviation } => format!("standard: mean {}, deviation {deviation}", self.mean),
            Fitted::MinMax { lowest, highest } => format!("min_max: {lowest} to {highest}, mean {}", self.mean),
            Fitted::Quantile { quantiles } => format!("quantile: {} quantiles, mean {}", quantiles.len(), self.mean),
            Fitted::None => format!("none: mean {}", self.mean),
        }
    }
}

/// The mean of the ranks that a value has when ties are resolved down and when they are resolved up.
fn quantile_rank(quantiles: &[f64], value: f64) -> f64 {
    let (Some(&lowest), Some(&highest)) = (quantiles.first(), quantiles.last()) else { return 0.0 };
    if value <= lowest {
        return 0.0;
    }
    if value >= highest {
        return if quantiles.len() == 1 { 0.0 } else { 1.0 };
    }
    // The value lies strictly inside, so that both neighbours exist: below < value or equal, above alike.
    let above = quantiles.partition_point(|&quantile| quantile <= value);
    let below = quantiles.partition_point(|&quantile| quantile < value) - 1;
    let line = |from: usize, to: usize| {
        let (start, end) = (reference(from, quantiles.len()), reference(to, quantiles.len()));
        start + (end - start) / (quantiles[to] - quantiles[from]) * (value - quantiles[from])
    };
    f64::midpoint(line(above - 1, above), line(below + 1, below))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test fails by panicking; the values are exact")]

    use super::*;

    fn fitted(scaling: Scaling, values: &[Option<f64>]) -> NumericEncoder {
        let mut fitter = NumericFitter::new(scaling);
        for &value in values {
            fitter.observe(value);
        }
        fitter.finish().unwrap()
    }

    #[test]
    fn numbers_are_strict() {
        assert_eq!(parse_number(""), Ok(None));
        assert_eq!(parse_number("-1.5e3"), Ok(Some(-1500.0)));
        assert_eq!(parse_number("3.4e38"), Ok(Some(3.4e38)));
        for text in [" 1", "1 ", "1,5", "nan", "NaN", "inf", "-infinity", "3.5e38", "1e400", "x", "0x10", "1_000"] {
            assert_eq!(parse_number(text), Err(NUMBER), "{text}");
        }
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
        let mut fitter = NumericFitter::new(Scaling::Standard);
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
        let mut fitter = NumericFitter::new(Scaling::Standard);
        fitter.observe(Some(f64::NAN));
        assert_eq!(fitter.finish(), None);
    }

    #[test]
    fn stored_numbers_are_checked() {
        let encoder = |json: &str| serde_json::from_str::<NumericEncoder>(json).unwrap();
        let good = encoder(r#"{"mean": 1.0, "scale": "standard", "deviation": 2.0}"#);
        assert_eq!(good.problem(Scaling::Standard), None);
        assert!(good.problem(Scaling::MinMax).unwrap().contains("not fitted for the scale"));
        let negative = encoder(r#"{"mean": 1.0, "scale": "standard", "deviation": -2.0}"#);
        assert_eq!(negative.problem(Scaling::Standard).unwrap(), "the numbers are not in order");
        let turned = encoder(r#"{"mean": 1.0, "scale": "quantile", "quantiles": [2.0, 1.0]}"#);
        assert_eq!(turned.problem(Scaling::Quantile { quantiles: 9 }).unwrap(), "the numbers are not in order");
        let many = encoder(r#"{"mean": 1.0, "scale": "quantile", "quantiles": [1.0, 2.0, 3.0]}"#);
        assert!(many.problem(Scaling::Quantile { quantiles: 2 }).unwrap().contains("not fitted"));
    }
}

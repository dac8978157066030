//! Numbers and their scaling.

use serde::{Deserialize, Serialize};

use crate::checked::Scaling;
use crate::distinct::reference;
use crate::number::Domain;
use crate::schema::Missing;

impl Scaling {
    /// The numbers that can be scaled.
    pub(crate) fn domain(self) -> Domain {
        match self {
            Self::Log1p | Self::Log1pStandard => Domain::AboveMinusOne,
            Self::Standard | Self::MinMax | Self::Quantile { .. } | Self::None => Domain::All,
        }
    }
}

/// Scales the values of one numeric feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NumericEncoder {
    pub(crate) mean: f64,
    /// What stands for a missing value, where it is not the mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) missing: Option<f64>,
    #[serde(flatten)]
    pub(crate) scale: Fitted,
}

/// What a scaling learnt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "scale", rename_all = "snake_case")]
pub(crate) enum Fitted {
    Standard { deviation: f64 },
    MinMax { lowest: f64, highest: f64 },
    Quantile { quantiles: Vec<f64> },
    Log1p,
    Log1pStandard { log_mean: f64, log_deviation: f64 },
    None,
}

impl NumericEncoder {
    /// Mean of the training values that were present.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// What stands for a missing value, before it is scaled.
    pub fn missing(&self) -> f64 {
        self.missing.unwrap_or(self.mean)
    }

    /// The scaled value; `None` is a missing one, and so are NaN and, for a logarithm, what is not above -1.
    ///
    /// - standard: distance from the mean in population standard deviations; 0 for a constant column
    /// - min-max: place between the lowest and highest training value, 0 below, 1 above; 0 for a constant column
    /// - quantile: share of the training values below, linear between quantiles; ties count half; missing
    ///   training values count as what stands for them
    /// - log1p: the natural logarithm of the value plus 1
    /// - log1p-standard: that logarithm's distance from the mean of the logarithms, in their deviations
    /// - none: the value
    pub fn transform(&self, value: Option<f64>) -> f64 {
        let domain = self.domain();
        let present = |value: &f64| !value.is_nan() && (domain == Domain::All || *value > -1.0);
        let value = value.filter(present).unwrap_or_else(|| self.missing());
        match &self.scale {
            Fitted::Standard { deviation } if *deviation > 0.0 => (value - self.mean) / deviation,
            Fitted::MinMax { lowest, highest } if lowest < highest => {
                ((value - lowest) / (highest - lowest)).clamp(0.0, 1.0)
            }
            Fitted::Log1pStandard { log_mean, log_deviation } if *log_deviation > 0.0 => {
                (libm::log1p(value) - log_mean) / log_deviation
            }
            Fitted::Standard { .. } | Fitted::MinMax { .. } | Fitted::Log1pStandard { .. } => 0.0,
            Fitted::Quantile { quantiles } => quantile_rank(quantiles, value),
            Fitted::Log1p => libm::log1p(value),
            Fitted::None => value,
        }
    }

    /// The scaled value as samples hold it. What 32 bits cannot hold becomes the largest that they can.
    pub(crate) fn encode(&self, value: Option<f64>) -> f32 {
        let limit = f64::from(f32::MAX);
        self.transform(value).clamp(-limit, limit) as f32
    }

    pub(crate) fn domain(&self) -> Domain {
        match self.scale {
            Fitted::Log1p | Fitted::Log1pStandard { .. } => Domain::AboveMinusOne,
            _ => Domain::All,
        }
    }

    /// What is wrong with numbers that were read from a file for these settings.
    pub(crate) fn problem(&self, missing: Missing, scaling: Scaling) -> Option<String> {
        let (wanted, numbers): (_, Vec<f64>) = match &self.scale {
            Fitted::Standard { deviation } => (scaling == Scaling::Standard, vec![*deviation]),
            Fitted::MinMax { lowest, highest } => (scaling == Scaling::MinMax, vec![*lowest, *highest]),
            Fitted::Quantile { quantiles } => (
                matches!(scaling, Scaling::Quantile { quantiles: most } if (1..=most).contains(&quantiles.len())),
                quantiles.clone(),
            ),
            Fitted::Log1p => (scaling == Scaling::Log1p, Vec::new()),
            Fitted::Log1pStandard { log_mean, log_deviation } => {
                if !log_mean.is_finite() {
                    return Some("a number is not finite".to_owned());
                }
                (scaling == Scaling::Log1pStandard, vec![*log_deviation])
            }
            Fitted::None => (scaling == Scaling::None, Vec::new()),
        };
        let filled = match (missing, self.missing) {
            (Missing::Mean, None) | (Missing::Median, Some(_)) => true,
            (Missing::Constant(wanted), Some(found)) => wanted.to_bits() == found.to_bits(),
            _ => false,
        };
        if !wanted {
            return Some("what is stored was not fitted for the scale of the schema".to_owned());
        }
        if !filled {
            return Some("what stands for a missing number is not what the schema says".to_owned());
        }
        if !self.mean.is_finite() || numbers.iter().any(|number| !number.is_finite()) {
            return Some("a number is not finite".to_owned());
        }
        if self.domain().check(self.missing()).is_err() {
            return Some("what stands for a missing number is none that can be scaled".to_owned());
        }
        let deviation = match self.scale {
            Fitted::Standard { deviation } | Fitted::Log1pStandard { log_deviation: deviation, .. } => deviation,
            _ => 0.0,
        };
        (!numbers.is_sorted() || deviation < 0.0).then(|| "the numbers are not in order".to_owned())
    }

    /// The fitted numbers in words.
    pub(crate) fn describe(&self) -> String {
        let mean = self.mean;
        let mut words = match &self.scale {
            Fitted::Standard { deviation } => format!("standard: mean {mean}, deviation {deviation}"),
            Fitted::MinMax { lowest, highest } => format!("min_max: {lowest} to {highest}, mean {mean}"),
            Fitted::Quantile { quantiles } => format!("quantile: {} quantiles, mean {mean}", quantiles.len()),
            Fitted::Log1p => format!("log1p: mean {mean}"),
            Fitted::Log1pStandard { log_mean, log_deviation } => {
                format!("log1p_standard: mean {log_mean}, deviation {log_deviation} of the logarithms, mean {mean}")
            }
            Fitted::None => format!("none: mean {mean}"),
        };
        if let Some(missing) = self.missing {
            words.push_str(&format!(", missing as {missing}"));
        }
        words
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

//! Dice, the activation of the Deep Interest Network.

mod fused;

use fain_autograd::widened;
use serde::{Deserialize, Serialize};
use tch::{Tensor, nn};

use crate::error::check_shape;
use crate::{BatchNorm, BatchNormConfig, Execution, LayerError, Mode};

/// torch-rechub's ε.
pub(crate) const PER_SAMPLE_EPSILON: f64 = 1e-3;

/// Which published form of [`Dice`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiceVariant {
    /// Deep Interest Network, eq. (9): normalisation without a learned scale and shift.
    #[default]
    Paper,
    /// The normalisation has a learned scale and shift, as in many PyTorch programs.
    Affine,
    /// Statistics of each row over its units instead of each unit over the batch, as in torch-rechub:
    /// `p(x) = σ((x − m) / √(Σ_j ((x_j − m)² + ε)))` with the row's mean `m`, a sum in place of the variance, and
    /// `ε = 1e-3`. One `α` for all units. Training and evaluation are the same.
    PerSample,
}

/// Data-adaptive PReLU: the point where the slope changes follows the distribution of the input.
///
/// `p(x) = σ((x − E[x]) / √(Var[x] + ε))`, `y = p·x + (1 − p)·α·x`, with `ε = 1e-8`.
/// Deep Interest Network, eq. (8) and (9), <https://arxiv.org/abs/1706.06978>.
/// In evaluation the running statistics stand in for the batch's, as the paper says.
/// Parameters: `alpha` `[H]`, started at 0; the normalisation's under `bn`. With [`DiceVariant::PerSample`] `alpha`
/// alone, `[1]`, drawn from a standard normal distribution as in torch-rechub.
#[derive(Debug)]
pub struct Dice {
    alpha: Tensor,
    /// None where each row has its own statistics.
    norm: Option<BatchNorm>,
    channels: i64,
    execution: Execution,
}

impl Dice {
    /// Registers parameters and buffers for `channels` channels.
    ///
    /// # Errors
    /// [`LayerError::Config`] when `channels` is not positive.
    pub fn new(variables: &nn::Path<'_>, channels: i64, variant: DiceVariant) -> Result<Self, LayerError> {
        if channels < 1 {
            return Err(LayerError::Config { field: "channels", value: channels.to_string(), allowed: "at least 1" });
        }
        let execution = Execution::default();
        if variant == DiceVariant::PerSample {
            let init = nn::Init::Randn { mean: 0.0, stdev: 1.0 };
            return Ok(Self { alpha: variables.f_var("alpha", &[1], init)?, norm: None, channels, execution });
        }
        let config =
            BatchNormConfig { epsilon: 1e-8, affine: variant == DiceVariant::Affine, ..BatchNormConfig::default() };
        let norm = Some(BatchNorm::new(&(variables / "bn"), channels, config)?);
        Ok(Self { alpha: variables.f_var("alpha", &[channels], nn::Init::Const(0.0))?, norm, channels, execution })
    }

    /// `α`, `[H]`, or `[1]` with [`DiceVariant::PerSample`].
    pub(crate) fn alpha(&self) -> &Tensor {
        &self.alpha
    }

    /// The normalisation; `None` with [`DiceVariant::PerSample`].
    pub(crate) fn norm(&self) -> Option<&BatchNorm> {
        self.norm.as_ref()
    }

    /// Chooses how it is computed.
    #[must_use]
    pub fn with_execution(mut self, execution: Execution) -> Self {
        self.norm = self.norm.map(|norm| norm.with_execution(execution));
        self.execution = execution;
        self
    }

    /// Whether a batch of `rows` rows has statistics, for callers that compute something else before.
    ///
    /// # Errors
    /// [`LayerError::TooFewRows`], as [`Dice::forward`].
    pub fn check_rows(&self, rows: i64, mode: Mode) -> Result<(), LayerError> {
        self.norm.as_ref().map_or(Ok(()), |norm| norm.check_rows(rows, mode))
    }

    /// Under autocast, statistics and result are float32.
    ///
    /// # Shapes
    /// - `input` `[B, H]` → `[B, H]`
    ///
    /// # Errors
    /// [`LayerError::TooFewRows`] for fewer than two rows in training, except with [`DiceVariant::PerSample`];
    /// [`LayerError::Shape`] when the width differs.
    pub fn forward(&self, input: &Tensor, mode: Mode) -> Result<Tensor, LayerError> {
        let input = &widened(input)?;
        let normalized = if let Some(norm) = &self.norm {
            if let Some(output) = norm.fused(input, Some(&self.alpha), mode)? {
                return Ok(output);
            }
            norm.forward(input, mode)?
        } else {
            check_shape("input", input, &[None, Some(self.channels)], "[B, H]")?;
            if self.execution == Execution::Auto && fused::applies(input, &self.alpha) {
                return fused::per_sample(input, &self.alpha);
            }
            self.normalize_rows(input)?
        };
        let share = normalized.f_sigmoid()?;
        // p·x + (1 − p)·α·x = (α + p·(1 − α))·x: one pass fewer over the input.
        let slope = share.f_mul(&self.alpha.f_neg()?.f_add_scalar(1.0)?)?.f_add(&self.alpha)?;
        Ok(slope.f_mul(input)?)
    }

    /// Each row by its own mean and spread.
    fn normalize_rows(&self, input: &Tensor) -> Result<Tensor, LayerError> {
        let units = [1i64].as_slice();
        let centred = input.f_sub(&input.f_mean_dim(units, true, input.kind())?)?;
        let squares = centred.f_square()?.f_sum_dim_intlist(units, true, input.kind())?;
        let spread = squares.f_add_scalar(PER_SAMPLE_EPSILON * self.channels as f64)?.f_sqrt()?;
        Ok(centred.f_div(&spread)?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use proptest::prelude::*;
    use tch::{Device, Kind};

    use super::*;

    fn numbers(tensor: &Tensor) -> Vec<f64> {
        Vec::<f64>::try_from(tensor.detach().to_kind(Kind::Double).reshape([-1])).unwrap()
    }

    /// The activation per row with this slope, and its variables.
    fn per_sample(channels: i64, alpha: f64, kind: Kind) -> (nn::VarStore, Dice) {
        let mut store = nn::VarStore::new(Device::Cpu);
        let dice = Dice::new(&store.root(), channels, DiceVariant::PerSample).unwrap();
        store.set_kind(kind);
        let _ = tch::no_grad(|| dice.alpha.shallow_clone().fill_(alpha));
        (store, dice)
    }

    /// Random rows of equal width, a slope, and weights of a loss.
    fn rows() -> impl Strategy<Value = (i64, Vec<f64>, f64)> {
        (1i64..9, 0usize..6).prop_flat_map(|(width, rows)| {
            (Just(width), prop::collection::vec(-4.0..4.0, rows * width as usize), -1.0..1.0)
        })
    }

    /// `y_i` and `Σ_i (i + 1) y_i`'s gradients with respect to the input and α.
    fn run(width: i64, values: &[f64], alpha: f64, kind: Kind, mode: Mode) -> [Vec<f64>; 3] {
        let (_store, dice) = per_sample(width, alpha, kind);
        let input = Tensor::from_slice(values).reshape([-1, width]).to_kind(kind).set_requires_grad(true);
        let output = dice.forward(&input, mode).unwrap();
        let weights = Tensor::arange_start(1, 1 + values.len() as i64, (kind, Device::Cpu)).reshape([-1, width]);
        (&output * weights).sum(kind).backward();
        [numbers(&output), numbers(&input.grad()), numbers(&dice.alpha.grad())]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn per_sample_is_its_definition((width, values, alpha) in rows()) {
            let [output, _, _] = run(width, &values, alpha, Kind::Double, Mode::Training);
            for (row, got) in values.chunks(width as usize).zip(output.chunks(width as usize)) {
                let mean = row.iter().sum::<f64>() / row.len() as f64;
                let spread: f64 = row.iter().map(|x| (x - mean).powi(2) + 1e-3).sum();
                for (x, got) in row.iter().zip(got) {
                    let share = 1.0 / (1.0 + (-(x - mean) / spread.sqrt()).exp());
                    prop_assert!((share * x + (1.0 - share) * alpha * x - got).abs() < 1e-12);
                }
            }
        }

        #[test]
        fn per_sample_agrees_in_float_and_double_and_in_both_modes((width, values, alpha) in rows()) {
            // What both can hold.
            let values: Vec<f64> = values.iter().map(|&value| f64::from(value as f32)).collect();
            let alpha = f64::from(alpha as f32);
            let double = run(width, &values, alpha, Kind::Double, Mode::Training);
            prop_assert_eq!(&double, &run(width, &values, alpha, Kind::Double, Mode::Evaluation));
            let single = run(width, &values, alpha, Kind::Float, Mode::Training);
            for (single, double) in single.iter().flatten().zip(double.iter().flatten()) {
                prop_assert!((single - double).abs() < 2e-4 * (1.0 + double.abs()), "{single} {double}");
            }
        }

        #[test]
        fn per_sample_gradients_equal_finite_differences((width, values, alpha) in rows()) {
            let [_, by_input, by_alpha] = run(width, &values, alpha, Kind::Double, Mode::Training);
            let loss = |values: &[f64], alpha: f64| -> f64 {
                let [output, _, _] = run(width, values, alpha, Kind::Double, Mode::Training);
                output.iter().zip(1u32..).map(|(y, weight)| y * f64::from(weight)).sum()
            };
            let step = 1e-6;
            for index in 0..values.len() {
                let moved = |delta: f64| {
                    let mut moved = values.clone();
                    moved[index] += delta;
                    loss(&moved, alpha)
                };
                let slope = (moved(step) - moved(-step)) / (2.0 * step);
                prop_assert!((by_input[index] - slope).abs() < 1e-6 * (1.0 + slope.abs()));
            }
            let slope = (loss(&values, alpha + step) - loss(&values, alpha - step)) / (2.0 * step);
            prop_assert!((by_alpha[0] - slope).abs() < 1e-6 * (1.0 + slope.abs()));
        }
    }

    #[test]
    fn widths_are_checked() {
        let (_store, dice) = per_sample(2, 0.5, Kind::Float);
        let error = dice.forward(&Tensor::zeros([1, 3], (Kind::Float, Device::Cpu)), Mode::Training).unwrap_err();
        assert_eq!(error.to_string(), "input has shape [1, 3], but [B, H] = [any, 2] is needed");
        let store = nn::VarStore::new(Device::Cpu);
        for variant in [DiceVariant::Paper, DiceVariant::PerSample] {
            let error = Dice::new(&store.root(), 0, variant).unwrap_err().to_string();
            assert_eq!(error, "channels = 0 is not allowed: at least 1");
        }
        assert!(store.is_empty());
    }
}

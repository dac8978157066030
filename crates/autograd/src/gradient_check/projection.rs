//! Many outputs as one number, by fixed weights.

use tch::{Kind, TchError, Tensor};

use super::GradientError;

/// A weight for each entry of each output that counts.
pub(super) struct Projection {
    /// By output; none for an output that is left out.
    weights: Vec<Option<Tensor>>,
}

impl Projection {
    /// Weights for the `wanted` outputs.
    pub(super) fn new(outputs: &[Tensor], wanted: impl Fn(&Tensor) -> bool) -> Result<Self, TchError> {
        let mut weights = Vec::with_capacity(outputs.len());
        for (output, tensor) in outputs.iter().enumerate() {
            let weight = || {
                let values: Vec<f64> = (0..tensor.numel()).map(|entry| weight(output, entry)).collect();
                Tensor::f_from_slice(&values)?.f_view(tensor.size().as_slice())?.f_to_device(tensor.device())
            };
            weights.push(wanted(tensor).then(weight).transpose()?);
        }
        Ok(Self { weights })
    }

    /// `Σ w·y`, as a tensor of the graph.
    pub(super) fn apply(&self, outputs: &[Tensor]) -> Result<Tensor, TchError> {
        let mut total = Tensor::f_zeros([0_i64; 0], (Kind::Double, tch::Device::Cpu))?;
        for (weights, output) in self.weights.iter().zip(outputs) {
            if let Some(weights) = weights {
                total = total.f_add(&sum(weights, output)?)?;
            }
        }
        Ok(total)
    }

    /// `Σ w·(y⁺ − y⁻)`: the outputs are subtracted before they are added up, which keeps the rounding small.
    pub(super) fn difference(&self, above: &[Tensor], below: &[Tensor]) -> Result<f64, GradientError> {
        let mut total = 0.0;
        for (output, weights) in self.weights.iter().enumerate() {
            let Some(weights) = weights else { continue };
            let same_shape =
                |outputs: &[Tensor]| outputs.get(output).is_some_and(|found| found.size() == weights.size());
            if !(same_shape(above) && same_shape(below)) {
                return Err(GradientError::Shape { output });
            }
            total += f64::try_from(sum(weights, &above[output].f_sub(&below[output])?)?)?;
        }
        Ok(total)
    }
}

fn sum(weights: &Tensor, values: &Tensor) -> Result<Tensor, TchError> {
    weights.f_mul(values)?.f_sum(Kind::Double)?.f_to_device(tch::Device::Cpu)
}

/// A number between 0.5 and 1.5, as if random: the `SplitMix64` generator's output function on the entry's place. Never
/// near 0, so that no output is overlooked.
fn weight(output: usize, entry: usize) -> f64 {
    let mut bits = ((output as u64) << 40 ^ entry as u64).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^= bits >> 31;
    0.5 + (bits >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_spread_over_their_range_and_differ() {
        let mut all: Vec<f64> = (0..4).flat_map(|output| (0..256).map(move |entry| weight(output, entry))).collect();
        assert!(all.iter().all(|weight| (0.5..1.5).contains(weight)));
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        assert!((mean - 1.0).abs() < 0.03, "{mean}");
        all.sort_by(f64::total_cmp);
        all.dedup();
        assert_eq!(all.len(), 4 * 256);
    }
}

//! The loss of clicks.

use fain_autograd::{Buffer, Context, Function, SliceError, apply, slice};
use tch::{Device, Kind, Reduction, TchError, Tensor};
use thiserror::Error;

use crate::TrainingError;

/// The mean binary cross-entropy of `labels` `[B]` from `logits` `[B]`.
///
/// In float32 on the CPU it is one function, which finds loss and gradient in one pass; otherwise it is libtorch's
/// operations, more than a dozen in both directions.
pub(crate) fn click_loss(logits: &Tensor, labels: &Tensor) -> Result<Tensor, TrainingError> {
    let flat = |tensor: &Tensor| tensor.device() == Device::Cpu && tensor.kind() == Kind::Float && tensor.dim() == 1;
    if flat(logits) && flat(labels) && logits.numel() == labels.numel() && logits.numel() > 0 {
        let (logits, labels) = (logits.f_contiguous()?, labels.f_contiguous()?);
        return Ok(apply(ClickLoss, &[&logits, &labels])?.swap_remove(0));
    }
    Ok(logits.f_binary_cross_entropy_with_logits::<Tensor>(labels, None, None, Reduction::Mean)?)
}

/// `ℓ = mean(max(x, 0) − xy + ln(1 + e^−|x|))`, `∂ℓ/∂x = (σ(x) − y)/B`.
struct ClickLoss;

#[derive(Debug, Error)]
enum ClickLossError {
    #[error(transparent)]
    Slice(#[from] SliceError),
    #[error(transparent)]
    Torch(#[from] TchError),
}

impl Function for ClickLoss {
    type Error = ClickLossError;

    fn forward(&mut self, context: &mut Context<'_>, inputs: &[Tensor]) -> Result<Vec<Tensor>, ClickLossError> {
        let (logits, labels) = (slice::<f32>(&inputs[0])?, slice::<f32>(&inputs[1])?);
        let mut gradient = Buffer::<f32>::unspecified(&inputs[0].size())?;
        let (rows, mut sum) = (logits.len() as f64, 0.0);
        for ((gradient, &logit), &label) in gradient.as_mut_slice().iter_mut().zip(logits).zip(labels) {
            let (logit, label) = (f64::from(logit), f64::from(label));
            // Never above 1, so that nothing overflows.
            let small = (-logit.abs()).exp();
            sum += logit.max(0.0) - logit * label + small.ln_1p();
            let probability = if logit < 0.0 { small } else { 1.0 } / (1.0 + small);
            *gradient = ((probability - label) / rows) as f32;
        }
        context.save_for_backward(&[&gradient.into_tensor()]);
        let mut loss = Buffer::<f32>::unspecified(&[])?;
        loss.as_mut_slice().fill((sum / rows) as f32);
        Ok(vec![loss.into_tensor()])
    }

    fn backward(
        &mut self,
        saved: &[Tensor],
        gradients: &[Option<Tensor>],
    ) -> Result<Vec<Option<Tensor>>, ClickLossError> {
        let gradient = gradients.first().and_then(Option::as_ref);
        Ok(vec![gradient.map(|gradient| saved[0].f_mul(gradient)).transpose()?, None])
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use proptest::prelude::*;

    use super::*;

    /// The loss times 3, and its gradient.
    fn of(loss: impl Fn(&Tensor, &Tensor) -> Tensor, logits: &[f32], labels: &[f32]) -> (f64, Vec<f64>) {
        let logits = Tensor::from_slice(logits).set_requires_grad(true);
        let loss = loss(&logits, &Tensor::from_slice(labels)) * 3.0;
        loss.backward();
        (f64::try_from(&loss).unwrap(), Vec::try_from(logits.grad().to_kind(Kind::Double)).unwrap())
    }

    fn libtorchs(logits: &Tensor, labels: &Tensor) -> Tensor {
        logits.binary_cross_entropy_with_logits::<Tensor>(labels, None, None, Reduction::Mean)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn it_is_libtorchs(
            samples in prop::collection::vec((-30.0..30.0f32, prop_oneof![Just(0.0f32), Just(1.0), 0.0..1.0f32]), 1..40),
        ) {
            let (logits, labels): (Vec<f32>, Vec<f32>) = samples.into_iter().unzip();
            let (ours, our_gradient) = of(|logits, labels| click_loss(logits, labels).unwrap(), &logits, &labels);
            let (theirs, their_gradient) = of(libtorchs, &logits, &labels);
            prop_assert!((ours - theirs).abs() < 1e-5 * theirs.max(1.0), "{} {}", ours, theirs);
            for (ours, theirs) in our_gradient.iter().zip(&their_gradient) {
                prop_assert!((ours - theirs).abs() < 1e-6, "{} {}", ours, theirs);
            }
        }
    }

    #[test]
    fn logits_without_bounds_have_a_loss() {
        let (loss, gradient) = of(|logits, labels| click_loss(logits, labels).unwrap(), &[1e30, -1e30], &[1.0, 0.0]);
        assert_eq!((loss, gradient), (0.0, vec![0.0, 0.0]));
        let (loss, gradient) = of(|logits, labels| click_loss(logits, labels).unwrap(), &[200.0, -300.0], &[0.0, 1.0]);
        assert_eq!((loss, gradient), (750.0, vec![1.5, -1.5]));
        let (loss, _) = of(|logits, labels| click_loss(logits, labels).unwrap(), &[f32::NAN], &[1.0]);
        assert!(loss.is_nan());
    }

    #[test]
    fn other_kinds_are_libtorchs() {
        let (logits, labels) = (Tensor::from_slice(&[0.5, -2.0]), Tensor::from_slice(&[1.0, 0.0]));
        assert_eq!(click_loss(&logits, &labels).unwrap(), libtorchs(&logits, &labels));
        assert!(click_loss(&logits, &Tensor::from_slice(&[1.0])).is_err());
    }
}

//! Gradients against finite differences.

use fain_layers::LayerError;
use tch::{Kind, Tensor};

use crate::GoldenError;
use crate::inputs::gradient;

const STEP: f64 = 1e-6;
/// Entries of a tensor that are moved, spread over it.
const PROBES: usize = 4;

/// Compares the gradients of `loss` with respect to `leaves`, float64 tensors by name, with the slopes to both sides.
///
/// A gradient must lie between the two: at a kink of ReLU or PReLU they differ, and either is right. A leaf that the
/// loss does not depend on has a gradient of zero.
///
/// # Errors
/// [`GoldenError::Gradient`] for the first entry that differs; what `loss` refuses.
pub fn check_slopes(
    leaves: &[(&str, &Tensor)],
    loss: impl Fn() -> Result<Tensor, LayerError>,
) -> Result<(), GoldenError> {
    let at = || -> Result<f64, GoldenError> { Ok(f64::try_from(tch::no_grad(&loss)?)?) };
    for (_, leaf) in leaves {
        leaf.shallow_clone().zero_grad();
    }
    let total = loss()?;
    if total.requires_grad() {
        total.f_backward()?;
    }
    let here = at()?;
    for &(name, leaf) in leaves {
        let gradient = Vec::<f64>::try_from(gradient(leaf)?.f_to_kind(Kind::Double)?.f_reshape([-1])?)?;
        for index in (0..leaf.numel()).step_by(leaf.numel().div_ceil(PROBES).max(1)) {
            move_entry(leaf, index, STEP)?;
            let above = at()?;
            move_entry(leaf, index, -2.0 * STEP)?;
            let below = at()?;
            move_entry(leaf, index, STEP)?;
            let slopes = [(above - here) / STEP, (here - below) / STEP];
            let (low, high) = (slopes[0].min(slopes[1]), slopes[0].max(slopes[1]));
            let (got, allowed) = (gradient[index], 1e-6 * (1.0 + high.abs().max(low.abs())));
            // A NaN is outside of every interval.
            if !(low - allowed..=high + allowed).contains(&got) {
                return Err(GoldenError::Gradient { tensor: name.to_owned(), entry: index, got, low, high });
            }
        }
    }
    Ok(())
}

/// Adds `delta` to one entry of a leaf.
fn move_entry(leaf: &Tensor, index: usize, delta: f64) -> Result<(), GoldenError> {
    tch::no_grad(|| {
        let mut entry = leaf.f_view([-1])?.f_get(index as i64)?;
        let _moved = entry.f_add_scalar_(delta)?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn a_wrong_gradient_is_found() {
        let leaf = Tensor::from_slice(&[1.0, -2.0]).set_requires_grad(true);
        let other = Tensor::from_slice(&[3.0]).set_requires_grad(true);
        let leaves = [("leaf", &leaf), ("other", &other)];
        check_slopes(&leaves, || Ok(leaf.f_square()?.f_sum(Kind::Double)?)).unwrap();
        // Half of the square does not flow back.
        let wrong = || Ok(leaf.f_mul(&leaf.f_detach()?)?.f_sum(Kind::Double)?);
        let error = check_slopes(&leaves, wrong).unwrap_err().to_string();
        assert!(error.starts_with("gradient of leaf[0] is 1, but the slopes are 1.99999"), "{error}");
        // At a kink either slope is right.
        let kink = Tensor::from_slice(&[0.0]).set_requires_grad(true);
        check_slopes(&[("kink", &kink)], || Ok(kink.f_relu()?.f_sum(Kind::Double)?)).unwrap();
    }
}

//! Gradients against finite differences.

use tch::{Kind, Tensor};

use crate::batch::{numbers, tensor};

const STEP: f64 = 1e-6;
/// Entries of a tensor that are moved, spread over it.
const PROBES: usize = 4;

/// Compares the gradient of a weighted sum of `forward`'s result with the slopes to both sides of each leaf.
///
/// A gradient must lie between the two: at a kink of ReLU they differ, and either is right.
#[track_caller]
pub(crate) fn check<'a>(leaves: impl IntoIterator<Item = (&'a str, &'a Tensor)>, forward: impl Fn() -> Tensor) {
    let weights = tch::no_grad(|| tensor(5, &forward().size()));
    let loss = || (forward() * &weights).sum(Kind::Double);
    let at = || tch::no_grad(|| f64::try_from(loss()).unwrap());
    let leaves: Vec<(&str, &Tensor)> = leaves.into_iter().collect();
    for (_, leaf) in &leaves {
        let _leaf = leaf.set_requires_grad(true);
        leaf.shallow_clone().zero_grad();
    }
    loss().backward();
    let here = at();
    for (name, leaf) in leaves {
        let gradient = leaf.grad();
        // Without events nothing depends on some of the leaves, and libtorch leaves their gradient out.
        let gradient = if gradient.defined() { numbers(&gradient) } else { vec![0.0; leaf.numel()] };
        for index in (0..leaf.numel()).step_by(leaf.numel().div_ceil(PROBES).max(1)) {
            let entry = |delta: f64| move_entry(leaf, index, delta);
            entry(STEP);
            let above = at();
            entry(-2.0 * STEP);
            let below = at();
            entry(STEP);
            let slopes = [(above - here) / STEP, (here - below) / STEP];
            let (low, high) = (slopes[0].min(slopes[1]), slopes[0].max(slopes[1]));
            let (got, allowed) = (gradient[index], 1e-5 * (1.0 + high.abs().max(low.abs())));
            // A NaN is outside of every interval.
            let within = (low - allowed..=high + allowed).contains(&got);
            assert!(within, "{name}[{index}]: gradient {got}, slopes {low} to {high}");
        }
    }
}

/// Adds `delta` to one entry of a leaf.
fn move_entry(leaf: &Tensor, index: usize, delta: f64) {
    tch::no_grad(|| {
        let mut entry = leaf.view([-1]).get(index as i64);
        let _moved = entry.g_add_scalar_(delta);
    });
}

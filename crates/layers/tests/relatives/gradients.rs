//! Gradients against finite differences.

use fain_autograd::{GradientCheck, check_leaves};
use tch::{TchError, Tensor};

/// Some entries of each leaf; layers have kinks, and sums over many events round.
const OPTIONS: GradientCheck = GradientCheck { step: 1e-6, absolute: 1e-5, relative: 1e-5, entries: 4, kinks: true };

/// Compares the gradient of `forward`'s result with the slopes to both sides of each leaf.
#[track_caller]
pub(crate) fn check<'a>(leaves: impl IntoIterator<Item = (&'a str, &'a Tensor)>, forward: impl Fn() -> Tensor) {
    let leaves: Vec<(&str, &Tensor)> = leaves.into_iter().collect();
    for (_, leaf) in &leaves {
        let _leaf = leaf.set_requires_grad(true);
    }
    check_leaves(|| Ok::<_, TchError>(forward()), &leaves, &OPTIONS).unwrap();
}

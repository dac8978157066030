//! Gradients against finite differences.

use fain_layers::Mode;
use tch::{Kind, Tensor};

use crate::problem::{Layer, Problem, numbers};

const STEP: f64 = 1e-6;
/// Entries of a tensor that are moved, spread over it.
const PROBES: usize = 4;

/// Compares the gradients of candidate, history and every parameter with the slopes to both sides.
///
/// A gradient must lie between the two: at a kink of ReLU or PReLU they differ, and either is right.
pub(crate) fn check(problem: &Problem, layer: &Layer, mode: Mode) -> Result<(), String> {
    let candidate = problem.candidate(layer, Kind::Double).set_requires_grad(true);
    let values = problem.values(Kind::Double).set_requires_grad(true);
    let weights = problem.loss_weights(Kind::Double);
    let history = problem.history(&values);
    let loss = || (layer.attention.forward(&candidate, &history, mode).unwrap() * &weights).sum(Kind::Double);
    let at = || tch::no_grad(|| f64::try_from(loss()).unwrap());

    loss().backward();
    let here = at();
    let mut leaves = vec![("candidate", &candidate), ("history", &values)];
    leaves.extend(
        layer
            .variables
            .iter()
            .filter(|(_, variable)| variable.requires_grad())
            .map(|(name, variable)| (name.as_str(), variable)),
    );
    for (name, leaf) in leaves {
        let gradient = leaf.grad();
        // Without events nothing depends on the candidate or the parameters, and libtorch leaves their gradient out.
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
            let (got, allowed) = (gradient[index], 1e-6 * (1.0 + high.abs().max(low.abs())));
            // A NaN is outside of every interval.
            if !(low - allowed..=high + allowed).contains(&got) {
                return Err(format!("{name}[{index}]: gradient {got}, slopes {low} to {high}"));
            }
        }
    }
    Ok(())
}

/// Adds `delta` to one entry of a leaf.
fn move_entry(leaf: &Tensor, index: usize, delta: f64) {
    tch::no_grad(|| {
        let mut entry = leaf.view([-1]).get(index as i64);
        let _moved = entry.g_add_scalar_(delta);
    });
}

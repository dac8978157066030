//! Gradients against finite differences.

use fain_autograd::{GradientCheck, GradientError, GradientReport, check_leaves};
use fain_layers::Mode;
use tch::Kind;

use crate::problem::{Layer, Problem};

/// Some entries of each leaf; layers have kinks.
const SLOPES: GradientCheck = GradientCheck { step: 1e-6, absolute: 1e-6, relative: 1e-6, entries: 4, kinks: true };

/// Compares the gradients of candidate, history and every parameter with the slopes to both sides.
pub(crate) fn check(problem: &Problem, layer: &Layer, mode: Mode) -> Result<GradientReport, GradientError> {
    let candidate = problem.candidate(layer, Kind::Double).set_requires_grad(true);
    let values = problem.values(Kind::Double).set_requires_grad(true);
    let history = problem.history(&values);
    let mut leaves = vec![("candidate", &candidate), ("history", &values)];
    let parameters = layer.variables.iter().filter(|(_, variable)| variable.requires_grad());
    leaves.extend(parameters.map(|(name, variable)| (name.as_str(), variable)));
    check_leaves(|| layer.attention.forward(&candidate, &history, mode), &leaves, &SLOPES)
}

//! Gradients against finite differences.

use fain_layers::Mode;
use fain_tests::{GoldenError, check_slopes};
use tch::Kind;

use crate::problem::{Layer, Problem};

/// Compares the gradients of candidate, history and every parameter with the slopes to both sides.
pub(crate) fn check(problem: &Problem, layer: &Layer, mode: Mode) -> Result<(), GoldenError> {
    let candidate = problem.candidate(layer, Kind::Double).set_requires_grad(true);
    let values = problem.values(Kind::Double).set_requires_grad(true);
    let weights = problem.loss_weights(Kind::Double);
    let history = problem.history(&values);
    let mut leaves = vec![("candidate", &candidate), ("history", &values)];
    let parameters = layer.variables.iter().filter(|(_, variable)| variable.requires_grad());
    leaves.extend(parameters.map(|(name, variable)| (name.as_str(), variable)));
    check_slopes(&leaves, || Ok((layer.attention.forward(&candidate, &history, mode)? * &weights).sum(Kind::Double)))
}

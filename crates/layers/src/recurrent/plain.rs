//! The gated recurrences in libtorch's operations. This is their definition.

use fain_autograd::widened;
use tch::Tensor;

use super::config::ResetGate;
use super::gated::Gated;
use super::unroll::Steps;
use super::update::Update;
use crate::{Jagged, LayerError};

/// The states after each event, jagged `[N, H]`; there is at least one event.
pub(super) fn forward(
    gated: &Gated,
    inputs: &Jagged,
    update: Update<&Tensor>,
    initial: Option<&Tensor>,
) -> Result<Jagged, LayerError> {
    let steps = Steps::new(inputs.layout())?;
    // The input's share of all gates at all steps is one product.
    let projected = steps.pack(inputs.values())?.f_linear(&gated.input_weight, gated.input_bias())?;
    let projected = steps.split_packed(&widened(&projected)?)?;
    let update = update.try_map(|scores| steps.split(scores))?;
    let cell = Cell::new(gated, update.gates())?;
    let initial = steps.initial(initial, inputs, gated.hidden)?;
    let states = steps.run(&initial, |step, state| cell.step(&projected[step], update.at(step), state))?;
    Jagged::new(states, inputs.layout().clone())
}

/// The parameters that meet the state.
struct Cell {
    hidden: i64,
    /// How many gates there are beside the candidate.
    others: i64,
    product: StateProduct,
}

/// How the state enters the gates.
enum StateProduct {
    /// All gates and the candidate at once.
    Together(Affine),
    /// The gates first, the candidate once the reset gate is known.
    CandidateLast { gates: Affine, candidate: Affine },
}

/// `U h + c`
struct Affine {
    weight: Tensor,
    bias: Option<Tensor>,
}

impl Affine {
    fn apply(&self, state: &Tensor) -> Result<Tensor, LayerError> {
        Ok(widened(&state.f_linear(&self.weight, self.bias.as_ref())?)?)
    }
}

impl Cell {
    fn new(gated: &Gated, stacked: i64) -> Result<Self, LayerError> {
        let (hidden, others) = (gated.hidden, stacked - 1);
        let rows = |start: i64, length: i64| -> Result<Affine, LayerError> {
            let part = |tensor: &Tensor| tensor.f_narrow(0, start, length);
            Ok(Affine { weight: part(&gated.state_weight)?, bias: gated.state_bias().map(part).transpose()? })
        };
        let product = match gated.reset {
            ResetGate::After => StateProduct::Together(rows(0, stacked * hidden)?),
            ResetGate::Before => StateProduct::CandidateLast {
                gates: rows(0, others * hidden)?,
                candidate: rows(others * hidden, hidden)?,
            },
        };
        Ok(Self { hidden, others, product })
    }

    /// `projected` `[M, G·H]` is `W x + b`, the scores are `[M, 1]`, `state` `[M, H]` → `[M, H]`.
    fn step(&self, projected: &Tensor, update: Update<&Tensor>, state: &Tensor) -> Result<Tensor, LayerError> {
        let inputs = self.split(projected)?;
        let (gates, candidate) = match &self.product {
            StateProduct::Together(affine) => {
                let states = self.split(&affine.apply(state)?)?;
                let gates = self.gates(&inputs[0], &states[0])?;
                let candidate = inputs[1].f_add(&gates[update.reset()].f_mul(&states[1])?)?;
                (gates, candidate)
            }
            StateProduct::CandidateLast { gates, candidate } => {
                let gates = self.gates(&inputs[0], &gates.apply(state)?)?;
                let product = candidate.apply(&gates[update.reset()].f_mul(state)?)?;
                (gates, inputs[1].f_add(&product)?)
            }
        };
        mix(state, &candidate.f_tanh()?, &gates, update)
    }

    /// Two parts of `[M, G·H]`: all gates, and the candidate.
    fn split(&self, stacked: &Tensor) -> Result<Vec<Tensor>, LayerError> {
        Ok(stacked.f_split_with_sizes([self.others * self.hidden, self.hidden], 1)?)
    }

    /// The gates, `[M, H]` each, in the order of the stack.
    fn gates(&self, inputs: &Tensor, states: &Tensor) -> Result<Vec<Tensor>, LayerError> {
        Ok(inputs.f_add(states)?.f_sigmoid()?.f_split(self.hidden, 1)?)
    }
}

impl Update<&Tensor> {
    /// Which of the stacked gates resets.
    fn reset(self) -> usize {
        match self {
            Self::Gru | Self::Agru(_) => 0,
            Self::Augru(_) | Self::AugruOfficial(_) => 1,
        }
    }
}

/// The new state: between the old one and the candidate.
///
/// `x.lerp(y, w)` is `(1 − w) x + w y`, and exactly `x` where `w` is 0 and `y` where it is 1.
fn mix(state: &Tensor, candidate: &Tensor, gates: &[Tensor], update: Update<&Tensor>) -> Result<Tensor, LayerError> {
    Ok(match update {
        Update::Gru => candidate.f_lerp_tensor(state, &gates[1])?,
        Update::Agru(scores) => state.f_lerp_tensor(candidate, scores)?,
        Update::Augru(scores) => state.f_lerp_tensor(candidate, &gates[0].f_mul(scores)?)?,
        Update::AugruOfficial(scores) => {
            let kept = gates[0].f_mul(&scores.f_rsub_scalar(1.0)?)?;
            candidate.f_lerp_tensor(state, &kept)?
        }
    })
}

//! What the recurrences with a reset gate share: parameters, checks and the choice of how they are computed.

use std::convert::Infallible;

use fain_autograd::widened;
use tch::{Tensor, nn};

use super::config::{Execution, GruConfig, ResetGate, check_width};
use super::operands::Operands;
use super::recurrence::check_recurrence;
use super::unroll::empty_states;
use super::update::Update;
use super::{cuda, fused, plain};
use crate::error::check_shape;
use crate::{Jagged, JaggedLayout, LayerError};

/// The parameters of a recurrence and how it is computed.
#[derive(Debug)]
pub(super) struct Gated {
    pub(super) hidden: i64,
    pub(super) reset: ResetGate,
    /// `[G·H, D]`
    pub(super) input_weight: Tensor,
    /// `[G·H, H]`
    pub(super) state_weight: Tensor,
    pub(super) biases: Option<Biases>,
    pub(super) inputs: i64,
    execution: Execution,
}

/// `[G·H]` each.
#[derive(Debug)]
pub(super) struct Biases {
    pub(super) input: Tensor,
    pub(super) state: Tensor,
}

impl Gated {
    /// Registers the parameters of `gates` stacked gates, drawn as PyTorch draws those of its recurrent layers: uniform
    /// in `±1/√H`.
    pub(super) fn new(
        variables: &nn::Path<'_>,
        inputs: i64,
        gates: i64,
        config: GruConfig,
    ) -> Result<Self, LayerError> {
        config.check()?;
        check_width("inputs", inputs)?;
        let hidden = config.hidden;
        let rows = gates * hidden;
        let bound = 1.0 / (hidden as f64).sqrt();
        let init = nn::Init::Uniform { lo: -bound, up: bound };
        let input_weight = variables.f_var("weight_ih", &[rows, inputs], init)?;
        let state_weight = variables.f_var("weight_hh", &[rows, hidden], init)?;
        let biases = if config.bias {
            Some(Biases {
                input: variables.f_var("bias_ih", &[rows], init)?,
                state: variables.f_var("bias_hh", &[rows], init)?,
            })
        } else {
            None
        };
        let execution = Execution::default();
        Ok(Self { hidden, reset: config.reset, input_weight, state_weight, biases, inputs, execution })
    }

    pub(super) fn with_execution(self, execution: Execution) -> Self {
        Self { execution, ..self }
    }

    /// The states after each event. `update` has as many gates as the parameters.
    pub(super) fn forward(
        &self,
        inputs: &Jagged,
        update: Update<&Tensor>,
        initial: Option<&Tensor>,
    ) -> Result<Jagged, LayerError> {
        self.run(inputs, update, initial, fused::forward, Ok)
    }

    /// Each sample's last state, `[B, H]`.
    pub(super) fn last(
        &self,
        inputs: &Jagged,
        update: Update<&Tensor>,
        initial: Option<&Tensor>,
    ) -> Result<Tensor, LayerError> {
        self.run(inputs, update, initial, fused::last, |states| states.last())
    }

    /// Computes it by the fused function where there is one, and otherwise takes what is wanted `of` the states.
    fn run<R>(
        &self,
        inputs: &Jagged,
        update: Update<&Tensor>,
        initial: Option<&Tensor>,
        fused: impl FnOnce(Operands<&Tensor>, &Update<&Tensor>, &JaggedLayout) -> Result<R, LayerError>,
        of: impl FnOnce(Jagged) -> Result<R, LayerError>,
    ) -> Result<R, LayerError> {
        let inputs = &Jagged::new(widened(inputs.values())?, inputs.layout().clone())?;
        let (update, initial) = (update.try_map(|scores| widened(scores))?, initial.map(widened).transpose()?);
        let Ok(update) = update.try_map(Ok::<&Tensor, Infallible>);
        let (scores, initial) = (update.scores().copied(), initial.as_ref());
        check_shape("inputs", inputs.values(), &[Some(inputs.layout().events()), Some(self.inputs)], "[N, D]")?;
        check_recurrence(inputs, scores, initial, self.hidden)?;
        let operands = Operands {
            inputs: inputs.values(),
            input_weight: &self.input_weight,
            state_weight: &self.state_weight,
            scores,
            initial,
            input_bias: self.input_bias(),
            state_bias: self.state_bias(),
        };
        if inputs.layout().events() == 0 {
            return of(empty_states(inputs, self.hidden, &operands.into_list())?);
        }
        if self.execution == Execution::Auto && self.reset == ResetGate::After {
            if fused::applies(operands) {
                return fused(operands, &update, inputs.layout());
            }
            if let Some(kernels) = cuda::kernels(operands, &update, inputs.layout()) {
                return of(cuda::forward(kernels, operands, &update, inputs.layout())?);
            }
        }
        of(plain::forward(self, inputs, update, initial)?)
    }

    pub(super) fn input_bias(&self) -> Option<&Tensor> {
        self.biases.as_ref().map(|biases| &biases.input)
    }

    pub(super) fn state_bias(&self) -> Option<&Tensor> {
        self.biases.as_ref().map(|biases| &biases.state)
    }
}

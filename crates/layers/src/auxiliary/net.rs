//! The network of the auxiliary loss.

use fain_autograd::widened;
use tch::{Tensor, nn};

use super::AuxiliaryNetConfig;
use super::fused::{self, Paired};
use crate::{Execution, InputNorm, LayerError, Linear, Mlp, Mode};

/// Says how likely an event follows a state: hidden layers and one output, a logit.
///
/// The authors' code of DIEN, `auxiliary_net`, <https://github.com/mouna99/dien>. There a softmax over two outputs gives
/// the probability; the logistic function of one output, the difference of the two, says the same.
///
/// Parameters: `dense{i}`, `activation{i}`, `output`, and `input_norm` where there is one.
#[derive(Debug)]
pub struct AuxiliaryNet {
    mlp: Mlp,
    output: Linear,
    normalizes: bool,
    execution: Execution,
}

impl AuxiliaryNet {
    /// Registers the network for inputs of width `inputs`.
    ///
    /// # Errors
    /// [`LayerError::Config`] names the setting, its bound and the value got; no variable is registered then.
    pub fn new(variables: &nn::Path<'_>, inputs: i64, config: &AuxiliaryNetConfig) -> Result<Self, LayerError> {
        let mlp = Mlp::new(variables, inputs, &config.mlp())?;
        let output = Linear::new(&(variables / "output"), mlp.outputs(), 1)?;
        let normalizes = config.input_norm != InputNorm::None;
        Ok(Self { mlp, output, normalizes, execution: Execution::default() })
    }

    /// Chooses how it is computed.
    #[must_use]
    pub fn with_execution(mut self, execution: Execution) -> Self {
        self.mlp = self.mlp.with_execution(execution);
        self.execution = execution;
        self
    }

    /// # Shapes
    /// - `input` `[P, inputs]`, a state and an event side by side → logits `[P, 1]`
    ///
    /// # Errors
    /// [`LayerError::Shape`] when the width differs; [`LayerError::TooFewRows`] where batch statistics need more rows.
    pub fn forward(&self, input: &Tensor, mode: Mode) -> Result<Tensor, LayerError> {
        Ok(widened(&self.output.forward(&self.mlp.forward(input, mode)?)?)?)
    }

    /// The mean over `2P` entries of `−log σ(z)` for the clicks and `−log(1 − σ(z))` for the others, where `z` is the
    /// logit of a state and an event, times a factor: net and loss together. `None` where they are to be computed by plain
    /// operations, or can only be: there are kernels on the CPU, in float32 and float64, for a net whose layers the
    /// logistic function follows, without normalisation.
    ///
    /// # Shapes
    /// - `states` `[N, H]`; `clicks` and `others` `[N, D]`; at least one pair → a scalar
    pub(super) fn mean_loss(&self, paired: &Paired<'_>, rows: [&Tensor; 3]) -> Result<Option<Tensor>, LayerError> {
        let (Execution::Auto, Some(mut layers)) = (self.execution, self.mlp.logistic_layers()) else {
            return Ok(None);
        };
        layers.push(&self.output);
        fused::mean_loss(paired, rows, &layers)
    }

    /// The logits of each state with each of its events.
    ///
    /// The first layer is computed split, `W·[h, e] = Wh·h + We·e`, and `Wh·h` once for all events of a state. It is
    /// exact. Only a normalisation of the input needs the two side by side.
    ///
    /// # Shapes
    /// - `states` `[P, H]`; `events` `[K · P, D]`: `K` times an event for each state → `[K · P, 1]`
    pub(super) fn forward_split(&self, states: &Tensor, events: &Tensor, mode: Mode) -> Result<Tensor, LayerError> {
        let (pairs, width, all) = (states.size()[0], states.size()[1], events.size()[0]);
        if self.normalizes {
            let states = states.f_repeat([all / pairs, 1])?;
            return self.forward(&Tensor::f_cat(&[&states, events], 1)?, mode);
        }
        let first = self.mlp.first();
        let (of_states, of_events) =
            (first.weight().f_narrow(1, 0, width)?, first.weight().f_narrow(1, width, events.size()[1])?);
        let once = states.f_linear(&of_states, Some(first.bias()))?;
        let mut hidden = events.f_view([all / pairs, pairs, -1])?.f_linear(&of_events, None::<&Tensor>)?;
        // In place: nothing else holds the product, and its backward does not read it.
        let hidden = hidden.f_add_(&once)?.f_view([all, -1])?;
        Ok(widened(&self.output.forward(&self.mlp.forward_from_first(hidden, mode)?)?)?)
    }
}

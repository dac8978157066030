//! The auxiliary loss of DIEN's interest extractor.

mod config;
mod fused;
mod net;

use tch::{Reduction, Tensor, nn};

use fused::Paired;

pub use config::{AuxiliaryAverage, AuxiliaryLossConfig, AuxiliaryNetConfig, AuxiliaryScorer};
pub use net::AuxiliaryNet;

use crate::error::{check_lengths, check_shape};
use crate::{Execution, Jagged, LayerError, Mode};

#[derive(Debug)]
enum Scorer {
    Net(AuxiliaryNet),
    InnerProduct(Execution),
}

/// Teaches the state after an event to foretell the next one: to tell the event that followed from one that did not.
///
/// For the states `h_t`, the events `e_{t+1}` that followed and the events `ê_{t+1}` that did not,
/// `L_aux = −mean(log σ(h_t, e_{t+1}) + log(1 − σ(h_t, ê_{t+1})))`; Deep Interest Evolution Network, section 4.2,
/// <https://arxiv.org/abs/1809.03672>. It is computed from logits, so that no probability saturates.
///
/// The mean is over the pairs of the batch that exist: events and their successors. (The authors' code divides by all
/// places of the padded batch instead, so that a loss there depends on the longest history.)
///
/// Parameters: those of [`AuxiliaryNet`]; none for the inner product.
#[derive(Debug)]
pub struct AuxiliaryLoss {
    scorer: Scorer,
    average: AuxiliaryAverage,
    weight: f64,
    state_width: i64,
    event_width: i64,
}

impl AuxiliaryLoss {
    /// Registers the scorer for states of width `state_width` and events of width `event_width`.
    ///
    /// # Errors
    /// [`LayerError::Config`] names the setting, its bound and the value got: those of [`AuxiliaryLossConfig::check`],
    /// widths that are not positive, or the inner product of two widths. No variable is registered then.
    pub fn new(
        variables: &nn::Path<'_>,
        state_width: i64,
        event_width: i64,
        config: &AuxiliaryLossConfig,
    ) -> Result<Self, LayerError> {
        config.check_widths(state_width, event_width)?;
        let scorer = match &config.scorer {
            AuxiliaryScorer::Mlp(net) => Scorer::Net(AuxiliaryNet::new(variables, state_width + event_width, net)?),
            AuxiliaryScorer::InnerProduct => Scorer::InnerProduct(Execution::default()),
        };
        Ok(Self { scorer, average: config.average, weight: config.weight, state_width, event_width })
    }

    /// Chooses how it is computed.
    #[must_use]
    pub fn with_execution(mut self, execution: Execution) -> Self {
        self.scorer = match self.scorer {
            Scorer::Net(net) => Scorer::Net(net.with_execution(execution)),
            Scorer::InnerProduct(_) => Scorer::InnerProduct(execution),
        };
        self
    }

    /// What the loss is to be multiplied by before it joins the click loss. [`AuxiliaryLoss::forward`] does not do so.
    pub fn weight(&self) -> f64 {
        self.weight
    }

    /// The loss of a batch, without its weight.
    ///
    /// # Shapes
    /// - `states` jagged `[N, H]`, the state after each event; `history` jagged `[N, D]`, the events; `negative` jagged
    ///   `[N, D]`, for each event one that did not happen → a scalar
    /// - a batch in which no event has a successor gives 0, and its gradients are zero, never NaN
    ///
    /// # Errors
    /// [`LayerError::Shape`] when a width or the number of samples differs, [`LayerError::Lengths`] when a length does.
    pub fn forward(
        &self,
        states: &Jagged,
        history: &Jagged,
        negative: &Jagged,
        mode: Mode,
    ) -> Result<Tensor, LayerError> {
        self.of_histories([states, history, negative], mode, 1.0)
    }

    /// [`AuxiliaryLoss::forward`] times [`AuxiliaryLoss::weight`].
    pub(crate) fn weighted(
        &self,
        states: &Jagged,
        history: &Jagged,
        negative: &Jagged,
        mode: Mode,
    ) -> Result<Tensor, LayerError> {
        self.of_histories([states, history, negative], mode, self.weight)
    }

    fn of_histories(
        &self,
        [states, history, negative]: [&Jagged; 3],
        mode: Mode,
        factor: f64,
    ) -> Result<Tensor, LayerError> {
        check_lengths("history", history.layout(), states.layout())?;
        check_lengths("negative", negative.layout(), states.layout())?;
        let rows = [states, history, negative].map(Jagged::values);
        self.check_rows(rows, ["[N, H]", "[N, D]"])?;
        let layout = states.layout();
        if layout.host_offsets().windows(2).all(|ends| ends[1] - ends[0] < 2) {
            return Self::zero(states.values());
        }
        let factor = factor * self.per_mean();
        let paired = Paired { offsets: layout.host_offsets(), distance: 1, factor };
        if let Some(loss) = self.together(&paired, rows)? {
            return Ok(loss);
        }
        let (earlier, later) = layout.successions()?;
        let [states, clicks, others] = [
            states.values().f_index_select(0, &earlier)?,
            history.values().f_index_select(0, &later)?,
            negative.values().f_index_select(0, &later)?,
        ];
        times(self.mean_of_logits(&states, &clicks, &others, mode)?, factor)
    }

    /// The loss of pairs that stand side by side, without its weight.
    ///
    /// # Shapes
    /// - `states` `[P, H]`; `clicks` `[P, D]`, what followed each state; `others` `[P, D]`, what did not → a scalar, 0
    ///   without pairs
    ///
    /// # Errors
    /// [`LayerError::Shape`] when a width or the number of rows differs.
    pub fn of_pairs(
        &self,
        states: &Tensor,
        clicks: &Tensor,
        others: &Tensor,
        mode: Mode,
    ) -> Result<Tensor, LayerError> {
        self.check_rows([states, clicks, others], ["[P, H]", "[P, D]"])?;
        let pairs = states.size()[0];
        if pairs == 0 {
            return Self::zero(states);
        }
        let factor = self.per_mean();
        // More than the kernels can count are left to libtorch.
        if let Ok(end) = u32::try_from(pairs) {
            let paired = Paired { offsets: &[0, end], distance: 0, factor };
            if let Some(loss) = self.together(&paired, [states, clicks, others])? {
                return Ok(loss);
            }
        }
        times(self.mean_of_logits(states, clicks, others, mode)?, factor)
    }

    /// `of_states` and `of_events` are how their shapes are written.
    fn check_rows(
        &self,
        [states, clicks, others]: [&Tensor; 3],
        [of_states, of_events]: [&'static str; 2],
    ) -> Result<(), LayerError> {
        check_shape("states", states, &[None, Some(self.state_width)], of_states)?;
        let rows = states.size()[0];
        check_shape("clicks", clicks, &[Some(rows), Some(self.event_width)], of_events)?;
        check_shape("others", others, &[Some(rows), Some(self.event_width)], of_events)
    }

    /// The loss where there are no pairs.
    fn zero(states: &Tensor) -> Result<Tensor, LayerError> {
        Ok(Tensor::f_zeros([], (states.kind(), states.device()))?)
    }

    /// What the mean over clicks and others is multiplied by.
    fn per_mean(&self) -> f64 {
        match self.average {
            AuxiliaryAverage::Entries => 1.0,
            AuxiliaryAverage::Pairs => 2.0,
        }
    }

    /// By a kernel, if there is one. There is at least one pair.
    fn together(&self, paired: &Paired<'_>, rows: [&Tensor; 3]) -> Result<Option<Tensor>, LayerError> {
        match &self.scorer {
            Scorer::Net(net) => net.mean_loss(paired, rows),
            Scorer::InnerProduct(Execution::Auto) => fused::mean_loss(paired, rows, &[]),
            Scorer::InnerProduct(Execution::Plain) => Ok(None),
        }
    }

    /// The mean over clicks and others, by the logits and libtorch's loss. There is at least one row.
    fn mean_of_logits(
        &self,
        states: &Tensor,
        clicks: &Tensor,
        others: &Tensor,
        mode: Mode,
    ) -> Result<Tensor, LayerError> {
        let (pairs, options) = (states.size()[0], (states.kind(), states.device()));
        let events = Tensor::f_cat(&[clicks, others], 0)?;
        let logits = match &self.scorer {
            Scorer::Net(net) => net.forward_split(states, &events, mode)?,
            Scorer::InnerProduct(_) => {
                let products = events.f_view([2, pairs, self.event_width])?.f_mul(states)?;
                products.f_sum_dim_intlist([-1i64].as_slice(), false, options.0)?.f_view([2 * pairs, 1])?
            }
        };
        let happened =
            Tensor::f_cat(&[Tensor::f_ones([pairs, 1], options)?, Tensor::f_zeros([pairs, 1], options)?], 0)?;
        Ok(logits.f_binary_cross_entropy_with_logits(&happened, None::<&Tensor>, None::<&Tensor>, Reduction::Mean)?)
    }
}

fn times(mean: Tensor, factor: f64) -> Result<Tensor, LayerError> {
    if factor.to_bits() == 1.0f64.to_bits() { Ok(mean) } else { Ok(mean.f_mul_scalar(factor)?) }
}

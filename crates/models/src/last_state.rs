//! The last state of a GRU over a history.

use fain_layers::{
    Execution, Gru, GruConfig, HistoryState, Interest, InterestInput, InterestLayer, Jagged, JaggedLayout, LayerError,
    Mode, Outline, Source,
};
use tch::{Tensor, nn};

/// Reads a history by a GRU and gives its last state: what a user did, whatever the candidate is.
///
/// Parameters: `gru`.
#[derive(Debug)]
pub struct LastState {
    gru: Gru,
}

impl LastState {
    /// Registers a GRU whose states are as wide as the events.
    ///
    /// # Errors
    /// [`LayerError::Config`] when `width` is not positive.
    pub fn new(variables: &nn::Path<'_>, width: i64) -> Result<Self, LayerError> {
        Self::with_execution(variables, width, Execution::default())
    }

    /// As [`LastState::new`], with a choice of how the recurrence is computed.
    ///
    /// # Errors
    /// As [`LastState::new`].
    pub fn with_execution(variables: &nn::Path<'_>, width: i64, execution: Execution) -> Result<Self, LayerError> {
        let config = GruConfig { hidden: width, ..GruConfig::default() };
        Ok(Self { gru: Gru::new(&(variables / "gru"), width, config)?.with_execution(execution) })
    }
}

impl InterestLayer for LastState {
    fn outputs(&self) -> i64 {
        self.gru.hidden()
    }

    fn forward(&self, input: &InterestInput<'_>, _mode: Mode) -> Result<Interest, LayerError> {
        Ok(Interest { vector: self.gru.forward(input.history, None)?.last()?, auxiliary: None })
    }

    /// The last state.
    fn read_history(&self, history: &Jagged, _times: Option<&[i64]>) -> Result<HistoryState, LayerError> {
        let last = self.gru.forward(history, None)?.last()?;
        let layout = JaggedLayout::new(&[0, 1], last.device())?;
        HistoryState::new(vec![Jagged::new(last, layout)?])
    }

    fn forward_candidates(&self, candidates: &Tensor, state: &HistoryState) -> Result<Tensor, LayerError> {
        let (last, rows) = (state.part(0)?.values(), candidates.size().first().copied().unwrap_or(0));
        Ok(last.f_expand([rows, self.outputs()], false)?)
    }

    fn outline(&self) -> Outline {
        let width = self.outputs();
        let mut outline = Outline::single("GRU, last state", width);
        for part in &mut outline.parts {
            "gru".clone_into(&mut part.name);
            part.input = format!("[N, {width}]");
            part.from = vec![Source::History];
        }
        outline
    }
}

//! Extractor and evolution as one layer.

use tch::nn;

use super::{DienInterestConfig, Evolution, InterestEvolution, InterestExtractor};
use crate::{
    Attention, AttentionalGru, AttentionalGruConfig, AuxiliaryLoss, Execution, Gru, GruConfig, Interest, InterestInput,
    InterestLayer, LayerError, Mode, Outline, Part, Source, TargetAttention,
};

/// Reads a history as DIEN does: an extractor finds the interest after each event, and the interest that matters for
/// the candidate evolves.
///
/// Deep Interest Evolution Network, <https://arxiv.org/abs/1809.03672>.
///
/// Parameters: `extractor.*` of the [`Gru`] over the events, `auxiliary.*` of the [`AuxiliaryLoss`], `attention.*` of the
/// [`TargetAttention`], `evolution.*` of the recurrence over the interests.
#[derive(Debug)]
pub struct DienInterest {
    extractor: InterestExtractor,
    evolution: InterestEvolution,
}

impl DienInterest {
    /// Registers all parts for candidates and events of width `width`.
    ///
    /// # Errors
    /// Those of [`DienInterestConfig::check`]; no variable is registered then.
    pub fn new(variables: &nn::Path<'_>, width: i64, config: &DienInterestConfig) -> Result<Self, LayerError> {
        Self::with_execution(variables, width, config, Execution::default())
    }

    /// As [`DienInterest::new`], with a choice of how the recurrences are computed.
    ///
    /// # Errors
    /// As [`DienInterest::new`].
    pub fn with_execution(
        variables: &nn::Path<'_>,
        width: i64,
        config: &DienInterestConfig,
        execution: Execution,
    ) -> Result<Self, LayerError> {
        config.check(width)?;
        let (hidden, reset) = (config.states(width), config.reset);
        let gru = |name: &str, inputs: i64| -> Result<Gru, LayerError> {
            let config = GruConfig { hidden, reset, ..GruConfig::default() };
            Ok(Gru::new(&(variables / name), inputs, config)?.with_execution(execution))
        };
        let extractor = gru("extractor", width)?;
        let auxiliary = config
            .auxiliary
            .as_ref()
            .map(|config| AuxiliaryLoss::new(&(variables / "auxiliary"), hidden, width, config))
            .transpose()?;
        let attention = TargetAttention::with_widths(&(variables / "attention"), width, hidden, &config.attention)?;
        let evolution = match config.evolution.attentional() {
            None => Evolution::Pooled(gru("evolution", hidden)?),
            Some(kind) => {
                let config = AttentionalGruConfig { kind, hidden, reset, ..AttentionalGruConfig::default() };
                let recurrence = AttentionalGru::new(&(variables / "evolution"), hidden, config)?;
                Evolution::Attentional(Box::new(recurrence.with_execution(execution)))
            }
        };
        Ok(Self::from_parts(InterestExtractor::new(extractor, auxiliary), Box::new(attention), evolution))
    }

    /// Joins built parts, of one's own for example. Parts whose widths do not fit are found when they are run.
    pub fn from_parts(extractor: InterestExtractor, attention: Box<dyn Attention>, evolution: Evolution) -> Self {
        Self { extractor, evolution: InterestEvolution::new(attention, evolution) }
    }
}

impl InterestLayer for DienInterest {
    fn outputs(&self) -> i64 {
        self.evolution.outputs()
    }

    fn forward(&self, input: &InterestInput<'_>, mode: Mode) -> Result<Interest, LayerError> {
        let extracted = self.extractor.forward(input.history, input.negative, mode)?;
        let vector = self.evolution.forward(input.candidate, &extracted.states, mode)?;
        Ok(Interest { vector, auxiliary: extracted.auxiliary })
    }

    fn outline(&self) -> Outline {
        let gru = self.extractor.gru();
        let (events, states) = (format!("[N, {}]", gru.inputs()), format!("[N, {}]", gru.hidden()));
        let vector = format!("[B, {}]", self.outputs());
        let part = |name: &str, kind: &str, input: String, output: String, from: Vec<Source>| Part {
            name: name.to_owned(),
            kind: kind.to_owned(),
            input,
            output,
            from,
        };
        let mut parts = vec![part("extractor", "GRU", events.clone(), states.clone(), vec![Source::History])];
        if self.extractor.auxiliary().is_some() {
            let input = format!("{states}, {events}, {events}");
            let from = vec![Source::Part(0), Source::History, Source::Negative];
            parts.push(part("auxiliary", "auxiliary loss", input, "[]".to_owned(), from));
        }
        let next = parts.len();
        match self.evolution.evolution() {
            Evolution::Pooled(second) => {
                let evolved = format!("[N, {}]", second.hidden());
                parts.push(part("evolution", "GRU", states, evolved.clone(), vec![Source::Part(0)]));
                let from = vec![Source::Candidate, Source::Part(next)];
                parts.push(part("attention", "attention pooling", format!("candidate, {evolved}"), vector, from));
            }
            Evolution::Attentional(recurrence) => {
                let from = vec![Source::Candidate, Source::Part(0)];
                let input = format!("candidate, {states}");
                parts.push(part("attention", "attention scores", input, "[N, 1]".to_owned(), from));
                let from = vec![Source::Part(0), Source::Part(next)];
                parts.push(part("evolution", recurrence.kind(), format!("{states}, [N, 1]"), vector, from));
            }
        }
        Outline { vector: parts.len() - 1, parts }
    }
}

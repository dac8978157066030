//! Extractor and evolution as one layer.

use tch::{Tensor, nn};

use super::{DienInterestConfig, Evolution, InterestEvolution, InterestExtractor};
use crate::{
    Attention, AttentionalGru, AttentionalGruConfig, AuxiliaryLoss, Execution, Gru, GruConfig, HistoryState, Interest,
    InterestInput, InterestLayer, Jagged, LayerError, Mode, Outline, Part, Recurrence, Source, TargetAttention,
};

/// Reads a history as DIEN does: an extractor finds the interest after each event, and the interest that matters for
/// the candidate evolves.
///
/// Deep Interest Evolution Network, <https://arxiv.org/abs/1809.03672>.
///
/// ```
/// use fain_layers::{
///     AuxiliaryLossConfig, DienInterest, DienInterestConfig, InterestInput, InterestLayer, Jagged, JaggedLayout, Mode,
/// };
/// use tch::{Device, Kind, Tensor, nn};
///
/// # fn main() -> Result<(), fain_layers::LayerError> {
/// let variables = nn::VarStore::new(Device::Cpu);
/// let config = DienInterestConfig {
///     hidden: Some(16),
///     auxiliary: Some(AuxiliaryLossConfig::default()),
///     ..DienInterestConfig::default()
/// };
/// let layer = DienInterest::new(&variables.root(), 8, &config)?;
///
/// // Three samples with 2, 0 and 3 events of width 8, and as many events that did not happen.
/// let layout = JaggedLayout::new(&[0, 2, 2, 5], Device::Cpu)?;
/// let events = || Jagged::new(Tensor::rand([5, 8], (Kind::Float, Device::Cpu)), layout.clone());
/// let (history, negative) = (events()?, events()?);
/// let candidate = Tensor::rand([3, 8], (Kind::Float, Device::Cpu));
/// let input = InterestInput { candidate: &candidate, history: &history, negative: Some(&negative), times: None };
///
/// let interest = layer.forward(&input, Mode::Training)?;
/// assert_eq!(interest.vector.size(), [3, 16]);
/// assert!(f64::try_from(interest.auxiliary.unwrap()).unwrap() > 0.0);
/// # Ok(())
/// # }
/// ```
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

    /// As [`DienInterest::new`], with a choice of how all parts are computed.
    ///
    /// # Errors
    /// As [`DienInterest::new`].
    pub fn with_execution(
        variables: &nn::Path<'_>,
        width: i64,
        config: &DienInterestConfig,
        execution: Execution,
    ) -> Result<Self, LayerError> {
        let reset = config.reset;
        Self::with_evolution(variables, width, config, execution, |variables, hidden| {
            Ok(match config.evolution.attentional() {
                None => {
                    let config = GruConfig { hidden, reset, ..GruConfig::default() };
                    Evolution::Pooled(Gru::new(variables, hidden, config)?.with_execution(execution))
                }
                Some(kind) => {
                    let config = AttentionalGruConfig { kind, hidden, reset, ..AttentionalGruConfig::default() };
                    let recurrence = AttentionalGru::new(variables, hidden, config)?;
                    Evolution::Attentional(Box::new(recurrence.with_execution(execution)))
                }
            })
        })
    }

    /// As [`DienInterest::new`], with a recurrence of one's own in the place of `config.evolution`.
    ///
    /// `recurrence` makes it: it is given where to register parameters, and the width of the interests it reads.
    ///
    /// # Errors
    /// As [`DienInterest::new`], and what `recurrence` gives.
    pub fn with_recurrence(
        variables: &nn::Path<'_>,
        width: i64,
        config: &DienInterestConfig,
        recurrence: impl FnOnce(&nn::Path<'_>, i64) -> Result<Box<dyn Recurrence>, LayerError>,
    ) -> Result<Self, LayerError> {
        Self::with_evolution(variables, width, config, Execution::default(), |variables, hidden| {
            Ok(Evolution::Attentional(recurrence(variables, hidden)?))
        })
    }

    fn with_evolution(
        variables: &nn::Path<'_>,
        width: i64,
        config: &DienInterestConfig,
        execution: Execution,
        evolution: impl FnOnce(&nn::Path<'_>, i64) -> Result<Evolution, LayerError>,
    ) -> Result<Self, LayerError> {
        config.check(width)?;
        let (hidden, reset) = (config.states(width), config.reset);
        let gru = GruConfig { hidden, reset, ..GruConfig::default() };
        let extractor = Gru::new(&(variables / "extractor"), width, gru)?.with_execution(execution);
        let auxiliary = config
            .auxiliary
            .as_ref()
            .map(|config| AuxiliaryLoss::new(&(variables / "auxiliary"), hidden, width, config))
            .transpose()?
            .map(|auxiliary| auxiliary.with_execution(execution));
        let attention = TargetAttention::with_widths(&(variables / "attention"), width, hidden, &config.attention)?
            .with_execution(execution);
        let evolution = evolution(&(variables / "evolution"), hidden)?;
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

    /// The extractor's states, or those of the second recurrence where it does not hear the candidate.
    fn read_history(&self, history: &Jagged, _times: Option<&[i64]>) -> Result<HistoryState, LayerError> {
        let extracted = self.extractor.forward(history, None, Mode::Evaluation)?;
        HistoryState::new(vec![self.evolution.read(&extracted.states)?])
    }

    fn forward_candidates(&self, candidates: &Tensor, state: &HistoryState) -> Result<Tensor, LayerError> {
        state.part(0)?;
        self.evolution.evolve(candidates, &state.repeat(candidates)?[0], Mode::Evaluation)
    }

    fn reads_auxiliary_loss(&self) -> bool {
        false
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use tch::{Device, Kind};

    use super::*;
    use crate::{
        AttentionScoring, AuxiliaryLossConfig, AuxiliaryScorer, EvolutionKind, JaggedLayout, RecurrentCell,
        TargetAttentionConfig, Unrolled,
    };

    /// Every event counts as the candidate says.
    #[derive(Debug)]
    struct Same;

    impl Attention for Same {
        fn weights(&self, candidate: &Tensor, history: &Jagged, _mode: Mode) -> Result<Tensor, LayerError> {
            history.layout().expand(candidate)
        }
    }

    /// Adds up the scores, whatever the interests are.
    #[derive(Debug)]
    struct SumOfScores;

    impl RecurrentCell for SumOfScores {
        fn hidden(&self) -> i64 {
            1
        }

        fn step(&self, _inputs: &Tensor, scores: &Tensor, state: &Tensor) -> Result<Tensor, LayerError> {
            Ok(state.f_add(scores)?)
        }
    }

    fn gru(store: &nn::VarStore, name: &str, inputs: i64, hidden: i64) -> Gru {
        Gru::new(&(store.root() / name), inputs, GruConfig { hidden, ..GruConfig::default() }).unwrap()
    }

    #[test]
    fn parts_of_ones_own_fit() {
        let store = nn::VarStore::new(Device::Cpu);
        let extractor = InterestExtractor::new(gru(&store, "extractor", 3, 2), None);
        let recurrence = Evolution::Attentional(Box::new(Unrolled::new(SumOfScores)));
        let layer = DienInterest::from_parts(extractor, Box::new(Same), recurrence);
        let layout = JaggedLayout::new(&[0, 2, 2, 5], Device::Cpu).unwrap();
        let history = Jagged::new(Tensor::zeros([5, 3], (Kind::Float, Device::Cpu)), layout).unwrap();
        let candidate = Tensor::from_slice(&[2.0f32, 5.0, -1.0]).reshape([3, 1]);
        let input = InterestInput { candidate: &candidate, history: &history, negative: None, times: None };
        let interest = layer.forward(&input, Mode::Training).unwrap();
        assert_eq!(interest.vector, Tensor::from_slice(&[4.0f32, 0.0, -3.0]).reshape([3, 1]));
        assert_eq!((layer.outputs(), layer.outline().parts[2].kind.as_str()), (1, "recurrence"));
    }

    #[test]
    fn parts_are_drawn_as_they_are_joined() {
        let build = |evolution, auxiliary| {
            let store = nn::VarStore::new(Device::Cpu);
            let config = DienInterestConfig { hidden: Some(4), evolution, auxiliary, ..DienInterestConfig::default() };
            DienInterest::new(&store.root(), 2, &config).unwrap().outline()
        };
        let outline = build(EvolutionKind::Augru, Some(AuxiliaryLossConfig::default()));
        let described: Vec<String> = outline
            .parts
            .iter()
            .map(|part| format!("{} ({}): {} → {}", part.name, part.kind, part.input, part.output))
            .collect();
        assert_eq!(
            described,
            [
                "extractor (GRU): [N, 2] → [N, 4]",
                "auxiliary (auxiliary loss): [N, 4], [N, 2], [N, 2] → []",
                "attention (attention scores): candidate, [N, 4] → [N, 1]",
                "evolution (AUGRU): [N, 4], [N, 1] → [B, 4]",
            ]
        );
        let from: Vec<&[Source]> = outline.parts.iter().map(|part| part.from.as_slice()).collect();
        assert_eq!(from[1], [Source::Part(0), Source::History, Source::Negative]);
        assert_eq!(from[2], [Source::Candidate, Source::Part(0)]);
        assert_eq!((from[3], outline.vector), (&[Source::Part(0), Source::Part(2)][..], 3));

        let outline = build(EvolutionKind::Gru, None);
        let names: Vec<&str> = outline.parts.iter().map(|part| part.name.as_str()).collect();
        assert_eq!((names, outline.vector), (vec!["extractor", "evolution", "attention"], 2));
        assert_eq!(outline.parts[2].from, [Source::Candidate, Source::Part(1)]);
    }

    #[test]
    fn nothing_is_registered_for_settings_that_do_not_fit() {
        let network = TargetAttentionConfig::of(AttentionScoring::Mlp);
        let bad = TargetAttentionConfig { hidden: vec![0], ..network.clone() };
        let inner = AuxiliaryLossConfig { scorer: AuxiliaryScorer::InnerProduct, ..AuxiliaryLossConfig::default() };
        let default = DienInterestConfig::default;
        for (config, field) in [
            (DienInterestConfig { hidden: Some(-1), ..default() }, "hidden = -1"),
            (DienInterestConfig { hidden: Some(3), attention: network, ..default() }, "hidden = 3 beside"),
            (DienInterestConfig { attention: bad, ..default() }, "hidden = [0]"),
            (DienInterestConfig { hidden: Some(3), auxiliary: Some(inner), ..default() }, "scorer = inner_product"),
        ] {
            let store = nn::VarStore::new(Device::Cpu);
            let error = DienInterest::new(&store.root(), 2, &config).unwrap_err().to_string();
            assert!(error.starts_with(field), "{error}");
            assert!(store.is_empty(), "{error}");
        }
    }

    #[test]
    fn parameters_have_the_names_of_their_parts() {
        let store = nn::VarStore::new(Device::Cpu);
        let config = DienInterestConfig { auxiliary: Some(AuxiliaryLossConfig::default()), ..Default::default() };
        DienInterest::new(&store.root(), 2, &config).unwrap();
        let mut names: Vec<String> = store.variables().into_keys().collect();
        names.sort();
        let mut expected = vec!["attention.bilinear.weight".to_owned()];
        for layer in ["dense0", "dense1", "output"] {
            expected.extend(["bias", "weight"].map(|leaf| format!("auxiliary.{layer}.{leaf}")));
        }
        for part in ["evolution", "extractor"] {
            expected.extend(["bias_hh", "bias_ih", "weight_hh", "weight_ih"].map(|leaf| format!("{part}.{leaf}")));
        }
        assert_eq!(names, expected);
    }
}

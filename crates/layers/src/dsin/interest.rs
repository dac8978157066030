//! The Deep Session Interest Network's reading of a history.

use serde::{Deserialize, Serialize};
use tch::{Tensor, nn};

use super::{SessionInterestExtractor, SessionInterestInteraction, SessionLimits, Sessions};
use crate::{
    AttentionNormalization, AttentionScoring, HistoryState, Interest, InterestInput, InterestLayer, Jagged,
    JaggedLayout, LayerError, Mode, Outline, Part, Source, TargetAttention, TargetAttentionConfig,
    TransformerBlockConfig,
};

/// The settings of a [`DsinInterest`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DsinInterestConfig {
    /// How many sessions are read and how long they are.
    pub limits: SessionLimits,
    /// A new session starts where more seconds than this lie between two events, at least 0; the paper's are 30 minutes.
    /// Without it sessions have equally many events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap: Option<i64>,
    /// Self-attention within a session and what follows it.
    pub transformer: TransformerBlockConfig,
}

impl DsinInterestConfig {
    /// What pools sessions, the session interest activating layer: `a_k = exp(I_k W X) / Σ_k exp(I_k W X)`,
    /// `U = Σ_k a_k I_k`.
    pub fn activation() -> TargetAttentionConfig {
        let normalization = AttentionNormalization::Softmax;
        TargetAttentionConfig { normalization, ..TargetAttentionConfig::of(AttentionScoring::Bilinear) }
    }

    /// Looks for conflicts with events of width `width`.
    ///
    /// # Errors
    /// [`LayerError::Config`] when `gap` is negative; those of [`SessionLimits::check`] and
    /// [`TransformerBlockConfig::check`].
    pub fn check(&self, width: i64) -> Result<(), LayerError> {
        self.limits.check()?;
        check_gap(self.gap)?;
        self.transformer.check(width)
    }
}

/// The parts of a [`DsinInterest`].
#[derive(Debug)]
pub struct DsinParts {
    /// Gives each session's interest.
    pub extractor: SessionInterestExtractor,
    /// Lets the sessions of a user know each other.
    pub interaction: SessionInterestInteraction,
    /// Pools the extractor's interests by their relevance to the candidate.
    pub interest_activation: TargetAttention,
    /// Pools the interaction's states by theirs.
    pub interaction_activation: TargetAttention,
}

/// Reads a history by its sessions: the interest of each, how they bear on each other, and both pooled by their
/// relevance to the candidate.
///
/// Deep Session Interest Network, <https://arxiv.org/abs/1905.06482>: the vector is `[U_I, U_H]`.
/// Histories are divided by [`Sessions::by_gap`] where the settings have a gap, and by [`Sessions::every`] else;
/// [`DsinInterest::forward_sessions`] reads histories that are divided otherwise. A user without events gives zeros.
/// Parameters: `session`, `interaction`, `interest_activation`, `interaction_activation`.
#[derive(Debug)]
pub struct DsinInterest {
    parts: DsinParts,
    limits: SessionLimits,
    gap: Option<i64>,
}

impl DsinInterest {
    /// Registers the layers for candidates and events of width `width`.
    ///
    /// # Errors
    /// Those of [`DsinInterestConfig::check`]; no variable is registered then.
    pub fn new(variables: &nn::Path<'_>, width: i64, config: &DsinInterestConfig) -> Result<Self, LayerError> {
        config.check(width)?;
        let (limits, session) = (config.limits, variables / "session");
        let settings = DsinInterestConfig::activation();
        let activation = |name: &str| TargetAttention::new(&(variables / name), width, &settings);
        let parts = DsinParts {
            extractor: SessionInterestExtractor::new(&session, width, limits, &config.transformer)?,
            interaction: SessionInterestInteraction::new(&(variables / "interaction"), width)?,
            interest_activation: activation("interest_activation")?,
            interaction_activation: activation("interaction_activation")?,
        };
        Self::from_parts(parts, limits, config.gap)
    }

    /// Joins built parts; `limits` and `gap` are those of the sessions that [`InterestLayer::forward`] makes.
    ///
    /// # Errors
    /// [`LayerError::Config`] when the widths of two parts differ or `gap` is negative; those of [`SessionLimits::check`].
    pub fn from_parts(parts: DsinParts, limits: SessionLimits, gap: Option<i64>) -> Result<Self, LayerError> {
        limits.check()?;
        check_gap(gap)?;
        let width = parts.extractor.width();
        for (field, got) in [
            ("interaction.width", parts.interaction.width()),
            ("interest_activation.width", parts.interest_activation.outputs()),
            ("interaction_activation.width", parts.interaction_activation.outputs()),
        ] {
            if got != width {
                let value = format!("{got} after sessions of width {width}");
                return Err(LayerError::Config {
                    field,
                    value,
                    allowed: "the width of the session interest extractor",
                });
            }
        }
        Ok(Self { parts, limits, gap })
    }

    /// The weights of a user's sessions for a candidate: `[S, 1]` each, of the sessions' interests and of their states.
    ///
    /// # Errors
    /// As [`DsinInterest::forward_sessions`].
    pub fn session_weights(
        &self,
        candidate: &Tensor,
        history: &Jagged,
        sessions: &Sessions,
    ) -> Result<(Tensor, Tensor), LayerError> {
        let (parts, mode) = (&self.parts, Mode::Evaluation);
        let (interests, states) = self.read(history, sessions, mode)?;
        let weights = parts.interest_activation.weights(candidate, &interests, mode)?;
        Ok((weights, parts.interaction_activation.weights(candidate, &states, mode)?))
    }

    /// # Shapes
    /// - `candidate` `[B, D]`; `history` jagged `[N, D]` of the layout that was divided → `[B, 2D]`
    ///
    /// # Errors
    /// [`LayerError::Shape`] when a width or the number of samples differs; [`LayerError::Offsets`] when `sessions` are
    /// of other histories.
    pub fn forward_sessions(
        &self,
        candidate: &Tensor,
        history: &Jagged,
        sessions: &Sessions,
        mode: Mode,
    ) -> Result<Tensor, LayerError> {
        let (interests, states) = self.read(history, sessions, mode)?;
        self.activate(candidate, (&interests, &states), mode)
    }

    /// Pools the sessions' interests and their states by their relevance to the candidate.
    fn activate(
        &self,
        candidate: &Tensor,
        (interests, states): (&Jagged, &Jagged),
        mode: Mode,
    ) -> Result<Tensor, LayerError> {
        let of_interests = self.parts.interest_activation.forward(candidate, interests, mode)?;
        let of_states = self.parts.interaction_activation.forward(candidate, states, mode)?;
        Ok(Tensor::f_cat(&[of_interests, of_states], 1)?)
    }

    /// The sessions of histories, as the settings divide them.
    fn divide(&self, layout: &JaggedLayout, times: Option<&[i64]>) -> Result<Sessions, LayerError> {
        match (self.gap, times) {
            (None, _) => Sessions::every(layout, self.limits),
            (Some(gap), Some(times)) => Sessions::by_gap(layout, times, gap, self.limits),
            (Some(_), None) => {
                let problem = format!("no times for {} events, whose sessions end at gaps", layout.events());
                Err(LayerError::Times { problem })
            }
        }
    }

    /// The sessions' interests and their states: jagged `[S, D]` each.
    fn read(&self, history: &Jagged, sessions: &Sessions, mode: Mode) -> Result<(Jagged, Jagged), LayerError> {
        let interests = self.parts.extractor.forward(history, sessions, mode)?;
        let states = self.parts.interaction.forward(&interests)?;
        Ok((interests, states))
    }
}

impl InterestLayer for DsinInterest {
    fn outputs(&self) -> i64 {
        2 * self.parts.extractor.width()
    }

    fn forward(&self, input: &InterestInput<'_>, mode: Mode) -> Result<Interest, LayerError> {
        let sessions = self.divide(input.history.layout(), input.times)?;
        let vector = self.forward_sessions(input.candidate, input.history, &sessions, mode)?;
        Ok(Interest { vector, auxiliary: None })
    }

    /// The sessions' interests and their states.
    fn read_history(&self, history: &Jagged, times: Option<&[i64]>) -> Result<HistoryState, LayerError> {
        let sessions = self.divide(history.layout(), times)?;
        let (interests, states) = self.read(history, &sessions, Mode::Evaluation)?;
        HistoryState::new(vec![interests, states])
    }

    fn forward_candidates(&self, candidates: &Tensor, state: &HistoryState) -> Result<Tensor, LayerError> {
        state.part(1)?;
        let sessions = state.repeat(candidates)?;
        self.activate(candidates, (&sessions[0], &sessions[1]), Mode::Evaluation)
    }

    fn outline(&self) -> Outline {
        let width = self.parts.extractor.width();
        let part = |name: &str, kind: &str, input: String, output: String, from: Vec<Source>| Part {
            name: name.to_owned(),
            kind: kind.to_owned(),
            input,
            output,
            from,
        };
        let (sessions, pooled) = (format!("[S, {width}]"), format!("[B, {width}]"));
        let activation = |name: &str, index: usize| {
            let input = format!("[B, {width}], {sessions}");
            part(name, "bilinear attention", input, pooled.clone(), vec![Source::Candidate, Source::Part(index)])
        };
        let history = format!("[N, {width}]");
        let read = if self.gap.is_some() { vec![Source::History, Source::Times] } else { vec![Source::History] };
        let parts = vec![
            part("session", "session interest extractor", history, sessions.clone(), read),
            part("interaction", "bi-LSTM", sessions.clone(), sessions.clone(), vec![Source::Part(0)]),
            activation("interest_activation", 0),
            activation("interaction_activation", 1),
            part(
                "",
                "concatenation",
                format!("{pooled}, {pooled}"),
                format!("[B, {}]", 2 * width),
                vec![Source::Part(2), Source::Part(3)],
            ),
        ];
        Outline { parts, vector: 4 }
    }
}

fn check_gap(gap: Option<i64>) -> Result<(), LayerError> {
    match gap {
        Some(gap) if gap < 0 => Err(LayerError::Config { field: "gap", value: gap.to_string(), allowed: "at least 0" }),
        _ => Ok(()),
    }
}

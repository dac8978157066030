//! How the gates and the score of an event change the state.

/// What the state becomes, from the candidate `n`, the gates and where it takes one the score `a`. `S` holds scores.
#[derive(Debug, Clone, Copy)]
pub(super) enum Update<S> {
    /// `h' = (1 − z) ∘ n + z ∘ h`; stack (r|z|n).
    Gru,
    /// `h' = (1 − a) ∘ h + a ∘ n`; stack (r|n).
    Agru(S),
    /// `u' = a · u`, `h' = (1 − u') ∘ h + u' ∘ n`; stack (u|r|n).
    Augru(S),
    /// `u' = (1 − a) · u`, `h' = u' ∘ h + (1 − u') ∘ n`; stack (u|r|n).
    AugruOfficial(S),
}

impl<S> Update<S> {
    /// How many gates are stacked, the candidate among them.
    pub(super) fn gates(&self) -> i64 {
        match self {
            Self::Agru(_) => 2,
            Self::Gru | Self::Augru(_) | Self::AugruOfficial(_) => 3,
        }
    }

    pub(super) fn scores(&self) -> Option<&S> {
        match self {
            Self::Gru => None,
            Self::Agru(scores) | Self::Augru(scores) | Self::AugruOfficial(scores) => Some(scores),
        }
    }

    /// The same update with other scores.
    pub(super) fn try_map<'a, R, E>(&'a self, map: impl FnOnce(&'a S) -> Result<R, E>) -> Result<Update<R>, E> {
        Ok(match self {
            Self::Gru => Update::Gru,
            Self::Agru(scores) => Update::Agru(map(scores)?),
            Self::Augru(scores) => Update::Augru(map(scores)?),
            Self::AugruOfficial(scores) => Update::AugruOfficial(map(scores)?),
        })
    }
}

impl<S> Update<Vec<S>> {
    /// The update at one time step.
    pub(super) fn at(&self, step: usize) -> Update<&S> {
        match self {
            Self::Gru => Update::Gru,
            Self::Agru(scores) => Update::Agru(&scores[step]),
            Self::Augru(scores) => Update::Augru(&scores[step]),
            Self::AugruOfficial(scores) => Update::AugruOfficial(&scores[step]),
        }
    }
}

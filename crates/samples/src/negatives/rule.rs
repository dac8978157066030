//! What the manifest says about negatives: rules, never drawn items.

use serde::{Deserialize, Serialize};

use crate::error::SamplesError;

/// The negatives that whoever reads the samples draws.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Negatives {
    /// Rows with label 0 beside each stored row. Every stored row is a positive then.
    pub candidates: Option<CandidateNegatives>,
    /// Items that the user did not choose: one beside each event of a history, for the auxiliary loss of DIEN.
    pub history: Option<NegativeRule>,
}

/// Rows with label 0 beside each stored row: the same user, history and context, another candidate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CandidateNegatives {
    /// How many beside each stored row, 1 or more.
    pub per_positive: u32,
    /// How their items are drawn.
    pub rule: NegativeRule,
}

/// How negative items are drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NegativeRule {
    /// Which items are likely.
    pub distribution: Distribution,
    /// Which items are never drawn.
    pub exclude: Exclude,
    /// Whether an epoch sees the draws of the epoch before.
    pub draw: Draw,
    /// All draws are a function of this, the epoch, the part, the row and the place in it.
    pub seed: u64,
}

/// Which items are likely. An item without events in the training windows is never drawn.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distribution {
    /// All alike.
    Uniform,
    /// In proportion to `countᵅ`, the count being that of the item's events in the training windows; the value is α,
    /// finite and 0 or more. word2vec takes 0.75.
    Popularity(f64),
}

/// Which items are never drawn for a sample. The candidate of the sample never is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exclude {
    /// The items of the user's events before the sample. Validation and test rows exclude the training window, too.
    Past,
    /// These, and those of the user's training window.
    Window,
}

/// Whether an epoch sees the draws of the epoch before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Draw {
    /// Every epoch sees the same negatives.
    Fixed,
    /// Every epoch has negatives of its own.
    Epoch,
}

impl Negatives {
    /// Finds rules that cannot be drawn by.
    ///
    /// # Errors
    /// [`SamplesError::Layout`] names the setting and what is wrong with it.
    pub fn check(&self) -> Result<(), SamplesError> {
        let problem = |name: &str, reason: String| Err(SamplesError::Layout { name: name.to_owned(), reason });
        if self.candidates.as_ref().is_some_and(|candidates| candidates.per_positive == 0) {
            return problem("negatives.candidates.per_positive", "0 negatives; at least 1 is needed".to_owned());
        }
        let rules = [
            ("negatives.candidates.rule.distribution", self.candidates.as_ref().map(|candidates| &candidates.rule)),
            ("negatives.history.distribution", self.history.as_ref()),
        ];
        for (name, rule) in rules {
            if let Some(NegativeRule { distribution: Distribution::Popularity(alpha), .. }) = rule
                && !(alpha.is_finite() && *alpha >= 0.0)
            {
                return problem(
                    name,
                    format!("the power of the popularity is {alpha}; a number of 0 or more is needed"),
                );
            }
        }
        Ok(())
    }
}

//! Conflicts between the rules, found before any data is read.

use crate::condition::Condition;
use crate::error::PrepareError;
use crate::rules::split::SplitRule;
use crate::rules::{HistoryConfig, NegativesConfig, PerUser, SampleOrigin, SamplesConfig, SplitConfig};

/// All that a configuration says about labels, histories, samples, splits and negatives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RulesConfig<'a> {
    pub(crate) label: Option<&'a Condition>,
    pub(crate) history: &'a HistoryConfig,
    pub(crate) samples: &'a SamplesConfig,
    pub(crate) split: &'a SplitConfig,
    pub(crate) negatives: Option<&'a NegativesConfig>,
    /// Whether the log has times, not only an order.
    pub(crate) timed: bool,
}

/// Checks the rules, each alone and all together.
///
/// # Errors
/// [`PrepareError::Config`] names the key, its value and what is allowed.
pub(crate) fn check(config: &RulesConfig<'_>) -> Result<(), PrepareError> {
    if let Some(label) = config.label {
        label.check("label")?;
    }
    config.history.check()?;
    if let Some(negatives) = config.negatives {
        negatives.check()?;
    }
    match config.split.rule()? {
        SplitRule::Last(_) if config.samples.per == PerUser::LastEvent => {
            let allowed = "goes with samples.per = \"event\" only: the last event of every user would be for the test";
            return Err(PrepareError::config("split", "{ last }", allowed));
        }
        SplitRule::Time(_) if !config.timed => {
            let allowed = "needs the times of the log, log.time; log.order has no unit";
            return Err(PrepareError::config("split", "{ time }", allowed));
        }
        _ => {}
    }
    check_classes(config)
}

/// Samples need both labels, from the log or from drawn candidates, and not from both.
fn check_classes(config: &RulesConfig<'_>) -> Result<(), PrepareError> {
    let drawn = config.negatives.is_some_and(|negatives| negatives.candidates.is_some());
    let positives_only = config.label.is_none() || config.samples.from == SampleOrigin::Positive;
    if positives_only && !drawn {
        let (from, cause) = match config.samples.from {
            SampleOrigin::All => ("\"all\"", "without [label] every event is positive"),
            SampleOrigin::Positive => ("\"positive\"", "only positive events become samples"),
        };
        let allowed = format!("needs negatives.candidates: {cause}, and no sample would have label 0");
        return Err(PrepareError::config("samples.from", from, allowed));
    }
    if drawn && !positives_only {
        let allowed = "must be \"positive\" with negatives.candidates: they are drawn beside positive samples";
        return Err(PrepareError::config("samples.from", "\"all\"", allowed));
    }
    Ok(())
}

//! Conflicts between the rules, found before any data is read.

use crate::error::PrepareError;
use crate::rules::split::SplitRule;
use crate::rules::{EventChoice, HistoryConfig, LabelConfig, NegativesConfig, PerUser, SamplesConfig, SplitConfig};

/// What a rule needs that counts seconds.
pub(crate) const NOT_TIMED: &str = "needs the times of the log, log.time; log.order has no unit";

/// All that a configuration says about labels, histories, samples, splits and negatives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RulesConfig<'a> {
    pub(crate) label: Option<&'a LabelConfig>,
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
        label.check(config.timed)?;
    }
    config.history.check()?;
    config.samples.from.check("samples.from")?;
    if let Some(negatives) = config.negatives {
        negatives.check()?;
    }
    match config.split.rule()? {
        SplitRule::Last(_) if config.samples.per == PerUser::LastEvent => {
            let allowed = "goes with samples.per = \"event\" only: the last event of every user would be for the test";
            return Err(PrepareError::config("split", "{ last }", allowed));
        }
        SplitRule::Time(_) if !config.timed => return Err(PrepareError::config("split", "{ time }", NOT_TIMED)),
        _ => {}
    }
    match config.label {
        Some(LabelConfig::FollowedBy(_)) => check_followed(config),
        Some(LabelConfig::Where(_)) | None => check_classes(config),
    }
}

/// Where later rows make the labels, nothing else may be made of these labels.
fn check_followed(config: &RulesConfig<'_>) -> Result<(), PrepareError> {
    let EventChoice::Where(_) = config.samples.from else {
        let allowed = "must be a condition with label.followed_by, such as { column = \"event\", equals = \
                       \"impression\" }: the rows that wait for what follows";
        return Err(PrepareError::config("samples.from", &config.samples.from, allowed));
    };
    if config.history.events == EventChoice::Positive {
        let allowed = "must be \"all\" or a condition with label.followed_by, such as { column = \"event\", equals = \
                       \"click\" }: whether an event is positive is known only later than the event";
        return Err(PrepareError::config("history.events", &config.history.events, allowed));
    }
    if config.negatives.is_some_and(|negatives| negatives.candidates.is_some()) {
        let allowed = "must not stand beside label.followed_by: samples that nothing follows have label 0 already";
        return Err(PrepareError::config("negatives.candidates", "{ … }", allowed));
    }
    Ok(())
}

/// Samples need both labels, from the log or from drawn candidates, and not from both.
fn check_classes(config: &RulesConfig<'_>) -> Result<(), PrepareError> {
    let drawn = config.negatives.is_some_and(|negatives| negatives.candidates.is_some());
    let from = &config.samples.from;
    let positives_only = config.label.is_none() || *from == EventChoice::Positive;
    if positives_only && !drawn {
        let cause = match from {
            EventChoice::Positive => "only positive events become samples",
            EventChoice::All | EventChoice::Where(_) => "without [label] every event is positive",
        };
        let allowed = format!("needs negatives.candidates: {cause}, and no sample would have label 0");
        return Err(PrepareError::config("samples.from", from, allowed));
    }
    if drawn && !positives_only {
        let allowed = "must be \"positive\" with negatives.candidates: they are drawn beside positive samples";
        return Err(PrepareError::config("samples.from", from, allowed));
    }
    Ok(())
}

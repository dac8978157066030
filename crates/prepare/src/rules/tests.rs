//! What the rules make of events, and what they refuse.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod following;
mod properties;
mod protocols;
mod refusals;
mod splits;
mod traps;

use fain_samples::Part;
use serde::Deserialize;

use crate::error::PrepareError;
use crate::rules::{
    HistoryConfig, LabelConfig, LogEvent, NegativesConfig, Rules, RulesConfig, SamplesConfig, SplitConfig, TimeCuts,
    TimeShares, UserSamples, check,
};

/// The part of a configuration that the rules read.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    label: Option<LabelConfig>,
    history: HistoryConfig,
    #[serde(default)]
    samples: SamplesConfig,
    split: SplitConfig,
    negatives: Option<NegativesConfig>,
}

impl Written {
    fn new(text: &str) -> Self {
        toml::from_str(text).unwrap()
    }

    fn config(&self) -> RulesConfig<'_> {
        RulesConfig {
            label: self.label.as_ref(),
            history: &self.history,
            samples: &self.samples,
            split: &self.split,
            negatives: self.negatives.as_ref(),
            timed: true,
        }
    }

    fn check(&self) -> Result<(), PrepareError> {
        check(&self.config())
    }

    fn rules(&self) -> Rules {
        self.check().unwrap();
        Rules::new(&self.config(), |_| unreachable!("no split by shares of time")).unwrap()
    }

    /// The rules where the log has these times, in any order.
    fn rules_for_times(&self, times: &[i64]) -> Result<Rules, PrepareError> {
        self.check()?;
        Rules::new(&self.config(), |shares| cuts(shares, times))
    }
}

fn cuts(shares: TimeShares, times: &[i64]) -> Result<TimeCuts, PrepareError> {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let ranks = shares.ranks(times.len() as u64)?;
    let time = |rank: u64| sorted[rank as usize];
    shares.cuts(time(0), TimeCuts { validation_from: time(ranks.validation_from), test_from: time(ranks.test_from) })
}

/// An event that stands in histories if it is positive, and that may be a sample.
fn event(time: i64, positive: bool) -> LogEvent {
    LogEvent { time, hash: 0, item: 0, positive, in_history: positive, may_be_sample: true, follows: false }
}

/// Positive events, one each second.
fn clicks(count: i64) -> Vec<LogEvent> {
    (0..count).map(|time| event(time, true)).collect()
}

fn apply(rules: &Rules, user: &str, events: &[LogEvent]) -> UserSamples {
    let mut out = UserSamples::default();
    rules.apply(user, events, &mut out);
    out
}

/// Samples as (place, label, events before it, part).
fn listed(out: &UserSamples) -> Vec<(u32, u8, u32, Part)> {
    out.samples
        .iter()
        .map(|sample| (sample.place, u8::from(sample.positive), sample.history_end, sample.part))
        .collect()
}

/// A drawn candidate beside each positive.
const ONE_CANDIDATE: &str =
    "negatives.candidates = { per_positive = 1, distribution = 'uniform', exclude = 'past', draw = 'fixed' }";

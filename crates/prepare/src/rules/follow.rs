//! Labels that later events make.

use std::collections::HashMap;

use crate::rules::{LabelConfig, LogEvent};

/// The rule [`FollowedBy`](crate::FollowedBy) over one user's events. Its memory is reused from user to user.
#[derive(Debug)]
pub(crate) struct Follow {
    /// Most seconds between a sample and what follows it.
    within: u64,
    /// For each item, the place of the last row that may become a sample.
    open: HashMap<u32, usize>,
}

impl Follow {
    /// `None` if labels are made otherwise.
    pub(crate) fn of(label: Option<&LabelConfig>) -> Option<Self> {
        match label {
            Some(LabelConfig::FollowedBy(rule)) => {
                Some(Self { within: rule.within.unwrap_or(u64::MAX), open: HashMap::new() })
            }
            Some(LabelConfig::Where(_)) | None => None,
        }
    }

    /// Sets [`LogEvent::positive`] of the events of one user, which stand in the order that [`Rules::apply`] needs.
    ///
    /// [`Rules::apply`]: crate::rules::Rules::apply
    pub(crate) fn label(&mut self, events: &mut [LogEvent]) {
        self.open.clear();
        for place in 0..events.len() {
            let LogEvent { time, item, follows, may_be_sample, .. } = events[place];
            if follows
                && let Some(sample) = self.open.get(&item)
                && time.abs_diff(events[*sample].time) <= self.within
            {
                events[*sample].positive = true;
            }
            events[place].positive = false;
            if may_be_sample {
                self.open.insert(item, place);
            }
        }
    }
}

//! From one user's events to samples.

use fain_samples::Part;

use crate::error::PrepareError;
use crate::rules::PerUser;
use crate::rules::check::RulesConfig;
use crate::rules::split::{HashShares, LastRule, SplitRule, TimeCuts, TimeRule, TimeShares};

/// What the rules need to know of a row of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the answers of four rules, which are independent")]
pub(crate) struct LogEvent {
    /// Seconds; only splits by time look at it.
    pub(crate) time: i64,
    /// The hash of the row; only splits by hash look at it. [`SplitConfig::row_hash`](crate::SplitConfig) makes it.
    pub(crate) hash: u64,
    /// Only labels that later events make look at it.
    pub(crate) item: u32,
    /// Whether the row fulfils `[label]`. [`Follow`](crate::rules::Follow) finds it where later rows say so.
    pub(crate) positive: bool,
    /// Whether the row fulfils `history.events`.
    pub(crate) in_history: bool,
    /// Whether the row fulfils `samples.from`.
    pub(crate) may_be_sample: bool,
    /// Whether the row fulfils `label.followed_by`.
    pub(crate) follows: bool,
}

/// What the rules make of one user's events. Its memory is reused from user to user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct UserSamples {
    /// The places, among the user's events, of those that can stand in a history, oldest first.
    pub(crate) history: Vec<u32>,
    /// The samples, oldest first.
    pub(crate) samples: Vec<UserSample>,
    /// How many of `history` lie before the user's first held-out row: what training may know of the user.
    pub(crate) window_end: u32,
}

/// A sample of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UserSample {
    /// The place of the candidate among the user's events.
    pub(crate) place: u32,
    pub(crate) positive: bool,
    /// How many of [`UserSamples::history`] lie before the sample.
    pub(crate) history_end: u32,
    pub(crate) part: Part,
}

/// The checked rules over one user's events.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rules {
    min_length: u32,
    per: PerUser,
    split: Split,
}

#[derive(Debug, Clone, PartialEq)]
enum Split {
    Last(LastRule),
    Time(TimeCuts),
    User(HashShares),
    Hash(HashShares),
}

impl Rules {
    /// The rules of a configuration. Where it splits by shares of time, `cuts` finds the times that part the log's rows
    /// so, with the help of [`TimeShares::ranks`] and [`TimeShares::cuts`].
    ///
    /// # Errors
    /// Those of [`check`](crate::rules::check) that concern the split, and those of `cuts`.
    pub(crate) fn new(
        config: &RulesConfig<'_>,
        cuts: impl FnOnce(TimeShares) -> Result<TimeCuts, PrepareError>,
    ) -> Result<Self, PrepareError> {
        let split = match config.split.rule()? {
            SplitRule::Last(rule) => Split::Last(rule),
            SplitRule::Time(TimeRule::Cuts(cuts)) => Split::Time(cuts),
            SplitRule::Time(TimeRule::Shares(shares)) => Split::Time(cuts(shares)?),
            SplitRule::User(shares) => Split::User(shares),
            SplitRule::Hash(shares) => Split::Hash(shares),
        };
        Ok(Self { min_length: config.history.min_length, per: config.samples.per, split })
    }

    /// Applies the rules to the events of the user with the key `user`, in ascending order of time, those of one time
    /// in the order of the log's rows. What was in `out` is lost.
    ///
    /// A history has only events that come before the sample in this order.
    pub(crate) fn apply(&self, user: &str, events: &[LogEvent], out: &mut UserSamples) {
        out.history.clear();
        out.samples.clear();
        let mut window_end = None;
        let parts = UserParts::new(&self.split, user);
        // Rows that may become samples, from the current one on.
        let mut left = events.iter().filter(|event| event.may_be_sample).count() as u64;
        for (place, event) in (0..).zip(events) {
            let history_end = out.history.len() as u32;
            let taken = event.may_be_sample;
            let part = parts.of(event, taken.then_some(left));
            if window_end.is_none() && part.is_some_and(|part| part != Part::Train) {
                window_end = Some(history_end);
            }
            if let Some(part) = part
                && taken
                && (self.per == PerUser::Event || left == 1)
                && history_end >= self.min_length
            {
                out.samples.push(UserSample { place, positive: event.positive, history_end, part });
            }
            left -= u64::from(taken);
            if event.in_history {
                out.history.push(place);
            }
        }
        out.window_end = window_end.unwrap_or(out.history.len() as u32);
    }
}

/// The parts of one user's rows.
enum UserParts {
    Last {
        /// Among the rows that may become samples, as many of the last are for the test,
        test: u64,
        /// and as many for the test or validation.
        held_out: u64,
        /// The part of rows that cannot become samples.
        others: Option<Part>,
    },
    Time(TimeCuts),
    All(Part),
    Hash(HashShares),
}

impl UserParts {
    fn new(split: &Split, user: &str) -> Self {
        match split {
            Split::Last(LastRule::Rows { test, validation }) => {
                let test = u64::from(*test);
                Self::Last { test, held_out: test + u64::from(*validation), others: None }
            }
            Split::Last(LastRule::Users { test, validation }) => {
                let test = u64::from(*test);
                match validation.part_of_text(user) {
                    Part::Train => Self::Last { test, held_out: test, others: None },
                    part => Self::Last { test, held_out: u64::MAX, others: Some(part) },
                }
            }
            Split::Time(cuts) => Self::Time(*cuts),
            Split::User(shares) => Self::All(shares.part_of_text(user)),
            Split::Hash(shares) => Self::Hash(*shares),
        }
    }

    /// The part of a row, if it has one. For a row that may become a sample, `left` counts these from it on.
    fn of(&self, event: &LogEvent, left: Option<u64>) -> Option<Part> {
        match self {
            Self::Last { test, held_out, others } => match left {
                Some(left) if left <= *test => Some(Part::Test),
                Some(left) if left <= *held_out => Some(Part::Validation),
                Some(_) => Some(Part::Train),
                None => *others,
            },
            Self::Time(cuts) => Some(cuts.part(event.time)),
            Self::All(part) => Some(*part),
            Self::Hash(shares) => Some(shares.part(event.hash)),
        }
    }
}

//! Which events of a user stand in a list.

use std::ops::Range;

use fain_features::{Feature, FeatureKind, Keep};

/// Which end of a history a list keeps, and how much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cut {
    max_length: u64,
    keep: Keep,
}

impl Cut {
    /// The cut of a feature with lists; `None` for others.
    pub(crate) fn of(feature: &Feature) -> Option<Self> {
        match feature.kind {
            FeatureKind::Sequence { max_length, keep, .. } | FeatureKind::Times { max_length, keep, .. } => {
                Some(Self { max_length: max_length as u64, keep })
            }
            _ => None,
        }
    }

    /// The events of a history that are kept.
    pub(crate) fn apply(self, history: &Range<u64>) -> Range<u64> {
        let length = (history.end - history.start).min(self.max_length);
        match self.keep {
            Keep::Last => history.end - length..history.end,
            Keep::First => history.start..history.start + length,
        }
    }
}

/// The events of a history: those from `start`, the user's first, to the one before `end`, the last `max_length` of
/// them. `start` is at most `end`.
pub(crate) fn history(start: u32, end: u32, max_length: u32) -> Range<u64> {
    u64::from(end.saturating_sub(max_length).max(start))..u64::from(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_ends_before_the_sample_and_starts_with_the_user() {
        assert_eq!(history(10, 14, 50), 10..14);
        assert_eq!(history(10, 14, 3), 11..14);
        assert_eq!(history(10, 10, 3), 10..10);
        assert_eq!(history(0, 2, 3), 0..2);
    }

    #[test]
    fn a_list_keeps_one_end() {
        let cut = |max_length, keep| Cut { max_length, keep }.apply(&(10..14));
        assert_eq!(cut(3, Keep::Last), 11..14);
        assert_eq!(cut(3, Keep::First), 10..13);
        assert_eq!(cut(4, Keep::Last), 10..14);
        assert_eq!(cut(u64::MAX, Keep::First), 10..14);
        assert_eq!(Cut { max_length: 3, keep: Keep::Last }.apply(&(7..7)), 7..7);
    }
}

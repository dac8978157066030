//! Draws items that a user has not chosen.

use std::ops::Range;

use crate::error::SamplesError;
use crate::negatives::chosen::Chosen;
use crate::negatives::key::{DrawKey, Numbers, Slot, SlotKind};
use crate::negatives::rule::{Draw, Exclude, NegativeRule};
use crate::negatives::weights::WeightedItems;

/// Draws that are thrown away before all items are looked at. Both ways give every item the same chance; with half of
/// the weight excluded, the second is taken once in 10¹⁹ draws.
const TRIES: u32 = 64;

/// Draws negatives by a rule. A draw is a function of the rule, the items' counts, the key and what is excluded, and of
/// nothing else: any thread may draw, in any order.
///
/// ```
/// use fain_samples::{
///     ChosenItems, Distribution, Draw, DrawKey, Exclude, Excluded, NegativeRule, NegativeSampler, Part, Slot,
/// };
///
/// let rule = NegativeRule {
///     distribution: Distribution::Popularity(0.75),
///     exclude: Exclude::Past,
///     draw: Draw::Epoch,
///     seed: 1,
/// };
/// // Item 1 has no events in the training windows: training does not know it.
/// let sampler = NegativeSampler::new(&rule, [8, 0, 1, 5])?;
/// // The one user chose items 0 and 3; the sample is that of the second event.
/// let chosen = ChosenItems::new([[(0, 0), (1, 3)]]);
/// let excluded = Excluded { chosen: chosen.of(0).unwrap_or_default(), history_end: 1, window_end: 2, positive: Some(3) };
/// let key = DrawKey { epoch: 0, part: Part::Train, row: 0, slot: Slot::Candidate(0) };
/// assert_eq!(sampler.draw(key, &excluded)?, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct NegativeSampler {
    items: WeightedItems,
    exclude: Exclude,
    draw: Draw,
    seed: u64,
}

/// What is never drawn for a sample. Rows are those of `events.arrow`.
#[derive(Debug, Clone, Copy)]
pub struct Excluded<'a> {
    /// What the sample's user has chosen, at any time. Only events before the sample are looked at, and those of the
    /// training window where the rule says so.
    pub chosen: Chosen<'a>,
    /// The row behind the last event of the sample's history.
    pub history_end: u32,
    /// The row behind the last event of the user's training window. It never lies behind the history of a validation or
    /// test sample, so that their draws do not depend on what came after.
    pub window_end: u32,
    /// The item of the positive that candidates are drawn for. `None` for negatives beside events of a history: those
    /// would tell positive samples from others if they kept away from the candidate of the former.
    pub positive: Option<u32>,
}

/// No item is left to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{}, row {}: no negative can be drawn: the user has chosen every one of the {items} items with events in the \
     training windows",
    key.part,
    key.row.saturating_add(1)
)]
pub struct NoneLeft {
    /// The draw.
    pub key: DrawKey,
    /// How many items can be drawn for users who have chosen nothing.
    pub items: usize,
}

impl NegativeSampler {
    /// Draws from the items whose `counts`, their events in the training windows, are above 0; items are numbered as
    /// their counts come.
    ///
    /// # Errors
    /// [`SamplesError::Layout`] if the exponent of the popularity is negative or not finite.
    pub fn new(rule: &NegativeRule, counts: impl IntoIterator<Item = u32>) -> Result<Self, SamplesError> {
        rule.distribution.check("popularity")?;
        let items = WeightedItems::new(rule.distribution, counts);
        Ok(Self { items, exclude: rule.exclude, draw: rule.draw, seed: rule.seed })
    }

    /// Draws an item. Draws with different keys are independent: an item may come twice in one row.
    ///
    /// # Errors
    /// [`NoneLeft`] if every item that can be drawn is excluded.
    pub fn draw(&self, key: DrawKey, excluded: &Excluded<'_>) -> Result<u32, NoneLeft> {
        let (kind, place) = key.slot.place();
        let item = self.items.draw(self.numbers(key, kind).number(place, 0)).ok_or_else(|| self.none_left(key))?;
        if self.excludes(excluded, item) { self.draw_again(key, excluded) } else { Ok(item) }
    }

    /// Draws an item for each of a row's events: those that [`NegativeSampler::draw`] gives with [`Slot::History`],
    /// whatever the slot of `key` is. `out` is as long as there are events.
    pub(crate) fn draw_list(
        &self,
        key: DrawKey,
        events: Range<u64>,
        excluded: &Excluded<'_>,
        out: &mut [u32],
    ) -> Result<(), NoneLeft> {
        // Events are numbered by 32 bits.
        let first = events.start as u32;
        let history = |event| DrawKey { slot: Slot::History(event), ..key };
        let numbers = self.numbers(key, SlotKind::History);
        // All first tries, then the few that hit what is excluded: neither loop waits for what the other is good at.
        self.items.fill(|event| numbers.number(event, 0), first, out).ok_or_else(|| self.none_left(history(first)))?;
        for (item, event) in out.iter_mut().zip(first..) {
            if self.excludes(excluded, *item) {
                *item = self.draw_again(history(event), excluded)?;
            }
        }
        Ok(())
    }

    /// The tries after the first one.
    #[cold]
    fn draw_again(&self, key: DrawKey, excluded: &Excluded<'_>) -> Result<u32, NoneLeft> {
        let (kind, place) = key.slot.place();
        let numbers = self.numbers(key, kind);
        let item = |again| self.items.draw(numbers.number(place, again));
        let drawn = (1..TRIES).filter_map(item).find(|item| !self.excludes(excluded, *item));
        let rest = || {
            let chosen = excluded.chosen.before(self.end(excluded));
            self.items.draw_without(with(chosen.iter().copied(), excluded.positive), numbers.number(place, TRIES))
        };
        drawn.or_else(rest).ok_or_else(|| self.none_left(key))
    }

    fn numbers(&self, key: DrawKey, kind: SlotKind) -> Numbers {
        let epoch = match self.draw {
            Draw::Fixed => 0,
            Draw::Epoch => key.epoch,
        };
        Numbers::new(self.seed, (epoch, key.part, key.row), kind)
    }

    /// The row from which on an event does not matter.
    #[inline]
    fn end(&self, excluded: &Excluded<'_>) -> u32 {
        match self.exclude {
            Exclude::Past => excluded.history_end,
            Exclude::Window => excluded.history_end.max(excluded.window_end),
        }
    }

    #[inline]
    fn excludes(&self, excluded: &Excluded<'_>, item: u32) -> bool {
        excluded.positive == Some(item) || excluded.chosen.contains(item, self.end(excluded))
    }

    fn none_left(&self, key: DrawKey) -> NoneLeft {
        NoneLeft { key, items: self.items.len() }
    }
}

/// One more item in its place among ascending ones.
fn with(items: impl Iterator<Item = u32> + Clone, more: Option<u32>) -> impl Iterator<Item = u32> + Clone {
    let below = items.clone().take_while(move |item| more.is_none_or(|more| *item < more));
    let others = items.skip_while(move |item| more.is_none_or(|more| *item <= more));
    below.chain(more).chain(others)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::collection::vec;
    use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};

    use super::*;
    use crate::negatives::chosen::ChosenItems;
    use crate::negatives::rule::Distribution;
    use crate::part::Part;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        /// A list has the items that are drawn for its events one by one, also where all that can be drawn is excluded.
        #[test]
        fn a_list_is_drawn_as_its_events_are(
            counts in vec(0_u32..4, 1..30),
            chosen in vec(0_u32..30, 0..60),
            events in 0_u64..60,
            length in 0_usize..60,
            popular in any::<bool>(),
            epoch in 0_u64..3,
        ) {
            let distribution = if popular { Distribution::Popularity(0.75) } else { Distribution::Uniform };
            let rule = NegativeRule { distribution, exclude: Exclude::Past, draw: Draw::Epoch, seed: 9 };
            let sampler = NegativeSampler::new(&rule, counts.iter().copied()).unwrap();
            let all = ChosenItems::new([(0..).zip(chosen)]);
            let excluded =
                Excluded { chosen: all.of(0).unwrap(), history_end: 40, window_end: 0, positive: None };
            let key = DrawKey { epoch, part: Part::Train, row: 5, slot: Slot::History(0) };
            let mut list = vec![u32::MAX; length];
            let outcome = sampler.draw_list(key, events..events + length as u64, &excluded, &mut list);
            let one = |event| sampler.draw(DrawKey { slot: Slot::History(event as u32), ..key }, &excluded);
            let expected: Result<Vec<u32>, NoneLeft> = (events..events + length as u64).map(one).collect();
            prop_assert_eq!(outcome.map(|()| list), expected);
        }
    }

    #[test]
    fn one_more_item_keeps_the_order() {
        let all = |items: &[u32], more| with(items.iter().copied(), more).collect::<Vec<_>>();
        assert_eq!(all(&[1, 4, 7], None), [1, 4, 7]);
        assert_eq!(all(&[1, 4, 7], Some(0)), [0, 1, 4, 7]);
        assert_eq!(all(&[1, 4, 7], Some(4)), [1, 4, 7]);
        assert_eq!(all(&[1, 4, 7], Some(5)), [1, 4, 5, 7]);
        assert_eq!(all(&[1, 4, 7], Some(8)), [1, 4, 7, 8]);
        assert_eq!(all(&[], Some(8)), [8]);
    }
}

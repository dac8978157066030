//! Draws items that a user has not chosen.

use crate::error::SamplesError;
use crate::negatives::chosen::Chosen;
use crate::negatives::key::{DrawKey, Numbers};
use crate::negatives::rule::{Distribution, Draw, Exclude, NegativeRule};
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
    "{}, row {}: no negative can be drawn: of the {items} items with events in the training windows, the user has \
     chosen every one",
    key.part,
    key.row
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
        if let Distribution::Popularity(exponent) = rule.distribution
            && !(exponent >= 0.0 && exponent.is_finite())
        {
            return Err(SamplesError::Layout {
                name: "popularity".to_owned(),
                reason: format!("the exponent is {exponent}; a finite number of at least 0 is needed"),
            });
        }
        let items = WeightedItems::new(rule.distribution, counts);
        Ok(Self { items, exclude: rule.exclude, draw: rule.draw, seed: rule.seed })
    }

    /// Draws an item. Draws with different keys are independent: an item may come twice in one row.
    ///
    /// # Errors
    /// [`NoneLeft`] if every item that can be drawn is excluded.
    pub fn draw(&self, key: DrawKey, excluded: &Excluded<'_>) -> Result<u32, NoneLeft> {
        let end = match self.exclude {
            Exclude::Past => excluded.history_end,
            Exclude::Window => excluded.history_end.max(excluded.window_end),
        };
        let epoch = match self.draw {
            Draw::Fixed => 0,
            Draw::Epoch => key.epoch,
        };
        let mut numbers = Numbers::new(self.seed, DrawKey { epoch, ..key });
        let none_left = || NoneLeft { key, items: self.items.len() };
        for _ in 0..TRIES {
            let item = self.items.draw(&mut numbers).ok_or_else(none_left)?;
            if excluded.positive != Some(item) && !excluded.chosen.contains(item, end) {
                return Ok(item);
            }
        }
        let chosen = excluded.chosen.before(end);
        self.items.draw_without(with(chosen, excluded.positive), &mut numbers).ok_or_else(none_left)
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
    use super::with;

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

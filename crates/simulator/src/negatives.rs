//! Items that a user has not chosen, to be told apart from those that she has.
//!
//! A negative of a sample is drawn evenly from the items that are not among the user's events up to
//! then. That is known at the time of the sample: an item that she clicks later is drawn as often as
//! any other, and so is the candidate, whether it is clicked or not. A rule that looked at later
//! clicks would give the label away.

use crate::random::{Purpose, Random};

/// Draws the negatives of one user's samples.
pub(crate) struct Negatives {
    /// A stream of its own: what happens to the user does not depend on it.
    random: Random,
    /// Items in the catalogue.
    items: u32,
    /// The items of all events so far, most recent last.
    events: Vec<u32>,
    /// The same items in ascending order, each once.
    chosen: Vec<u32>,
}

impl Negatives {
    pub(crate) fn new(seed: u64, user: u64, items: u32) -> Self {
        Self { random: Random::new(seed, Purpose::Negatives, user), items, events: Vec::new(), chosen: Vec::new() }
    }

    /// The user viewed or clicked an item.
    pub(crate) fn event(&mut self, item: u32) {
        self.events.push(item);
        if let Err(place) = self.chosen.binary_search(&item) {
            self.chosen.insert(place, item);
        }
    }

    /// Draws a negative for each of the last `most` events, in their order.
    pub(crate) fn draw(&mut self, most: usize, mut visit: impl FnMut(u32)) {
        for place in self.events.len().saturating_sub(most)..self.events.len() {
            let event = self.events[place];
            visit(self.other_than(event));
        }
    }

    fn other_than(&mut self, event: u32) -> u32 {
        let left = self.items - self.chosen.len() as u32;
        if left == 0 {
            // She has had everything there is: any item but the event's own. A shop has 20 items at least.
            let rank = self.random.below(self.items - 1);
            return rank + u32::from(rank >= event);
        }
        nth_left(&self.chosen, self.random.below(left))
    }
}

/// The item that has `rank` smaller ones beside it among those not in `chosen`, which is sorted.
fn nth_left(chosen: &[u32], rank: u32) -> u32 {
    // Below `chosen[k]` there are `chosen[k] - k` items that are not chosen. The item sought comes after
    // every chosen one with at most `rank` of them below it; it is found by halving.
    let (mut low, mut high) = (0, chosen.len());
    while low < high {
        let middle = usize::midpoint(low, high);
        if chosen[middle] - middle as u32 <= rank {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    rank + low as u32
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{ProptestConfig, prop_assert, prop_assert_eq, proptest};

    use super::Negatives;

    fn after(events: &[u32], items: u32) -> Negatives {
        let mut negatives = Negatives::new(1, 2, items);
        for &item in events {
            negatives.event(item);
        }
        negatives
    }

    fn drawn(negatives: &mut Negatives, most: usize) -> Vec<u32> {
        let mut drawn = Vec::new();
        negatives.draw(most, |item| drawn.push(item));
        drawn
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn each_event_has_one_that_was_not_chosen(events in vec(0_u32..30, 0..25), most in 0_usize..30) {
            let drawn = drawn(&mut after(&events, 30), most);
            prop_assert_eq!(drawn.len(), events.len().min(most));
            prop_assert!(drawn.iter().all(|item| *item < 30 && !events.contains(item)), "{:?} {:?}", drawn, events);
        }

        #[test]
        fn who_has_had_everything_gets_another_item(more in vec(0_u32..20, 0..10)) {
            let events: Vec<u32> = (0..20).chain(more).collect();
            let drawn = drawn(&mut after(&events, 20), usize::MAX);
            prop_assert_eq!(drawn.len(), events.len());
            prop_assert!(drawn.iter().zip(&events).all(|(item, event)| *item < 20 && item != event));
        }
    }

    #[test]
    fn all_that_are_left_are_as_likely() {
        let mut negatives = after(&[0, 3, 3, 4, 9], 10);
        let mut counts = [0_u32; 10];
        for _ in 0..2000 {
            negatives.draw(5, |item| counts[item as usize] += 1);
        }
        for (item, count) in counts.into_iter().enumerate() {
            // Of 10,000 draws each of six items has 1,667; the standard deviation is 37.
            let expected = if [0, 3, 4, 9].contains(&item) { 0 } else { 1667 };
            assert!(count.abs_diff(expected) < if expected == 0 { 1 } else { 160 }, "{counts:?}");
        }
    }

    #[test]
    fn a_user_has_a_stream_of_her_own() {
        let of = |seed, user| {
            let mut negatives = Negatives::new(seed, user, 1_000_000);
            negatives.event(7);
            drawn(&mut negatives, 1)[0]
        };
        assert_eq!(of(1, 2), of(1, 2));
        assert!(of(1, 2) != of(1, 3) && of(1, 2) != of(2, 2));
    }
}

//! Which items a user has chosen, and since when.

/// The items of every user's events, for quick questions: has this user chosen that item before this event?
///
/// Each item of a user is held once, with its first event: 8 bytes, and two to four bytes of a filter, which answers
/// most questions about items that were never chosen.
#[derive(Debug, Clone, Default)]
pub struct ChosenItems {
    /// Where the items of each user begin; one more at the end.
    starts: Vec<usize>,
    /// Apart from their first events, so that a search touches few cache lines.
    items: Vec<u32>,
    /// The row of the first event with each item.
    first: Vec<u32>,
    /// Where the filter of each user begins; one more at the end.
    filter_starts: Vec<usize>,
    filters: Vec<u64>,
}

/// The items of one user's events, in ascending order.
#[derive(Debug, Clone, Copy, Default)]
pub struct Chosen<'a> {
    items: &'a [u32],
    first: &'a [u32],
    filter: Filter<'a>,
}

/// Two bits for each item, in a word that follows from the item: a blocked Bloom filter. F. Putze, P. Sanders and J.
/// Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", 2009, <https://doi.org/10.1145/1498698.1594230>.
#[derive(Debug, Clone, Copy, Default)]
struct Filter<'a> {
    /// A power of two of them, or none.
    words: &'a [u64],
}

/// Most items that share a word, on average: an eighth of the bits is set at most, and of the items that are not there
/// one of 64 passes.
const ITEMS_PER_WORD: usize = 4;

impl ChosenItems {
    /// Reads the events of all users: for each one, in order, the rows of the user's events and their items, as
    /// `(row, item)`. Rows are those of `events.arrow` (or count from any other place, as long as the ends of
    /// histories and windows do, too), ascending within a user.
    ///
    /// ```
    /// use fain_samples::ChosenItems;
    ///
    /// let chosen = ChosenItems::new([vec![(0, 7), (1, 9), (2, 7)], vec![], vec![(3, 9)]]);
    /// let user = chosen.of(0).unwrap_or_default();
    /// assert!(user.contains(9, 2) && !user.contains(9, 1));
    /// assert!(chosen.of(1).is_some_and(|user| !user.contains(9, u32::MAX)));
    /// assert!(chosen.of(3).is_none());
    /// ```
    pub fn new<E: IntoIterator<Item = (u32, u32)>>(users: impl IntoIterator<Item = E>) -> Self {
        let mut chosen = Self { starts: vec![0], filter_starts: vec![0], ..Self::default() };
        let mut sorted: Vec<u64> = Vec::new();
        for events in users {
            sorted.clear();
            // Item in the upper half, row in the lower: one comparison sorts by item, then row.
            sorted.extend(events.into_iter().map(|(row, item)| (u64::from(item) << 32) | u64::from(row)));
            sorted.sort_unstable();
            sorted.dedup_by_key(|choice| *choice >> 32);
            chosen.items.extend(sorted.iter().map(|choice| (choice >> 32) as u32));
            chosen.first.extend(sorted.iter().map(|choice| *choice as u32));
            chosen.starts.push(chosen.items.len());
            chosen.add_filter(&sorted);
        }
        chosen.items.shrink_to_fit();
        chosen.first.shrink_to_fit();
        chosen.filters.shrink_to_fit();
        chosen
    }

    /// Appends the filter of a user, whose items are in the upper halves.
    fn add_filter(&mut self, choices: &[u64]) {
        let (start, words) = (self.filters.len(), choices.len().div_ceil(ITEMS_PER_WORD));
        let words = if words == 0 { 0 } else { words.next_power_of_two() };
        self.filters.resize(start + words, 0);
        for choice in choices {
            let (word, bits) = place((choice >> 32) as u32, words);
            self.filters[start + word] |= bits;
        }
        self.filter_starts.push(self.filters.len());
    }

    /// How many users there are.
    pub fn users(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// The items of a user; `None` if there is no such user.
    pub fn of(&self, user: u32) -> Option<Chosen<'_>> {
        let user = user as usize;
        let choices = *self.starts.get(user)?..*self.starts.get(user + 1)?;
        let words = self.filters.get(*self.filter_starts.get(user)?..*self.filter_starts.get(user + 1)?)?;
        let filter = Filter { words };
        Some(Chosen { items: self.items.get(choices.clone())?, first: self.first.get(choices)?, filter })
    }
}

/// The word of an item, of so many, and its bits: parts of a product with the golden ratio, of 2⁶⁴, which spreads
/// neighbouring numbers. D. E. Knuth, The Art of Computer Programming, volume 3, section 6.4.
#[inline]
fn place(item: u32, words: usize) -> (usize, u64) {
    let hash = u64::from(item).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let word = (hash >> 32) as usize & words.wrapping_sub(1);
    (word, 1 << (hash >> 58) | 1 << (hash >> 52 & 63))
}

impl Filter<'_> {
    /// False only if the item is not there.
    #[inline]
    fn may_hold(self, item: u32) -> bool {
        let (word, bits) = place(item, self.words.len());
        self.words.get(word).is_some_and(|word| word & bits == bits)
    }
}

impl Chosen<'_> {
    /// Whether the user has an event with this item in a row before `row`.
    #[inline]
    pub fn contains(self, item: u32, row: u32) -> bool {
        self.filter.may_hold(item) && self.search(item, row)
    }

    /// Apart from the filter, which answers for nearly all items.
    #[cold]
    fn search(self, item: u32, row: u32) -> bool {
        self.items.binary_search(&item).is_ok_and(|place| self.first[place] < row)
    }

    /// The items of events in rows before `row`, ascending, each once.
    pub(crate) fn before(self, row: u32) -> impl Iterator<Item = u32> + Clone {
        self.items.iter().zip(self.first).filter(move |(_, first)| **first < row).map(|(item, _)| *item)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::collection::vec;
    use proptest::prelude::{ProptestConfig, prop_assert_eq, proptest};

    use super::{ChosenItems, ITEMS_PER_WORD};

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        /// Items that were never chosen are told by the filter alone, nearly always.
        #[test]
        fn the_filter_stops_most_others(chosen in vec(0_u32..20_000, 100..300)) {
            let all = ChosenItems::new([(0..).zip(chosen.iter().copied())]);
            let filter = all.of(0).unwrap().filter;
            let others = (0..20_000).filter(|item| !chosen.contains(item));
            let passed = others.filter(|item| filter.may_hold(*item)).count();
            prop_assert_eq!(passed < 20_000 / 25, true, "{} of 20,000", passed);
        }

        /// Items far apart and side by side, of users with none, few and many.
        #[test]
        fn the_filter_loses_no_item(users in vec(vec(proptest::num::u32::ANY, 0..300), 1..4), step in 1_u32..5) {
            let near = |user: &Vec<u32>| -> Vec<u32> { (0..user.len() as u32).map(|item| item * step).collect() };
            let users: Vec<Vec<u32>> = users.iter().cloned().chain(users.iter().map(near)).collect();
            let chosen = ChosenItems::new(users.iter().map(|items| (0..).zip(items.iter().copied())));
            for (user, items) in (0..).zip(&users) {
                let of = chosen.of(user).unwrap();
                prop_assert_eq!(items.iter().find(|item| !of.contains(**item, u32::MAX)), None);
                let words = of.filter.words.len();
                prop_assert_eq!(words > 0 && !words.is_power_of_two(), false);
                prop_assert_eq!(words * ITEMS_PER_WORD < 2 * items.len() + ITEMS_PER_WORD, true);
            }
        }

        #[test]
        fn answers_are_those_of_a_search_through_the_events(users in vec(vec(0_u32..12, 0..20), 0..6)) {
            let mut row = 0;
            let users: Vec<Vec<(u32, u32)>> = users
                .into_iter()
                .map(|items| items.into_iter().map(|item| { row += 1; (row - 1, item) }).collect())
                .collect();
            let chosen = ChosenItems::new(users.iter().map(|events| events.iter().copied()));
            prop_assert_eq!(chosen.users(), users.len());
            prop_assert_eq!(chosen.of(users.len() as u32).is_none(), true);
            for (user, events) in (0..).zip(&users) {
                let of = chosen.of(user).unwrap();
                for before in 0..=row {
                    let known = |item| events.iter().any(|(row, other)| *other == item && *row < before);
                    for item in 0..13 {
                        prop_assert_eq!(of.contains(item, before), known(item));
                    }
                    let expected: Vec<u32> = (0..13).filter(|item| known(*item)).collect();
                    prop_assert_eq!(of.before(before).collect::<Vec<_>>(), expected);
                }
            }
        }
    }
}

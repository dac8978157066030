//! Which items a user has chosen, and since when.

/// The items of every user's events, for quick questions: has this user chosen that item before this event?
///
/// Each item of a user is held once, with its first event. An item falls into one of the user's buckets, each of which
/// has a filter: most questions about items that were never chosen are answered by it, the others by the bucket. All in
/// all 11 to 14 bytes an item, and 8 a user.
#[derive(Debug, Clone)]
pub struct ChosenItems {
    /// Where the buckets of each user begin; one more at the end.
    users: Vec<usize>,
    /// Two bits for each item of a bucket: a blocked Bloom filter. F. Putze, P. Sanders and J. Singler, "Cache-, Hash-
    /// and Space-Efficient Bloom Filters", 2009, <https://doi.org/10.1145/1498698.1594230>.
    filters: Vec<u64>,
    /// Where the items of each bucket begin; one more at the end. There are no more items than events, which are
    /// numbered by 32 bits.
    buckets: Vec<u32>,
    /// Items in the upper halves, the rows of their first events in the lower; ascending within a bucket.
    choices: Vec<u64>,
}

/// The items of one user's events.
#[derive(Debug, Clone, Copy, Default)]
pub struct Chosen<'a> {
    /// Those of the user's buckets, a power of two of them, or none.
    filters: &'a [u64],
    /// One more than filters.
    buckets: &'a [u32],
    /// Those of all users.
    choices: &'a [u64],
}

/// Most items of a bucket, on average: an eighth of the bits is set at most, and of the items that are not there
/// one of 64 passes.
const ITEMS_PER_BUCKET: usize = 4;

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
        let mut chosen = Self::default();
        let mut sorted: Vec<u64> = Vec::new();
        for events in users {
            sorted.clear();
            // One comparison sorts by item, then row.
            sorted.extend(events.into_iter().map(|(row, item)| (u64::from(item) << 32) | u64::from(row)));
            sorted.sort_unstable();
            sorted.dedup_by_key(|choice| *choice >> 32);
            chosen.add_user(&mut sorted);
        }
        chosen.filters.shrink_to_fit();
        chosen.buckets.shrink_to_fit();
        chosen.choices.shrink_to_fit();
        chosen
    }

    /// Appends the buckets of a user, who has these choices.
    fn add_user(&mut self, choices: &mut [u64]) {
        let first = self.filters.len();
        let buckets = choices.len().div_ceil(ITEMS_PER_BUCKET);
        let buckets = if buckets == 0 { 0 } else { buckets.next_power_of_two() };
        self.filters.resize(first + buckets, 0);
        choices.sort_unstable_by_key(|choice| (place(item(*choice), buckets).0, *choice));
        for choice in choices.iter() {
            let (bucket, bits) = place(item(*choice), buckets);
            self.filters[first + bucket] |= bits;
        }
        for bucket in 1..=buckets {
            let behind = choices.partition_point(|choice| place(item(*choice), buckets).0 < bucket);
            self.buckets.push((self.choices.len() + behind) as u32);
        }
        self.choices.extend_from_slice(choices);
        self.users.push(self.filters.len());
    }

    /// How many users there are.
    pub fn users(&self) -> usize {
        self.users.len().saturating_sub(1)
    }

    /// The items of a user; `None` if there is no such user.
    pub fn of(&self, user: u32) -> Option<Chosen<'_>> {
        let user = user as usize;
        let (start, end) = (*self.users.get(user)?, *self.users.get(user + 1)?);
        let (filters, buckets) = (self.filters.get(start..end)?, self.buckets.get(start..=end)?);
        Some(Chosen { filters, buckets, choices: &self.choices })
    }
}

impl Default for ChosenItems {
    /// No users.
    fn default() -> Self {
        Self { users: vec![0], filters: Vec::new(), buckets: vec![0], choices: Vec::new() }
    }
}

/// The item of a choice.
fn item(choice: u64) -> u32 {
    (choice >> 32) as u32
}

/// The bucket of an item, of so many, and its bits: parts of a product with the golden ratio, of 2⁶⁴, which spreads
/// neighbouring numbers. D. E. Knuth, The Art of Computer Programming, volume 3, section 6.4.
#[inline]
fn place(item: u32, buckets: usize) -> (usize, u64) {
    let hash = u64::from(item).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let bucket = (hash >> 32) as usize & buckets.wrapping_sub(1);
    (bucket, 1 << (hash >> 58) | 1 << (hash >> 52 & 63))
}

impl Chosen<'_> {
    /// Whether the user has an event with this item in a row before `row`.
    #[inline]
    pub fn contains(self, item: u32, row: u32) -> bool {
        self.may_contain(item) && self.search(item, row)
    }

    /// False only if the user has no event with this item.
    #[inline]
    fn may_contain(self, item: u32) -> bool {
        let (bucket, bits) = place(item, self.filters.len());
        self.filters.get(bucket).is_some_and(|filter| filter & bits == bits)
    }

    /// Apart from the filter, which answers for nearly all items.
    #[cold]
    fn search(self, wanted: u32, row: u32) -> bool {
        let (bucket, _) = place(wanted, self.filters.len());
        let choices = self.buckets.get(bucket).zip(self.buckets.get(bucket + 1));
        let choices = choices.and_then(|(start, end)| self.choices.get(*start as usize..*end as usize));
        choices.unwrap_or_default().iter().any(|choice| item(*choice) == wanted && (*choice as u32) < row)
    }

    /// The items of events in rows before `row`, ascending, each once.
    pub(crate) fn before(self, row: u32) -> Vec<u32> {
        let ends = self.buckets.first().zip(self.buckets.last());
        let choices = ends.and_then(|(start, end)| self.choices.get(*start as usize..*end as usize));
        let known = choices.unwrap_or_default().iter().filter(|choice| (**choice as u32) < row);
        let mut items: Vec<u32> = known.map(|choice| item(*choice)).collect();
        items.sort_unstable();
        items
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::collection::vec;
    use proptest::prelude::{ProptestConfig, prop_assert_eq, proptest};

    use super::{ChosenItems, ITEMS_PER_BUCKET};

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        /// Items that were never chosen are told by the filter alone, nearly always.
        #[test]
        fn the_filter_stops_most_others(chosen in vec(0_u32..20_000, 100..300)) {
            let all = ChosenItems::new([(0..).zip(chosen.iter().copied())]);
            let of = all.of(0).unwrap();
            let others = (0..20_000).filter(|item| !chosen.contains(item));
            let passed = others.filter(|item| of.may_contain(*item)).count();
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
                let buckets = of.filters.len();
                prop_assert_eq!(buckets > 0 && !buckets.is_power_of_two(), false);
                prop_assert_eq!(buckets * ITEMS_PER_BUCKET < 2 * items.len() + ITEMS_PER_BUCKET, true);
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
                    prop_assert_eq!(of.before(before), expected);
                }
            }
        }
    }
}

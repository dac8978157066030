//! Which items a user has chosen, and since when.

/// The items of every user's events, for quick questions: has this user chosen that item before this event?
///
/// Each item of a user is held once, with its first event: 8 bytes.
#[derive(Debug, Clone, Default)]
pub struct ChosenItems {
    /// Where the items of each user begin; one more at the end.
    starts: Vec<usize>,
    choices: Vec<Choice>,
}

#[derive(Debug, Clone, Copy)]
struct Choice {
    item: u32,
    /// The row of the first event with the item.
    first: u32,
}

/// The items of one user's events, in ascending order.
#[derive(Debug, Clone, Copy, Default)]
pub struct Chosen<'a>(&'a [Choice]);

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
        let mut chosen = Self { starts: vec![0], choices: Vec::new() };
        let mut sorted: Vec<u64> = Vec::new();
        for events in users {
            sorted.clear();
            // Item in the upper half, row in the lower: one comparison sorts by item, then row.
            sorted.extend(events.into_iter().map(|(row, item)| (u64::from(item) << 32) | u64::from(row)));
            sorted.sort_unstable();
            sorted.dedup_by_key(|choice| *choice >> 32);
            let choices = sorted.iter().map(|choice| Choice { item: (choice >> 32) as u32, first: *choice as u32 });
            chosen.choices.extend(choices);
            chosen.starts.push(chosen.choices.len());
        }
        chosen.choices.shrink_to_fit();
        chosen
    }

    /// How many users there are.
    pub fn users(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// The items of a user; `None` if there is no such user.
    pub fn of(&self, user: u32) -> Option<Chosen<'_>> {
        let user = user as usize;
        let (start, end) = (*self.starts.get(user)?, *self.starts.get(user + 1)?);
        self.choices.get(start..end).map(Chosen)
    }
}

impl Chosen<'_> {
    /// Whether the user has an event with this item in a row before `row`.
    pub fn contains(self, item: u32, row: u32) -> bool {
        match self.0.binary_search_by_key(&item, |choice| choice.item) {
            Ok(place) => self.0[place].first < row,
            Err(_) => false,
        }
    }

    /// The items of events in rows before `row`, ascending, each once.
    pub(crate) fn before(self, row: u32) -> impl Iterator<Item = u32> + Clone {
        self.0.iter().filter(move |choice| choice.first < row).map(|choice| choice.item)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::collection::vec;
    use proptest::prelude::{ProptestConfig, prop_assert_eq, proptest};

    use super::ChosenItems;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

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

//! Negatives of the rows of a folder.

use std::collections::HashSet;

use fain_samples::{Draw, DrawnRow, Exclude, Part};
use proptest::prelude::{ProptestConfig, prop_assert, prop_assert_eq, proptest};

use crate::star::{Shape, Star, stars};
use crate::support::{FULL, Written};

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// No draw is an item that the rules exclude, for any row of any part.
    #[test]
    fn nothing_excluded_is_drawn(star in stars(), epoch in 0_u64..3) {
        let folder = Written::new(&star).open();
        let drawing = folder.drawing().unwrap();
        let negatives = &star.negatives;
        prop_assert_eq!(drawing.is_some(), negatives.candidates.is_some() || negatives.history.is_some());
        let Some(drawing) = drawing else { return Ok(()) };
        for part in Part::ALL {
            let rows = star.rows.get(part);
            for (row, (user, end)) in (0..).zip(rows.users.iter().zip(&rows.history_ends)) {
                let start = star.users.events_starts[*user as usize];
                let window = star.users.window_ends[*user as usize];
                let drawn = DrawnRow { epoch, part, row, user: *user, history_end: *end, window_end: window };
                let chosen = |exclude| {
                    let stop = if exclude == Exclude::Window { window.max(*end) } else { *end };
                    star.events.items[start as usize..stop as usize].iter().copied().collect::<HashSet<u32>>()
                };
                let positive = rows.items[row as usize];
                if let Some(candidates) = &negatives.candidates {
                    for number in 0..candidates.per_positive {
                        let item = drawing.candidate(&drawn, positive, number).unwrap();
                        prop_assert!(item != positive && !chosen(candidates.rule.exclude).contains(&item));
                    }
                } else {
                    prop_assert_eq!(drawing.candidate(&drawn, positive, 0).unwrap(), positive);
                }
                let events = folder.history(*user, *end);
                let mut items = vec![u32::MAX; (events.end - events.start) as usize];
                drawing.list(&drawn, events, &mut items).unwrap();
                for item in items {
                    match &negatives.history {
                        Some(rule) => prop_assert!(!chosen(rule.exclude).contains(&item)),
                        None => prop_assert_eq!(item, u32::MAX),
                    }
                }
            }
        }
    }
}

/// The candidates of every row of a star in an epoch.
fn candidates(star: &Star, epoch: u64) -> Vec<u32> {
    let folder = Written::new(star).open();
    let drawing = folder.drawing().unwrap().unwrap();
    let rows = folder.rows(Part::Train);
    let candidate = |row| {
        let (user, history_end) = (rows.users.at(row), rows.history_ends.at(row));
        let window_end = folder.users().window_ends.at(u64::from(user));
        let drawn = DrawnRow { epoch, part: Part::Train, row, user, history_end, window_end };
        drawing.candidate(&drawn, rows.items.at(row), 0).unwrap()
    };
    (0..rows.rows).map(candidate).collect()
}

#[test]
fn epochs_change_the_draws_where_the_rule_says_so() {
    let mut star = Star::random(Shape { users: 20, items: 50, ..FULL });
    assert_eq!(candidates(&star, 0), candidates(&star, 1));
    star.negatives.candidates.as_mut().unwrap().rule.draw = Draw::Epoch;
    let (first, second) = (candidates(&star, 0), candidates(&star, 1));
    let equal = first.iter().zip(&second).filter(|(first, second)| first == second).count();
    assert!(first.len() > 100 && equal < first.len() / 5, "{equal} of {} draws are equal", first.len());
}

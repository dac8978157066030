//! Folders whose files are whole but do not fit each other.

use fain_samples::{Field, Part, TermTable, Values};

use crate::star::{Shape, Star};
use crate::support::{FULL, Written};

/// A folder with one user's five events and a sample before each but the first; no negatives.
fn sound() -> Star {
    let mut star = Star::random(Shape { users: 0, items: 5, candidates: None, history: false, columns: false, ..FULL });
    star.rows.train.labels = vec![0, 1, 1, 0];
    star.rows.train.users = vec![0; 4];
    star.rows.train.items = vec![1, 2, 3, 4];
    star.rows.train.history_ends = vec![1, 2, 3, 4];
    star.rows.train.times = vec![0; 4];
    star
}

/// What is said of a star that was changed.
fn refusal(change: impl FnOnce(&mut Star)) -> String {
    let mut star = sound();
    Written::new(&star).open();
    change(&mut star);
    Written::new(&star).refusal()
}

#[test]
fn samples() {
    assert_eq!(refusal(|star| star.rows.train.labels[2] = 2), "train.arrow: the largest label is 2; needed: 0 or 1");
    assert_eq!(
        refusal(|star| star.rows.train.users[3] = 1),
        "train.arrow: the largest code of the column \"user\" is 1; needed: below 1, the number of rows of users.arrow"
    );
    assert_eq!(
        refusal(|star| star.rows.train.items[3] = 5),
        "train.arrow: the largest code of the column \"item\" is 5; needed: below 5, the number of rows of items.arrow"
    );
    assert_eq!(
        refusal(|star| star.rows.train.history_ends[3] = 6),
        "train.arrow: history_end of row 3 is 6; needed: 0 to 5, the events of user 0"
    );
    assert_eq!(
        refusal(|star| star.rows.train.history_ends[3] = 2),
        "train.arrow: user, history_end of row 3 is 0, 2; needed: 0, 3 or more, those of the row before"
    );
}

#[test]
fn samples_of_other_users() {
    let two_users = |star: &mut Star| {
        star.users.events_starts = vec![0, 3];
        star.users.events_ends = vec![3, 5];
        star.users.window_ends = vec![3, 5];
        star.terms[0].1 = vec!["a".to_owned(), "b".to_owned()];
    };
    assert_eq!(
        refusal(|star| {
            two_users(star);
            star.rows.train.users = vec![0, 0, 1, 0];
        }),
        "train.arrow: history_end of row 3 is 4; needed: 0 to 3, the events of user 0"
    );
    assert_eq!(
        refusal(|star| {
            two_users(star);
            star.rows.train.users = vec![0, 0, 1, 0];
            star.rows.train.history_ends = vec![1, 2, 3, 3];
        }),
        "train.arrow: user, history_end of row 3 is 0, 3; needed: 1, 3 or more, those of the row before"
    );
    // A history that would begin among the events of the user before.
    assert_eq!(
        refusal(|star| {
            two_users(star);
            star.rows.train.users = vec![0, 0, 1, 1];
            star.rows.train.history_ends = vec![1, 2, 2, 4];
        }),
        "train.arrow: history_end of row 2 is 2; needed: 3 to 5, the events of user 1"
    );
}

#[test]
fn users() {
    assert_eq!(
        refusal(|star| star.users.events_starts[0] = 1),
        "users.arrow: events_start of row 0 is 1; needed: 0, where the events of the user before end"
    );
    assert_eq!(
        refusal(|star| star.users.events_ends[0] = 4),
        "users.arrow: window_end of row 0 is 5; needed: 0 to 4, the events of the user"
    );
    assert_eq!(
        refusal(|star| {
            star.users.events_ends[0] = 4;
            star.users.window_ends[0] = 4;
        }),
        "users.arrow: the last events_end is 4; needed: 5, the number of events"
    );
    assert_eq!(
        refusal(|star| {
            star.users.events_starts.push(5);
            star.users.events_ends.push(4);
            star.users.window_ends.push(4);
            star.terms[0].1.push("b".to_owned());
        }),
        "users.arrow: events_end of row 1 is 4; needed: 5 or more, where the events start"
    );
    assert_eq!(
        refusal(|star| star.terms[0].1.push("b".to_owned())),
        "terms/0.arrow: the number of rows is 2; needed: 1, as users.arrow has"
    );
}

#[test]
fn items_and_terms() {
    assert_eq!(
        refusal(|star| star.events.items[2] = 5),
        "events.arrow: the largest code of the column \"item\" is 5; needed: below 5, the number of rows of items.arrow"
    );
    assert_eq!(
        refusal(|star| {
            let texts = &mut star.terms.iter_mut().find(|(of, _)| *of == TermTable::Item(Field::Key)).unwrap().1;
            texts.pop();
        }),
        "terms/1.arrow: the number of rows is 4; needed: 5, as items.arrow has"
    );
    let mut star = Star::random(FULL);
    let Values::Terms(lists) = &mut star.items.columns[0] else { panic!("genres are lists") };
    let rows = lists.len();
    lists.push([6]);
    star.items.counts.push(0);
    for column in &mut star.items.columns[1..] {
        match column {
            Values::Term(codes) => codes.push(0),
            Values::Number(numbers) => numbers.push(0.0),
            Values::Terms(_) => panic!("only genres are lists"),
        }
    }
    star.terms[1].1.push("one more".to_owned());
    assert_eq!(rows, 9);
    assert_eq!(
        Written::new(&star).refusal(),
        "items.arrow: the largest code of the column \"item:genres\" is 6; needed: below 6, the number of rows of its \
         table of terms"
    );
}

#[test]
fn negative_candidates_stand_beside_positives() {
    let mut star = Star::random(FULL);
    assert!(star.rows.get(Part::Train).labels.len() > 1);
    star.rows.train.labels[1] = 0;
    assert_eq!(
        Written::new(&star).refusal(),
        "train.arrow: the number of rows with label 0 is 1; needed: 0, as negative candidates are drawn"
    );
}

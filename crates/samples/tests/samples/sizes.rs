//! Tables on both sides of a run of 65,536 rows.

use fain_samples::{EventBlock, Field, ItemBlock, Part, RowBlock, TermTable, UserBlock};

use crate::round_trip::check;
use crate::star::{Shape, Star};
use crate::support::Written;

/// One user with `rows` events, one of each item, and a sample before each event.
fn long(rows: u32) -> Star {
    let shape = Shape {
        users: 0,
        items: 4,
        max_length: 70_000,
        times: false,
        columns: false,
        candidates: None,
        history: false,
        seed: 1,
    };
    let mut star = Star::random(shape);
    let layout = &star.layout;
    let all: Vec<u32> = (0..rows).collect();
    star.rows.train = RowBlock {
        labels: all.iter().map(|row| u8::from(row % 3 == 0)).collect(),
        users: vec![0; rows as usize],
        items: all.iter().map(|row| rows - 1 - row).collect(),
        history_ends: all.clone(),
        ..RowBlock::new(layout)
    };
    star.events = EventBlock { items: all.clone(), ..EventBlock::new(layout) };
    // Users without events around the one with all of them.
    star.users = UserBlock {
        events_starts: all.iter().map(|row| if *row == 0 { 0 } else { rows }).collect(),
        events_ends: vec![rows; rows as usize],
        window_ends: vec![rows; rows as usize],
        columns: vec![],
    };
    star.items = ItemBlock { counts: vec![1; rows as usize], columns: vec![] };
    star.terms = vec![
        (TermTable::User(Field::Key), all.iter().map(|row| format!("u{row}")).collect()),
        (TermTable::Item(Field::Key), all.iter().map(|row| format!("i{row}")).collect()),
    ];
    star
}

#[test]
fn rows_around_a_run() {
    for rows in [65_535, 65_536, 65_537] {
        let star = long(rows);
        // A block size that does not divide a run.
        let folder = Written::in_blocks(&star, 50_000).open();
        check(&folder, &star);
        assert_eq!(folder.history(0, rows), 0..u64::from(rows));
        assert_eq!(folder.terms(TermTable::Item(Field::Key)).unwrap().get(u64::from(rows)), None);
        assert_eq!(folder.rows(Part::Train).positives, u64::from(rows.div_ceil(3)));
    }
}

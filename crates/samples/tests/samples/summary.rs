//! A folder in a few numbers.

use fain_samples::Lengths;

use crate::star::{Shape, Star};
use crate::support::{FULL, Written};

#[test]
fn numbers() {
    let shape = Shape { users: 0, items: 9, max_length: 4, columns: false, times: false, ..FULL };
    let mut star = Star::random(shape);
    // Histories of 1, 1, 2, 4 and, cut from 9, 4 events.
    star.rows.train.labels = vec![1; 5];
    star.rows.train.users = vec![0; 5];
    star.rows.train.items = vec![8; 5];
    star.rows.train.history_ends = vec![1, 1, 2, 4, 9];
    let written = Written::new(&star);
    let summary = written.open().summary();
    let lengths = Lengths { minimum: 1, lower_quartile: 1, median: 2, upper_quartile: 4, maximum: 4, mean: 2.4 };
    assert_eq!((summary.users, summary.items, summary.events), (1, 9, 9));
    assert_eq!(summary.parts.train.lengths, Some(lengths));
    let train = &summary.parts.train;
    assert_eq!((train.rows, train.positives, train.drawn), (5, 5, 10));
    let test = &summary.parts.test;
    assert_eq!((test.rows, test.positives, test.drawn, &test.lengths), (0, 0, 0, &None));
    // 12 events, in 3 samples each, as `history.movieId` and `negative.movieId`.
    assert_eq!(summary.inline_bytes, 12 * 3 * 2 * 4);
    let files = written.files();
    let arrow = files.iter().filter(|file| file.ends_with(".arrow"));
    assert_eq!(summary.bytes, arrow.map(|file| written.read(file).len() as u64).sum::<u64>());
}

#[test]
fn every_column_of_histories_counts_in_line() {
    let folder = Written::new(&Star::random(Shape { candidates: None, ..FULL })).open();
    let viewed: u64 = fain_samples::Part::ALL
        .into_iter()
        .flat_map(|part| {
            let rows = folder.rows(part);
            (0..rows.rows).map(|row| folder.history(rows.users.at(row), rows.history_ends.at(row)))
        })
        .map(|history| history.end - history.start)
        .sum();
    // Terms: movieId, genre, behaviour, the negatives' movieId and genre. Wider: rating, timestamp.
    assert!(viewed > 0);
    assert_eq!(folder.summary().inline_bytes, viewed * (5 * 4 + 2 * 8));
}

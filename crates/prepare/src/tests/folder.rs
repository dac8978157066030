//! What a samples folder says, all codes spelt out.

use std::ops::Range;
use std::path::Path;

use fain_samples::{Field, Part, SamplesFolder, StoredColumn, TermTable};

use super::reference::{Event, Sample, Samples};

fn text(folder: &SamplesFolder, table: TermTable, code: u32) -> String {
    folder.terms(table).unwrap().get(u64::from(code)).unwrap().to_owned()
}

fn term(folder: &SamplesFolder, table: TermTable, column: &StoredColumn, row: u64) -> String {
    let StoredColumn::Term(codes) = column else { panic!("a column of terms is needed") };
    text(folder, table, codes.at(row))
}

fn terms(folder: &SamplesFolder, table: TermTable, column: &StoredColumn, row: u64) -> Vec<String> {
    let StoredColumn::Terms(lists) = column else { panic!("a column of lists is needed") };
    lists.list(row).iter().map(|code| text(folder, table, *code)).collect()
}

fn number(column: &StoredColumn, row: u64) -> Option<u8> {
    let StoredColumn::Number(numbers) = column else { panic!("a column of numbers is needed") };
    let number = numbers.at(row);
    (!number.is_nan()).then_some(number as u8)
}

fn events(folder: &SamplesFolder, range: Range<u64>) -> Vec<Event> {
    let events = folder.events();
    let event = |row: u64| {
        let item = text(folder, TermTable::Item(Field::Key), events.items.at(row));
        (item, events.times.as_ref().unwrap().at(row), number(&events.columns[0], row))
    };
    range.map(event).collect()
}

pub(super) fn read(folder: &SamplesFolder) -> Samples {
    let parts = Part::ALL.map(|part| {
        let rows = folder.rows(part);
        let sample = |row: u64| {
            let user = rows.users.at(row);
            let start = u64::from(folder.users().events_starts.at(u64::from(user)));
            let end = u64::from(rows.history_ends.at(row));
            // What readers see of it are the last `max_length` events.
            let seen = folder.history(user, end as u32);
            assert_eq!(seen, end.saturating_sub(u64::from(folder.layout().max_length)).max(start)..end);
            Sample {
                user: text(folder, TermTable::User(Field::Key), user),
                item: text(folder, TermTable::Item(Field::Key), rows.items.at(row)),
                label: rows.labels.at(row),
                time: rows.times.as_ref().unwrap().at(row),
                device: term(folder, TermTable::Row(0), &rows.columns[0], row),
                tags: terms(folder, TermTable::Row(1), &rows.columns[1], row),
                history: events(folder, start..end),
            }
        };
        (0..rows.rows).map(sample).collect()
    });
    let users = folder.users();
    let user = |row: u64| {
        let window = u64::from(users.events_starts.at(row))..u64::from(users.window_ends.at(row));
        (
            text(folder, TermTable::User(Field::Key), row as u32),
            number(&users.columns[0], row),
            term(folder, TermTable::User(Field::Column(1)), &users.columns[1], row),
            events(folder, window),
        )
    };
    let items = folder.items();
    let item = |row: u64| {
        (
            text(folder, TermTable::Item(Field::Key), row as u32),
            terms(folder, TermTable::Item(Field::Column(0)), &items.columns[0], row),
            term(folder, TermTable::Item(Field::Column(1)), &items.columns[1], row),
            items.counts.at(row),
        )
    };
    Samples { parts, users: (0..users.rows).map(user).collect(), items: (0..items.rows).map(item).collect() }
}

/// The names and bytes of all files of a folder.
pub(super) fn bytes(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(bytes(&path));
        } else {
            files.push((path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()));
        }
    }
    files.sort();
    files
}

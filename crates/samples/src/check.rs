//! What opening a folder checks beyond each file by itself.

use std::path::Path;

use fain_storage::{StorageError, TextChunks, maximum};

use crate::error::SamplesError;
use crate::files::{
    EVENTS, HISTORY_END, ITEM, ITEMS, LABEL, USER, USERS, WINDOW_END, column_name, part_file, terms_column, terms_file,
};
use crate::folder::SamplesFolder;
use crate::layout::Place;
use crate::logical::{Field, TermTable};
use crate::manifest::Manifest;
use crate::part::Part;
use crate::tables::{Rows, StoredColumn};

/// The manifest must name the files by their names, lest it lead out of the folder.
pub(crate) fn names(path: &Path, manifest: &Manifest) -> Result<(), SamplesError> {
    let tables = manifest.layout.term_tables();
    if manifest.terms.len() != tables.len() {
        let found = manifest.terms.len();
        return Err(StorageError::damaged(path, "the number of tables of terms", found, tables.len()).into());
    }
    let parts = Part::ALL.map(|part| (manifest.splits.get(part).file.file.as_str(), part_file(part)));
    let others = [(&manifest.events, EVENTS), (&manifest.users, USERS), (&manifest.items, ITEMS)];
    let others = others.map(|(info, name)| (info.file.as_str(), name.to_owned()));
    let terms = manifest.terms.iter().enumerate().map(|(number, info)| (info.file.file.as_str(), terms_file(number)));
    let columns = manifest.terms.iter().zip(&tables);
    let columns = columns.map(|(info, table)| (info.column.as_str(), terms_column(&manifest.layout, *table)));
    for (found, needed) in parts.into_iter().chain(others).chain(terms).chain(columns) {
        if found != needed {
            return Err(StorageError::damaged(path, "the name of a file or of its column", found, needed).into());
        }
    }
    Ok(())
}

/// Every code must have its text or row, and every history must lie among the events of its user.
pub(crate) fn tables(folder: &SamplesFolder) -> Result<(), SamplesError> {
    keys(folder)?;
    for place in Place::ALL {
        columns(folder, place)?;
        folder.release();
    }
    let items = maximum(folder.events().items.slices());
    below(&folder.folder().join(EVENTS), ITEM, items, folder.items().rows, ITEMS)?;
    ranges(folder)?;
    for part in Part::ALL {
        folder.release();
        rows(folder, part)?;
    }
    folder.release();
    Ok(())
}

/// A user has a key, and so has an item.
fn keys(folder: &SamplesFolder) -> Result<(), SamplesError> {
    let keys = [
        (TermTable::User(Field::Key), folder.users().rows, USERS),
        (TermTable::Item(Field::Key), folder.items().rows, ITEMS),
    ];
    for (number, (table, rows, file)) in keys.into_iter().enumerate() {
        let texts = folder.terms(table).map_or(0, TextChunks::rows);
        if texts != rows {
            let path = folder.folder().join(terms_file(number));
            return Err(
                StorageError::damaged(&path, "the number of rows", texts, format!("{rows}, as {file} has")).into()
            );
        }
    }
    Ok(())
}

/// The codes of a place's columns must have texts.
fn columns(folder: &SamplesFolder, place: Place) -> Result<(), SamplesError> {
    let tables: Vec<(String, &[StoredColumn])> = match place {
        Place::Row => {
            Part::ALL.into_iter().map(|part| (part_file(part), folder.rows(part).columns.as_slice())).collect()
        }
        Place::Event => vec![(EVENTS.to_owned(), &folder.events().columns)],
        Place::User => vec![(USERS.to_owned(), &folder.users().columns)],
        Place::Item => vec![(ITEMS.to_owned(), &folder.items().columns)],
    };
    for (file, columns) in tables {
        for (number, (column, info)) in columns.iter().zip(folder.layout().columns(place)).enumerate() {
            let largest = match column {
                StoredColumn::Term(codes) => maximum(codes.slices()),
                StoredColumn::Terms(lists) => maximum(lists.slices()),
                StoredColumn::Number(_) => None,
            };
            let texts = folder.terms(TermTable::of(place, number)).map_or(0, TextChunks::rows);
            below(&folder.folder().join(&file), &column_name(place, &info.name), largest, texts, "its table of terms")?;
        }
    }
    Ok(())
}

/// Codes are rows of a table.
fn below(path: &Path, column: &str, largest: Option<u32>, rows: u64, table: &str) -> Result<(), SamplesError> {
    match largest.filter(|code| u64::from(*code) >= rows) {
        Some(code) => {
            let needed = format!("below {rows}, the number of rows of {table}");
            Err(StorageError::damaged(path, format!("the largest code of the column \"{column}\""), code, needed)
                .into())
        }
        None => Ok(()),
    }
}

/// The events of one user follow those of the user before, and none is left over; the window ends among them.
fn ranges(folder: &SamplesFolder) -> Result<(), SamplesError> {
    let users = folder.users();
    let path = folder.folder().join(USERS);
    let wrong = |what: String, found: u32, needed: String| -> Result<(), SamplesError> {
        Err(StorageError::damaged(&path, what, found, needed).into())
    };
    let mut expected = 0;
    let columns = users.events_starts.slices().zip(users.events_ends.slices()).zip(users.window_ends.slices());
    let values = columns.flat_map(|((starts, ends), windows)| starts.iter().zip(ends).zip(windows));
    for (row, ((start, end), window)) in (1_u64..).zip(values) {
        if *start != expected {
            return wrong(
                format!("events_start of row {row}"),
                *start,
                format!("{expected}, where the events of the user before end"),
            );
        }
        if end < start {
            return wrong(format!("events_end of row {row}"), *end, format!("{start} or more, where the events start"));
        }
        if window < start || window > end {
            return wrong(
                format!("{WINDOW_END} of row {row}"),
                *window,
                format!("{start} to {end}, the events of the user"),
            );
        }
        expected = *end;
    }
    if u64::from(expected) != folder.events().rows {
        return wrong(
            "the last events_end".to_owned(),
            expected,
            format!("{}, the number of events", folder.events().rows),
        );
    }
    Ok(())
}

/// Labels, users, items, and the histories of one part.
fn rows(folder: &SamplesFolder, part: Part) -> Result<(), SamplesError> {
    let rows = folder.rows(part);
    let path = folder.folder().join(part_file(part));
    below(&path, USER, maximum(rows.users.slices()), folder.users().rows, USERS)?;
    below(&path, ITEM, maximum(rows.items.slices()), folder.items().rows, ITEMS)?;
    labels(&path, rows, folder.manifest().negatives.candidates.is_some())?;
    let columns = rows.users.slices().zip(rows.history_ends.slices());
    let values = columns.flat_map(|(users, ends)| users.iter().zip(ends));
    let mut before = (0, 0);
    for (row, (user, end)) in (1_u64..).zip(values) {
        let (first, last) =
            (folder.users().events_starts.at(u64::from(*user)), folder.users().events_ends.at(u64::from(*user)));
        if *end < first || *end > last {
            let needed = format!("{first} to {last}, the events of user {user}");
            return Err(StorageError::damaged(&path, format!("{HISTORY_END} of row {row}"), end, needed).into());
        }
        if (*user, *end) < before {
            let found = format!("{user}, {end}");
            let needed = format!("{}, {} or more, those of the row before", before.0, before.1);
            return Err(
                StorageError::damaged(&path, format!("{USER}, {HISTORY_END} of row {row}"), found, needed).into()
            );
        }
        before = (*user, *end);
    }
    Ok(())
}

/// Every label must be 0 or 1, and so many of them 1: all where negative candidates are drawn beside them.
fn labels(path: &Path, rows: &Rows, only_positives: bool) -> Result<(), SamplesError> {
    if let Some(label) = maximum(rows.labels.slices()).filter(|label| *label > 1) {
        return Err(StorageError::damaged(path, format!("the largest {LABEL}"), label, "0 or 1").into());
    }
    let ones: u64 = rows.labels.slices().flatten().map(|label| u64::from(*label)).sum();
    if ones != rows.positives {
        return Err(StorageError::damaged(path, "the number of positive rows", ones, rows.positives).into());
    }
    if only_positives && ones != rows.rows {
        let found = rows.rows - ones;
        let what = "the number of rows with label 0";
        return Err(StorageError::damaged(path, what, found, "0, as negative candidates are drawn").into());
    }
    Ok(())
}

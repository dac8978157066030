//! What a samples folder holds, in a few numbers.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::folder::SamplesFolder;
use crate::logical::{Content, Logical, LogicalColumn};
use crate::part::{ByPart, Part};
use crate::tables::Rows;

/// A samples folder in a few numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The samples of each part.
    pub parts: ByPart<PartSummary>,
    /// Users.
    pub users: u64,
    /// Items.
    pub items: u64,
    /// Events that stand in histories.
    pub events: u64,
    /// Size of the folder's Arrow files.
    pub bytes: u64,
    /// Size of the values that the columns of histories and their negatives would have if every sample, negative
    /// candidates too, held them itself: 4 bytes for a term, 8 for a number or a time.
    pub inline_bytes: u64,
}

/// The samples of a part in a few numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PartSummary {
    /// Stored samples.
    pub rows: u64,
    /// Those with label 1.
    pub positives: u64,
    /// Samples that are not stored: those of negative candidates.
    pub drawn: u64,
    /// Lengths of the histories of stored samples; `None` if there are no samples.
    pub lengths: Option<Lengths>,
}

/// How long histories are, in events. A quantile is the smallest length that so many histories do not exceed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lengths {
    /// The shortest.
    pub minimum: u64,
    /// A quarter of them are no longer.
    pub lower_quartile: u64,
    /// Half of them are no longer.
    pub median: u64,
    /// Three quarters of them are no longer.
    pub upper_quartile: u64,
    /// The longest.
    pub maximum: u64,
    /// All events of all histories, over the number of histories.
    pub mean: f64,
}

impl SamplesFolder {
    /// Reads all samples once.
    pub fn summary(&self) -> Summary {
        let manifest = self.manifest();
        let per_row = manifest.negatives.candidates.as_ref().map_or(0, |negatives| u64::from(negatives.per_positive));
        let mut viewed = 0;
        let parts = Part::ALL.map(|part| {
            let rows = self.rows(part);
            let counts = lengths(self, rows);
            viewed += counts.iter().map(|(length, count)| length * count).sum::<u64>();
            let drawn = rows.rows * per_row;
            PartSummary { rows: rows.rows, positives: rows.positives, drawn, lengths: Lengths::of(&counts) }
        });
        let [train, validation, test] = parts;
        let splits = Part::ALL.map(|part| &manifest.splits.get(part).file);
        let tables = [&manifest.events, &manifest.users, &manifest.items];
        let terms = manifest.terms.iter().map(|terms| &terms.file);
        Summary {
            parts: ByPart { train, validation, test },
            users: self.users().rows,
            items: self.items().rows,
            events: self.events().rows,
            bytes: splits.into_iter().chain(tables).chain(terms).map(|file| file.bytes).sum(),
            inline_bytes: viewed * (1 + per_row) * self.inline_width(),
        }
    }

    /// Bytes of one event in all columns of histories and their negatives.
    fn inline_width(&self) -> u64 {
        let width = |column: LogicalColumn| match (column.meaning, column.content) {
            (Logical::History(_) | Logical::Negative(_), Content::Terms) => 4,
            (Logical::History(_), _) => 8,
            _ => 0,
        };
        self.columns().into_iter().map(width).sum()
    }
}

/// How many histories have each length, in the order of lengths.
fn lengths(folder: &SamplesFolder, rows: &Rows) -> BTreeMap<u64, u64> {
    let mut counts = BTreeMap::new();
    for (users, ends) in rows.users.slices().zip(rows.history_ends.slices()) {
        for (user, end) in users.iter().zip(ends) {
            let history = folder.history(*user, *end);
            *counts.entry(history.end - history.start).or_insert(0) += 1;
        }
    }
    counts
}

impl Lengths {
    fn of(counts: &BTreeMap<u64, u64>) -> Option<Self> {
        let rows: u64 = counts.values().sum();
        let events: u64 = counts.iter().map(|(length, count)| length * count).sum();
        let quarters = |quarters: u64| {
            let needed = (rows * quarters).div_ceil(4);
            let mut below = 0;
            let reached = counts.iter().find(|(_, count)| {
                below += **count;
                below >= needed
            });
            reached.map(|(length, _)| *length)
        };
        Some(Self {
            minimum: *counts.first_key_value()?.0,
            lower_quartile: quarters(1)?,
            median: quarters(2)?,
            upper_quartile: quarters(3)?,
            maximum: *counts.last_key_value()?.0,
            mean: events as f64 / rows as f64,
        })
    }
}

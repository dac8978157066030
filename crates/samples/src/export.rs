//! Samples as CSV, with their histories in line.

use std::io::Write;
use std::ops::Range;

use crate::error::SamplesError;
use crate::folder::SamplesFolder;
use crate::inline::{InlineColumn, Whose};
use crate::negatives::{Drawing, DrawnRow};
use crate::part::Part;

/// How lists are written in line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvExport {
    /// What stands between the values of a list.
    pub separator: char,
    /// What stands for a missing value in a list.
    pub missing: String,
}

impl Default for CsvExport {
    /// `|` between the values of a list, and nothing for a missing one.
    fn default() -> Self {
        Self { separator: '|', missing: String::new() }
    }
}

/// A sample that is written.
struct Sample {
    label: u8,
    row: u64,
    user: u32,
    item: u32,
    events: Range<u64>,
    negatives: Vec<u32>,
}

/// Writes a part as CSV: a header with the names of [`SamplesFolder::columns`], then a line for each sample, and behind
/// each stored sample its negative candidates. Negatives are those of the first epoch. Returns the number of samples.
///
/// It is meant for other programs, and for people: it takes as much space as histories in line take.
///
/// # Errors
/// [`SamplesError::Inline`] if a value in a list holds the separator, or if a list has one value and that is missing
/// and stands for nothing: it would read as a list without values. [`SamplesError::NoneLeft`] if a user has chosen
/// every item; [`SamplesError::Output`].
pub fn write_csv(folder: &SamplesFolder, part: Part, out: impl Write, export: &CsvExport) -> Result<u64, SamplesError> {
    let rows = folder.rows(part);
    let drawing = folder.drawing()?;
    let beside = folder.manifest().negatives.candidates.as_ref().map_or(0, |candidates| candidates.per_positive);
    let mut lines = Lines::new(folder, part, out, export)?;
    let mut sample = Sample { label: 0, row: 0, user: 0, item: 0, events: 0..0, negatives: Vec::new() };
    for row in 0..rows.rows {
        let (user, history_end) = (rows.users.at(row), rows.history_ends.at(row));
        let window_end = folder.users().window_ends.at(u64::from(user));
        let drawn = DrawnRow { epoch: 0, part, row, user, history_end, window_end };
        sample.label = rows.labels.at(row);
        (sample.row, sample.user, sample.item) = (row, user, rows.items.at(row));
        sample.events = folder.history(user, history_end);
        if let Some(drawing) = &drawing {
            sample.draw_list(drawing, &drawn)?;
        }
        lines.write(&sample)?;
        if let Some(drawing) = &drawing {
            let positive = sample.item;
            sample.label = 0;
            for number in 0..beside {
                sample.item = drawing.candidate(&drawn, positive, number)?;
                lines.write(&sample)?;
            }
        }
    }
    lines.finish()
}

impl Sample {
    fn draw_list(&mut self, drawing: &Drawing, row: &DrawnRow) -> Result<(), SamplesError> {
        self.negatives.clear();
        self.negatives.resize((self.events.end - self.events.start) as usize, 0);
        Ok(drawing.list(row, self.events.clone(), &mut self.negatives)?)
    }
}

/// Lines of CSV.
struct Lines<'a, W: Write> {
    writer: csv::Writer<W>,
    columns: Vec<InlineColumn<'a>>,
    folder: &'a SamplesFolder,
    part: Part,
    export: &'a CsvExport,
    text: String,
    written: u64,
}

impl<'a, W: Write> Lines<'a, W> {
    fn new(folder: &'a SamplesFolder, part: Part, out: W, export: &'a CsvExport) -> Result<Self, SamplesError> {
        let columns: Vec<_> =
            folder.columns().into_iter().filter_map(|column| InlineColumn::of(folder, part, column)).collect();
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(columns.iter().map(|column| &column.name)).map_err(failed)?;
        Ok(Self { writer, columns, folder, part, export, text: String::new(), written: 0 })
    }

    fn write(&mut self, sample: &Sample) -> Result<(), SamplesError> {
        for column in &self.columns {
            self.text.clear();
            let text = &mut self.text;
            let items = &self.folder.events().items;
            let done = match column.whose {
                Whose::Row => column.value(sample.row, sample.label, self.export, text),
                Whose::User => column.value(u64::from(sample.user), sample.label, self.export, text),
                Whose::Item => column.value(u64::from(sample.item), sample.label, self.export, text),
                Whose::Events => column.list(sample.events.clone(), self.export, text),
                Whose::EventItems => {
                    let items = sample.events.clone().map(|event| u64::from(items.at(event)));
                    column.list(items, self.export, text)
                }
                Whose::Negatives => {
                    column.list(sample.negatives.iter().map(|item| u64::from(*item)), self.export, text)
                }
            };
            done.map_err(|problem| SamplesError::Inline {
                part: self.part,
                row: sample.row,
                column: column.name.clone(),
                value: problem.value,
                reason: problem.reason,
            })?;
            self.writer.write_field(&self.text).map_err(failed)?;
        }
        self.written += 1;
        self.writer.write_record(None::<&[u8]>).map_err(failed)
    }

    fn finish(mut self) -> Result<u64, SamplesError> {
        self.writer.flush().map_err(SamplesError::Output)?;
        Ok(self.written)
    }
}

/// An error of the CSV writer; lines of one length leave only the output as its cause.
fn failed(cause: csv::Error) -> SamplesError {
    SamplesError::Output(cause.into())
}

//! The rows of a split that refer to tables, put together by look-ups.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow_array::types::UInt32Type;
use arrow_schema::{DataType, Schema as ArrowSchema, SchemaRef};
use fain_features::{Column, Encoders, Parts, Samples, Schema, Sequences, Times};
use fain_samples::{Drawing, DrawnRow, NoneLeft, Part};
use fain_storage::{Chunks, ColumnFile, maximum};
use rayon::prelude::*;

use crate::error::DatasetError;
use crate::layout::{REFERENCES, feature_fields, field, part_fields};
use crate::manifest::{Reading, SplitInfo};
use crate::stored::{StoredColumn, StoredParts};
use crate::views::history::{Cut, history};
use crate::views::tables::{Elements, Groups, Source, Tables, check_below};

/// Rows that one thread works on at a time. Fewer would cost more to hand out than to do.
const BLOCK: usize = 64;

/// The rows of one split.
pub(crate) struct ViewRows {
    part: Part,
    parts: StoredParts,
    users: Chunks<u32>,
    items: Chunks<u32>,
    ends: Chunks<u32>,
    /// The features that the rows hold themselves, at the places of the others nothing.
    columns: Vec<Option<StoredColumn>>,
    tables: Arc<Tables>,
    stored: u64,
    per_row: u64,
}

/// The Arrow schema of a split's file.
pub(crate) fn rows_schema(schema: &Schema, readings: &[Reading], group: Option<Reading>) -> SchemaRef {
    let mut fields = part_fields(held(schema, group));
    fields.extend(REFERENCES.map(|name| field(name, DataType::UInt32)));
    let features = schema.features().iter().zip(readings).filter(|(_, reading)| **reading == Reading::Row);
    fields.extend(features.flat_map(|(feature, _)| feature_fields(feature)));
    Arc::new(ArrowSchema::new(fields))
}

/// The parts that the rows hold themselves.
pub(crate) fn held(schema: &Schema, group: Option<Reading>) -> Parts {
    Parts { groups: group == Some(Reading::Row), ..Parts::of(schema) }
}

/// A row, found: what its columns are looked up by.
#[derive(Debug, Clone)]
struct Found {
    stored: u64,
    user: u32,
    item: u32,
    history: Range<u64>,
    history_end: u32,
    drawn: bool,
}

/// The rows of a batch, found.
struct Batch {
    rows: Vec<Found>,
    stored: Vec<u64>,
    users: Vec<u64>,
    items: Vec<u64>,
    /// The negatives of the rows, for each cut that a feature needs them for.
    negatives: Vec<Option<Lists>>,
}

/// Lists of items.
struct Lists {
    items: Vec<u32>,
    offsets: Vec<u32>,
}

/// Why a batch cannot be put together.
enum Problem {
    None(NoneLeft),
    /// More values than an offset counts.
    TooMany,
}

impl ViewRows {
    /// Maps a split's file and checks it against its manifest entry, the tables and the encoders.
    pub(crate) fn open(
        path: &Path,
        info: &SplitInfo,
        encoders: &Encoders,
        (part, tables): (Part, Arc<Tables>),
    ) -> Result<Self, DatasetError> {
        let schema = encoders.schema();
        let (readings, group) = (tables.readings(), tables.group());
        let file = ColumnFile::open(path, &info.info(), &rows_schema(schema, &readings, group))?;
        let parts = StoredParts::new(&file, held(schema, group))?;
        parts.check_labels(path, info.positives)?;
        let [users, items, ends] = REFERENCES;
        let (users, items) = (file.chunks::<UInt32Type>(users)?, file.chunks::<UInt32Type>(items)?);
        let ends = file.chunks::<UInt32Type>(ends)?;
        let columns = schema
            .features()
            .iter()
            .zip(&readings)
            .map(|(feature, reading)| {
                let held = (*reading == Reading::Row).then(|| StoredColumn::new(&file, feature)).transpose()?;
                if let Some(column) = &held {
                    column.check(path, feature, encoders)?;
                }
                Ok(held)
            })
            .collect::<Result<_, DatasetError>>()?;
        let per_row = tables.per_row();
        let rows = Self { part, parts, users, items, ends, columns, tables, stored: file.rows(), per_row };
        rows.check_references(path, info.positives)?;
        // The checks went through all of it; a batch needs little.
        file.mapping().release();
        Ok(rows)
    }

    /// Users, items and events that rows refer to must be there.
    fn check_references(&self, path: &Path, positives: u64) -> Result<(), DatasetError> {
        let [user_column, item_column, end_column] = REFERENCES;
        check_below(path, user_column, maximum(self.users.slices()), self.tables.users)?;
        check_below(path, item_column, maximum(self.items.slices()), self.tables.items)?;
        for row in 0..self.stored {
            let (user, end) = (u64::from(self.users.at(row)), self.ends.at(row));
            let (first, last) = (self.tables.starts.at(user), self.tables.ends.at(user));
            if !(first..=last).contains(&end) {
                let what = format!("the value of the column \"{end_column}\" in row {}", row + 1);
                return Err(DatasetError::damaged(path, what, end, format!("{first} to {last}, the user's events")));
            }
        }
        if self.per_row > 1 && positives != self.stored {
            let found = self.stored - positives;
            let needed = "0, as candidates with label 0 are drawn";
            return Err(DatasetError::damaged(path, "the number of rows with label 0", found, needed));
        }
        Ok(())
    }

    /// Number of rows, those with drawn candidates included.
    pub(crate) fn rows(&self) -> u64 {
        self.stored * self.per_row
    }

    /// User, item and time of a row, in words, and whether its candidate is drawn beside this item.
    pub(crate) fn origin(&self, row: u64) -> Option<(String, String, Option<i64>, bool)> {
        let stored = row / self.per_row;
        let user = self.tables.user_keys.get(u64::from(self.users.get(stored)?))?;
        let item = self.tables.item_keys.get(u64::from(self.items.get(stored)?))?;
        Some((user.to_owned(), item.to_owned(), self.parts.time(stored), !row.is_multiple_of(self.per_row)))
    }

    /// Replaces `out` by the given rows, which must exist. An epoch only changes what is drawn for training anew in each.
    pub(crate) fn gather(
        &self,
        rows: &[u64],
        epoch: u64,
        schema: &Schema,
        out: &mut Samples,
    ) -> Result<(), DatasetError> {
        // What a model is measured on stays the same.
        let epoch = if self.part == Part::Train { epoch } else { 0 };
        let too_large = |feature: usize| DatasetError::BatchTooLarge {
            feature: schema.features()[feature].name.clone(),
            rows: rows.len(),
        };
        let batch = match self.find(rows, epoch) {
            Ok(batch) => batch,
            Err(problem) => {
                *out = Samples::default();
                return Err(match problem {
                    Problem::None(none) => self.none_left(none),
                    Problem::TooMany => too_large(self.first_list()),
                });
            }
        };
        self.gather_parts(&batch, out);
        out.columns.resize_with(self.columns.len(), || Column::Numeric(Vec::new()));
        let fits: Vec<bool> = out
            .columns
            .par_iter_mut()
            .enumerate()
            .map(|(feature, column)| {
                let used = std::mem::replace(column, Column::Numeric(Vec::new()));
                self.column(feature, &batch, used).map(|filled| *column = filled).is_some()
            })
            .collect();
        if let Some(feature) = fits.iter().position(|fits| !fits) {
            *out = Samples::default();
            return Err(too_large(feature));
        }
        Ok(())
    }

    fn gather_parts(&self, batch: &Batch, out: &mut Samples) {
        let used = out.groups.take().unwrap_or_default();
        match &self.tables.groups {
            Some(Groups::User(groups)) => {
                self.parts.gather(&batch.stored, out);
                out.groups = Some(groups.gather(&batch.users, used));
            }
            Some(Groups::Item(groups)) => {
                self.parts.gather(&batch.stored, out);
                out.groups = Some(groups.gather(&batch.items, used));
            }
            Some(Groups::Row) | None => {
                out.groups = Some(used);
                self.parts.gather(&batch.stored, out);
            }
        }
        for (label, row) in out.labels.iter_mut().flatten().zip(&batch.rows) {
            if row.drawn {
                *label = 0.0;
            }
        }
    }

    /// The values of a feature; `None` where there are more than an offset counts.
    fn column(&self, feature: usize, batch: &Batch, used: Column) -> Option<Column> {
        match &self.tables.features[feature] {
            Source::Row => self.columns[feature].as_ref()?.gather(&batch.stored, used),
            Source::User(column) => column.gather(&batch.users, used),
            Source::Item(column) => column.gather(&batch.items, used),
            Source::History(elements, cut) => past(elements, self.tables.cuts[*cut], &batch.rows, used),
            Source::Negative(ids, cut) => {
                let lists = batch.negatives[*cut].as_ref()?;
                let Sequences { mut values, mut offsets, .. } = sequences(used);
                values.clear();
                values.extend(lists.items.iter().map(|item| ids.at(u64::from(*item))));
                offsets.clone_from(&lists.offsets);
                Some(Column::Sequence(Sequences { values, offsets, weights: None }))
            }
        }
    }

    /// Finds the rows and draws what they need.
    fn find(&self, rows: &[u64], epoch: u64) -> Result<Batch, Problem> {
        let mut found: Vec<Result<Found, NoneLeft>> = Vec::new();
        rows.par_iter().with_min_len(BLOCK).map(|row| self.found(*row, epoch)).collect_into_vec(&mut found);
        // In the order of the rows, so that the same batch fails with the same error.
        let rows = found.into_iter().collect::<Result<Vec<Found>, NoneLeft>>().map_err(Problem::None)?;
        let mut negatives = Vec::new();
        for (place, cut) in self.tables.cuts.iter().enumerate() {
            let needed = |source: &Source| matches!(source, Source::Negative(_, wanted) if *wanted == place);
            negatives.push(match &self.tables.drawing {
                Some(drawing) if self.tables.features.iter().any(needed) => {
                    Some(self.negatives(drawing, *cut, &rows, epoch)?)
                }
                _ => None,
            });
        }
        Ok(Batch {
            stored: rows.iter().map(|row| row.stored).collect(),
            users: rows.iter().map(|row| u64::from(row.user)).collect(),
            items: rows.iter().map(|row| u64::from(row.item)).collect(),
            rows,
            negatives,
        })
    }

    fn found(&self, row: u64, epoch: u64) -> Result<Found, NoneLeft> {
        let (stored, number) = (row / self.per_row, row % self.per_row);
        let (user, positive, end) = (self.users.at(stored), self.items.at(stored), self.ends.at(stored));
        let mut found = Found {
            stored,
            user,
            item: positive,
            history: history(self.tables.starts.at(u64::from(user)), end, self.tables.max_length),
            history_end: end,
            drawn: number > 0,
        };
        if let (Some(drawing), 1..) = (&self.tables.drawing, number) {
            // Numbered by 32 bits in the rule.
            found.item = drawing.candidate(&self.drawn(&found, epoch), positive, (number - 1) as u32)?;
        }
        Ok(found)
    }

    fn drawn(&self, row: &Found, epoch: u64) -> DrawnRow {
        let window_end = self.tables.window_ends.at(u64::from(row.user));
        let &Found { stored, user, history_end, .. } = row;
        DrawnRow { epoch, part: self.part, row: stored, user, history_end, window_end }
    }

    /// Draws an item for each event of the rows' histories, cut as a feature cuts them.
    fn negatives(&self, drawing: &Drawing, cut: Cut, rows: &[Found], epoch: u64) -> Result<Lists, Problem> {
        let mut offsets = Vec::new();
        end_lists(cut, rows, &mut offsets).ok_or(Problem::TooMany)?;
        let mut items = vec![0; offsets.last().map_or(0, |end| *end as usize)];
        let mut blocks = Vec::with_capacity(rows.len().div_ceil(BLOCK));
        let mut rest = items.as_mut_slice();
        for (number, rows) in rows.chunks(BLOCK).enumerate() {
            let first = number * BLOCK;
            let (block, behind) = rest.split_at_mut((offsets[first + rows.len()] - offsets[first]) as usize);
            rest = behind;
            blocks.push((rows, block));
        }
        let drawn: Vec<Result<(), NoneLeft>> = blocks
            .into_par_iter()
            .map(|(rows, mut block)| {
                for row in rows {
                    let events = cut.apply(&row.history);
                    let (list, behind) = block.split_at_mut((events.end - events.start) as usize);
                    drawing.list(&self.drawn(row, epoch), events, list)?;
                    block = behind;
                }
                Ok(())
            })
            .collect();
        drawn.into_iter().collect::<Result<(), NoneLeft>>().map_err(Problem::None)?;
        Ok(Lists { items, offsets })
    }

    fn none_left(&self, none: NoneLeft) -> DatasetError {
        let row = none.key.row;
        let user = self.users.get(row).and_then(|user| self.tables.user_keys.get(u64::from(user)));
        DatasetError::NoneLeft { user: user.unwrap_or_default().to_owned(), cause: none }
    }

    /// The first feature with lists of negatives, to name in an error.
    fn first_list(&self) -> usize {
        let negative = |source: &Source| matches!(source, Source::Negative(..));
        self.tables.features.iter().position(negative).unwrap_or_default()
    }
}

/// The values of a feature of past events.
fn past(elements: &Elements, cut: Cut, rows: &[Found], used: Column) -> Option<Column> {
    Some(match elements {
        Elements::Ids(ids) => {
            let Sequences { mut values, mut offsets, .. } = sequences(used);
            past_values(ids, cut, rows, (&mut values, &mut offsets))?;
            Column::Sequence(Sequences { values, offsets, weights: None })
        }
        Elements::Times(times) => {
            let mut used = if let Column::Times(used) = used { used } else { Times::default() };
            past_values(times, cut, rows, (&mut used.values, &mut used.offsets))?;
            Column::Times(used)
        }
    })
}

fn past_values<T: arrow_buffer::ArrowNativeType>(
    elements: &Chunks<T>,
    cut: Cut,
    rows: &[Found],
    (values, offsets): (&mut Vec<T>, &mut Vec<u32>),
) -> Option<()> {
    end_lists(cut, rows, offsets)?;
    values.clear();
    values.reserve(offsets.last().map_or(0, |end| *end as usize));
    for row in rows {
        let events = cut.apply(&row.history);
        elements.extend(events.start, events.end, values);
    }
    Some(())
}

/// Replaces `offsets` by those of the rows' lists; `None` where an offset cannot count so far.
fn end_lists(cut: Cut, rows: &[Found], offsets: &mut Vec<u32>) -> Option<()> {
    offsets.clear();
    offsets.reserve(rows.len() + 1);
    offsets.push(0);
    let mut end = 0_u64;
    for row in rows {
        let events = cut.apply(&row.history);
        end += events.end - events.start;
        offsets.push(u32::try_from(end).ok()?);
    }
    Some(())
}

/// The memory of a column for lists of ids.
fn sequences(used: Column) -> Sequences {
    if let Column::Sequence(used) = used { used } else { Sequences::default() }
}

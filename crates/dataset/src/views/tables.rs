//! The tables that rows refer to, mapped and checked.

use std::path::Path;
use std::sync::Arc;

use arrow_array::types::{Int64Type, UInt32Type, UInt64Type};
use arrow_schema::{DataType, Field, Schema as ArrowSchema, SchemaRef};
use fain_features::{Encoders, Feature, FeatureKind, Schema};
use fain_samples::{Choices, Drawing, Negatives};
use fain_storage::{Chunks, ColumnFile, FileInfo, TextChunks, maximum};

use crate::error::DatasetError;
use crate::layout::{COUNT, EVENTS, GROUP, ITEM, ITEMS, KEY, SPANS, USERS, element_field, feature_fields, field};
use crate::manifest::{MANIFEST, Reading, ViewsInfo};
use crate::stored::{StoredColumn, check_largest};
use crate::views::history::Cut;

/// Users, items and events, with all features that are not in the rows themselves.
pub(crate) struct Tables {
    pub(crate) user_keys: TextChunks,
    pub(crate) item_keys: TextChunks,
    pub(crate) users: u64,
    pub(crate) items: u64,
    pub(crate) starts: Chunks<u32>,
    pub(crate) ends: Chunks<u32>,
    pub(crate) window_ends: Chunks<u32>,
    pub(crate) max_length: u32,
    pub(crate) negatives: Negatives,
    pub(crate) drawing: Option<Drawing>,
    pub(crate) groups: Option<Groups>,
    /// In the order of the schema.
    pub(crate) features: Vec<Source>,
    /// The different ways in which the features cut histories.
    pub(crate) cuts: Vec<Cut>,
}

/// Where the groups of rows are.
pub(crate) enum Groups {
    Row,
    User(Chunks<u64>),
    Item(Chunks<u64>),
}

/// Where the values of a feature are.
pub(crate) enum Source {
    /// In the rows' own file.
    Row,
    User(StoredColumn),
    Item(StoredColumn),
    History(Elements, usize),
    Negative(Chunks<u32>, usize),
}

/// One value for each event.
pub(crate) enum Elements {
    Ids(Chunks<u32>),
    Times(Chunks<i64>),
}

/// The Arrow schema of the users.
pub(crate) fn users_schema(schema: &Schema, readings: &[Reading], group: Option<Reading>) -> SchemaRef {
    let mut fields = vec![field(KEY, DataType::Utf8)];
    fields.extend(SPANS.map(|name| field(name, DataType::UInt32)));
    table_schema(fields, Reading::User, schema, readings, group)
}

/// The Arrow schema of the items.
pub(crate) fn items_schema(schema: &Schema, readings: &[Reading], group: Option<Reading>) -> SchemaRef {
    let fields = vec![field(KEY, DataType::Utf8), field(COUNT, DataType::UInt32)];
    table_schema(fields, Reading::Item, schema, readings, group)
}

/// The Arrow schema of the events.
pub(crate) fn events_schema(schema: &Schema, readings: &[Reading]) -> SchemaRef {
    table_schema(vec![field(ITEM, DataType::UInt32)], Reading::History, schema, readings, None)
}

fn table_schema(
    mut fields: Vec<Field>,
    table: Reading,
    schema: &Schema,
    readings: &[Reading],
    group: Option<Reading>,
) -> SchemaRef {
    if group == Some(table) {
        fields.push(field(GROUP, DataType::UInt64));
    }
    for (feature, reading) in schema.features().iter().zip(readings) {
        match reading {
            Reading::User | Reading::Item if *reading == table => fields.extend(feature_fields(feature)),
            Reading::History if table == Reading::History => fields.push(element_field(feature)),
            Reading::Negative if table == Reading::Item => fields.push(element_field(feature)),
            _ => {}
        }
    }
    Arc::new(ArrowSchema::new(fields))
}

impl Tables {
    /// Maps the tables and checks them against the manifest and the encoders.
    pub(crate) fn open(folder: &Path, info: &ViewsInfo, encoders: &Encoders) -> Result<Self, DatasetError> {
        let schema = encoders.schema();
        let readings = check_readings(folder, info, schema)?;
        let open = |name: &str, info: &FileInfo, columns: &SchemaRef| {
            if info.file != name {
                let file = folder.join(MANIFEST);
                return Err(DatasetError::damaged(&file, "the name of a table's file", &info.file, name));
            }
            Ok(ColumnFile::open(&folder.join(name), info, columns)?)
        };
        let users = open(USERS, &info.users, &users_schema(schema, &readings, info.group))?;
        let items = open(ITEMS, &info.items, &items_schema(schema, &readings, info.group))?;
        let events = open(EVENTS, &info.events, &events_schema(schema, &readings))?;

        let [start, end, window] = SPANS;
        let starts = users.chunks::<UInt32Type>(start)?;
        let ends = users.chunks::<UInt32Type>(end)?;
        let window_ends = users.chunks::<UInt32Type>(window)?;
        check_spans(&users, events.rows(), [&starts, &ends, &window_ends])?;
        let chosen = events.chunks::<UInt32Type>(ITEM)?;
        check_below(events.path(), ITEM, maximum(chosen.slices()), items.rows())?;
        let counts = items.chunks::<UInt32Type>(COUNT)?;

        let groups = match info.group {
            Some(Reading::User) => Some(Groups::User(users.chunks::<UInt64Type>(GROUP)?)),
            Some(Reading::Item) => Some(Groups::Item(items.chunks::<UInt64Type>(GROUP)?)),
            Some(_) => Some(Groups::Row),
            None => None,
        };
        let mut cuts = Vec::new();
        let features = schema
            .features()
            .iter()
            .zip(&readings)
            .map(|(feature, reading)| source(feature, *reading, [&users, &items, &events], encoders, &mut cuts))
            .collect::<Result<_, _>>()?;
        let mut negatives = info.negatives.clone();
        // Who chose what is only looked up where something is drawn.
        negatives.history.take_if(|_| !readings.contains(&Reading::Negative));
        let choices = Choices { starts: &starts, ends: &ends, items: &chosen };
        let drawing = Drawing::new(&negatives, &counts, choices).map_err(|cause| {
            DatasetError::damaged(&folder.join(MANIFEST), "the rule for negatives", cause, "one that can be drawn by")
        })?;
        // The checks went through all of it; a batch needs little.
        for file in [&users, &items, &events] {
            file.mapping().release();
        }
        Ok(Self {
            user_keys: users.texts(KEY)?,
            item_keys: items.texts(KEY)?,
            users: users.rows(),
            items: items.rows(),
            starts,
            ends,
            window_ends,
            max_length: info.max_length,
            negatives: info.negatives.clone(),
            drawing,
            groups,
            features,
            cuts,
        })
    }

    /// What each feature reads, in the order of the schema.
    pub(crate) fn readings(&self) -> Vec<Reading> {
        let reading = |source: &Source| match source {
            Source::Row => Reading::Row,
            Source::User(_) => Reading::User,
            Source::Item(_) => Reading::Item,
            Source::History(..) => Reading::History,
            Source::Negative(..) => Reading::Negative,
        };
        self.features.iter().map(reading).collect()
    }

    /// Where the groups are.
    pub(crate) fn group(&self) -> Option<Reading> {
        self.groups.as_ref().map(|groups| match groups {
            Groups::Row => Reading::Row,
            Groups::User(_) => Reading::User,
            Groups::Item(_) => Reading::Item,
        })
    }

    /// Rows made of one stored row: itself, and the candidates drawn beside it.
    pub(crate) fn per_row(&self) -> u64 {
        per_row(&self.negatives)
    }
}

/// Rows made of one stored row: itself, and the candidates drawn beside it.
pub(crate) fn per_row(negatives: &Negatives) -> u64 {
    1 + negatives.candidates.as_ref().map_or(0, |candidates| u64::from(candidates.per_positive))
}

/// What each feature reads, in the order of the schema. The manifest may say nothing that its schema cannot mean.
fn check_readings(folder: &Path, info: &ViewsInfo, schema: &Schema) -> Result<Vec<Reading>, DatasetError> {
    let damaged =
        |what: String, found: &str, needed: &str| DatasetError::damaged(&folder.join(MANIFEST), what, found, needed);
    let names = schema.features().iter().map(|feature| &feature.name);
    if !names.eq(info.features.keys()) {
        return Err(damaged("the list of features".to_owned(), "another", "those of the schema, in its order"));
    }
    for (feature, reading) in schema.features().iter().zip(info.features.values()) {
        let weighted = matches!(feature.kind, FeatureKind::Sequence { weight_separator: Some(_), .. });
        let fits = match reading {
            Reading::Row | Reading::User | Reading::Item => true,
            Reading::History => Cut::of(feature).is_some() && !weighted,
            Reading::Negative => matches!(feature.kind, FeatureKind::Sequence { .. }) && !weighted,
        };
        if !fits {
            let what = format!("what the feature \"{}\" reads", feature.name);
            return Err(damaged(what, "the history", "something with one value"));
        }
    }
    let reads_negatives = info.features.values().any(|reading| *reading == Reading::Negative);
    if reads_negatives && info.negatives.history.is_none() {
        return Err(damaged("the rule for negatives of histories".to_owned(), "missing", "one, which a feature reads"));
    }
    let group_fits = match info.group {
        None => schema.group().is_none(),
        Some(Reading::Row | Reading::User | Reading::Item) => schema.group().is_some(),
        Some(Reading::History | Reading::Negative) => false,
    };
    if !group_fits {
        return Err(damaged("the table of the groups".to_owned(), "another", "that of the column of schema.group"));
    }
    Ok(info.features.values().copied().collect())
}

/// The values of one feature.
fn source(
    feature: &Feature,
    reading: Reading,
    [users, items, events]: [&ColumnFile; 3],
    encoders: &Encoders,
    cuts: &mut Vec<Cut>,
) -> Result<Source, DatasetError> {
    let stored = |file: &ColumnFile| {
        let column = StoredColumn::new(file, feature)?;
        column.check(file.path(), feature, encoders)?;
        Ok::<_, DatasetError>(column)
    };
    let name = crate::layout::column_name(&feature.name);
    let ids = |file: &ColumnFile| {
        let ids = file.chunks::<UInt32Type>(&name)?;
        check_largest(file.path(), feature, encoders, maximum(ids.slices()))?;
        Ok::<_, DatasetError>(ids)
    };
    let mut cut = || {
        let cut = Cut::of(feature)?;
        Some(cuts.iter().position(|known| *known == cut).unwrap_or_else(|| {
            cuts.push(cut);
            cuts.len() - 1
        }))
    };
    Ok(match (reading, &feature.kind) {
        (Reading::Row, _) => Source::Row,
        (Reading::User, _) => Source::User(stored(users)?),
        (Reading::Item, _) => Source::Item(stored(items)?),
        (Reading::History, FeatureKind::Times { .. }) => {
            Source::History(Elements::Times(events.chunks::<Int64Type>(&name)?), cut().unwrap_or_default())
        }
        (Reading::History, _) => Source::History(Elements::Ids(ids(events)?), cut().unwrap_or_default()),
        (Reading::Negative, _) => Source::Negative(ids(items)?, cut().unwrap_or_default()),
    })
}

/// The events of the users follow each other without gaps, and windows end among them.
fn check_spans(
    users: &ColumnFile,
    events: u64,
    [starts, ends, windows]: [&Chunks<u32>; 3],
) -> Result<(), DatasetError> {
    let mut before = 0;
    let spans = starts.slices().flatten().zip(ends.slices().flatten()).zip(windows.slices().flatten());
    for (user, ((&start, &end), &window)) in spans.enumerate() {
        if start != before || end < start || !(start..=end).contains(&window) {
            let what = format!("the events of user {user}");
            let found = format!("{start} to {end} with a window to {window}");
            let needed = format!("a span from {before} with a window that ends in it");
            return Err(DatasetError::damaged(users.path(), what, found, needed));
        }
        before = end;
    }
    if u64::from(before) != events {
        return Err(DatasetError::damaged(users.path(), "the end of the last user's events", before, events));
    }
    Ok(())
}

/// A reference must have something to refer to.
pub(crate) fn check_below(path: &Path, column: &str, largest: Option<u32>, rows: u64) -> Result<(), DatasetError> {
    match largest.filter(|largest| u64::from(*largest) >= rows) {
        Some(found) => {
            let what = format!("the largest value of the column \"{column}\"");
            Err(DatasetError::damaged(path, what, found, format!("below {rows}, the rows of its table")))
        }
        None => Ok(()),
    }
}

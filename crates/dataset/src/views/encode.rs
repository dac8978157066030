//! Writes the tables of a dataset: the samples' columns with every code turned into an id.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float32Array, Float64Array, Int64Array, StringArray, UInt32Array, UInt64Array};
use arrow_schema::SchemaRef;
use fain_features::{Column, Encoders, Feature, FeatureKind, Sequences, Times};
use fain_samples::{Field, Logical, Part, Past, TermTable};
use fain_storage::{Chunks, FileInfo, FileWriter, RUN, TextChunks};
use xxhash_rust::xxh3::xxh3_64;

use crate::arrays;
use crate::error::DatasetError;
use crate::layout::{EVENTS, ITEMS, USERS};
use crate::manifest::{Reading, SplitInfo};
use crate::progress::Phase;
use crate::table::Reporter;
use crate::views::RELEASE;
use crate::views::history::Cut;
use crate::views::plan::{Plan, Values, reading};
use crate::views::rows::rows_schema;
use crate::views::tables::{events_schema, items_schema, users_schema};

/// Encodes the tables of a samples folder.
pub(crate) struct Encoding<'a> {
    plan: &'a Plan<'a>,
    encoders: &'a Encoders,
    folder: &'a Path,
    readings: Vec<Reading>,
    group: Option<Reading>,
    /// For each feature the id of every code.
    ids: Vec<Vec<u32>>,
    /// The group of every code.
    groups: Vec<u64>,
}

impl<'a> Encoding<'a> {
    pub(crate) fn new(plan: &'a Plan<'a>, encoders: &'a Encoders, folder: &'a Path) -> Result<Self, DatasetError> {
        let terms = |meaning: Logical| plan.samples.terms(meaning.term_table(plan.samples.layout())?);
        let ids = plan.meanings.iter().enumerate().map(|(feature, meaning)| {
            let terms = terms(*meaning).into_iter().flat_map(TextChunks::iter);
            terms.map(|term| encoders.encode_term(feature, term)).collect::<Result<_, _>>()
        });
        let groups = plan.group.and_then(terms).into_iter().flat_map(TextChunks::iter);
        Ok(Self {
            plan,
            encoders,
            folder,
            readings: plan.readings(),
            group: plan.group.map(reading),
            ids: ids.collect::<Result<_, _>>()?,
            groups: groups.map(|term| xxh3_64(term.as_bytes())).collect(),
        })
    }

    /// Writes the users.
    pub(crate) fn users(&self, reporter: &mut Reporter<'_>) -> Result<FileInfo, DatasetError> {
        let users = self.plan.samples.users();
        let schema = users_schema(self.encoders.schema(), &self.readings, self.group);
        self.table(USERS, &schema, (Phase::EncodeTables, users.rows), reporter, |path, run| {
            let mut arrays = vec![self.keys(TermTable::User(Field::Key), run.clone())];
            for spans in [&users.events_starts, &users.events_ends, &users.window_ends] {
                arrays.push(copied(spans, run.clone()));
            }
            self.add_columns(path, Reading::User, Part::Train, run, arrays)
        })
    }

    /// Writes the items.
    pub(crate) fn items(&self, reporter: &mut Reporter<'_>) -> Result<FileInfo, DatasetError> {
        let items = self.plan.samples.items();
        let schema = items_schema(self.encoders.schema(), &self.readings, self.group);
        self.table(ITEMS, &schema, (Phase::EncodeTables, items.rows), reporter, |path, run| {
            let arrays = vec![self.keys(TermTable::Item(Field::Key), run.clone()), copied(&items.counts, run.clone())];
            self.add_columns(path, Reading::Item, Part::Train, run, arrays)
        })
    }

    /// Writes the events.
    pub(crate) fn events(&self, reporter: &mut Reporter<'_>) -> Result<FileInfo, DatasetError> {
        let events = self.plan.samples.events();
        let schema = events_schema(self.encoders.schema(), &self.readings);
        self.table(EVENTS, &schema, (Phase::EncodeTables, events.rows), reporter, |path, run| {
            let arrays = vec![copied(&events.items, run.clone())];
            self.add_columns(path, Reading::History, Part::Train, run, arrays)
        })
    }

    /// Writes the rows of a part.
    pub(crate) fn rows(
        &self,
        part: Part,
        file: &str,
        phase: Phase,
        reporter: &mut Reporter<'_>,
    ) -> Result<SplitInfo, DatasetError> {
        let rows = self.plan.samples.rows(part);
        let schema = rows_schema(self.encoders.schema(), &self.readings, self.group);
        let info = self.table(file, &schema, (phase, rows.rows), reporter, |path, run| {
            let labels = run.clone().map(|row| f32::from(rows.labels.at(row)));
            let mut arrays: Vec<ArrayRef> = vec![Arc::new(labels.collect::<Float32Array>())];
            arrays.extend(self.group(Reading::Row, part, run.clone()));
            if let (Some(times), Some(_)) = (&rows.times, self.encoders.schema().time()) {
                arrays.push(Arc::new(run.clone().map(|row| times.at(row)).collect::<Int64Array>()));
            }
            for meaning in self.plan.ceiling.into_iter().flatten() {
                arrays.push(self.probabilities(meaning, part, run.clone())?);
            }
            for references in [&rows.users, &rows.items, &rows.history_ends] {
                arrays.push(copied(references, run.clone()));
            }
            self.add_features(path, Reading::Row, part, run, arrays)
        })?;
        Ok(SplitInfo::new(info, rows.positives))
    }

    /// Writes a table run by run.
    fn table(
        &self,
        name: &str,
        schema: &SchemaRef,
        (phase, rows): (Phase, u64),
        reporter: &mut Reporter<'_>,
        arrays: impl Fn(&Path, Range<u64>) -> Result<Vec<ArrayRef>, DatasetError>,
    ) -> Result<FileInfo, DatasetError> {
        let mut writer = FileWriter::create(self.folder.join(name), schema)?;
        for start in (0..rows).step_by(RUN) {
            reporter.rows(phase, start, rows)?;
            if start % RELEASE == 0 {
                self.plan.samples.release();
            }
            let run = start..rows.min(start + RUN as u64);
            let arrays = arrays(writer.path(), run)?;
            arrays::write(&mut writer, schema, arrays)?;
        }
        reporter.rows(phase, rows, rows)?;
        Ok(writer.finish()?)
    }

    /// The groups and the features that lie in a table.
    fn add_columns(
        &self,
        path: &Path,
        table: Reading,
        part: Part,
        run: Range<u64>,
        mut arrays: Vec<ArrayRef>,
    ) -> Result<Vec<ArrayRef>, DatasetError> {
        arrays.extend(self.group(table, part, run.clone()));
        self.add_features(path, table, part, run, arrays)
    }

    /// The features that lie in a table.
    fn add_features(
        &self,
        path: &Path,
        table: Reading,
        part: Part,
        run: Range<u64>,
        mut arrays: Vec<ArrayRef>,
    ) -> Result<Vec<ArrayRef>, DatasetError> {
        for (place, feature) in self.encoders.schema().features().iter().enumerate() {
            let Some(values) = self.plan.values(self.plan.meanings[place], part) else { continue };
            match self.readings[place] {
                Reading::History if table == Reading::History => {
                    arrays.push(self.events_of(place, values, run.clone()));
                }
                Reading::Negative if table == Reading::Item => {
                    arrays.push(Arc::new(self.codes_to_ids(place, values, run.clone()).collect::<UInt32Array>()));
                }
                Reading::Row | Reading::User | Reading::Item if self.readings[place] == table => {
                    let column = self.column((place, feature), values, run.clone())?;
                    arrays.extend(arrays::column(path, &feature.name, column)?);
                }
                _ => {}
            }
        }
        Ok(arrays)
    }

    /// The values of a feature that has one in each row of its table.
    fn column(
        &self,
        (place, feature): (usize, &Feature),
        values: Values<'_>,
        mut run: Range<u64>,
    ) -> Result<Column, DatasetError> {
        Ok(match (&feature.kind, values) {
            (FeatureKind::Numeric { .. }, _) => {
                let number = |row| self.encoders.encode_number(place, values.number(row));
                Column::Numeric(run.map(number).collect::<Result<_, _>>()?)
            }
            (FeatureKind::Bucket { .. }, _) => {
                let id = |row| self.encoders.encode_bucket(place, values.number(row));
                Column::Category(run.map(id).collect::<Result<_, _>>()?)
            }
            (_, Values::Lists(lists, _)) => {
                let mut column = Sequences::default();
                run.try_for_each(|row| {
                    let list = lists.list(row);
                    let kept = Cut::of(feature).map_or(0..0, |cut| cut.apply(&(0..list.len() as u64)));
                    let kept = &list[kept.start as usize..kept.end as usize];
                    column.values.extend(kept.iter().map(|code| self.ids[place][*code as usize]));
                    column.offsets.push(u32::try_from(column.values.len()).map_err(|_| ())?);
                    Ok(())
                })
                .map_err(|()| DatasetError::TooManyValues {
                    file: self.plan.samples.folder().to_owned(),
                    feature: feature.name.clone(),
                    values: column.values.len() as u64,
                    rows: column.offsets.len(),
                })?;
                Column::Sequence(column)
            }
            // Times stand in histories only.
            (FeatureKind::Times { .. }, _) => Column::Times(Times::default()),
            (FeatureKind::Category { .. } | FeatureKind::Sequence { .. }, _) => {
                Column::Category(self.codes_to_ids(place, values, run).collect())
            }
        })
    }

    /// The values of a feature of past events.
    fn events_of(&self, place: usize, values: Values<'_>, run: Range<u64>) -> ArrayRef {
        let items = &self.plan.samples.events().items;
        match (values, self.plan.meanings[place]) {
            (Values::Times(times), _) => Arc::new(run.map(|event| times.at(event)).collect::<Int64Array>()),
            (_, Logical::History(Past::Event(_))) => {
                Arc::new(self.codes_to_ids(place, values, run).collect::<UInt32Array>())
            }
            _ => {
                let id = |event| self.ids[place][values.code(u64::from(items.at(event))) as usize];
                Arc::new(run.map(id).collect::<UInt32Array>())
            }
        }
    }

    fn codes_to_ids(&self, place: usize, values: Values<'_>, run: Range<u64>) -> impl Iterator<Item = u32> {
        run.map(move |row| self.ids[place][values.code(row) as usize])
    }

    /// The groups, where they lie in this table.
    fn group(&self, table: Reading, part: Part, run: Range<u64>) -> Option<ArrayRef> {
        let meaning = self.plan.group.filter(|_| self.group == Some(table))?;
        let values = self.plan.values(meaning, part)?;
        Some(Arc::new(run.map(|row| self.groups[values.code(row) as usize]).collect::<UInt64Array>()))
    }

    /// Known probabilities.
    fn probabilities(&self, meaning: Logical, part: Part, run: Range<u64>) -> Result<ArrayRef, DatasetError> {
        let values = self.plan.values(meaning, part);
        let value = |row: u64| {
            let value = values.and_then(|values| values.number(row));
            value.filter(|value| (0.0..=1.0).contains(value)).ok_or_else(|| DatasetError::Probability {
                part,
                row: row + 1,
                value: value.map_or_else(|| "missing".to_owned(), |value| value.to_string()),
            })
        };
        Ok(Arc::new(run.map(value).collect::<Result<Vec<f64>, _>>().map(Float64Array::from)?))
    }

    /// The texts that tell users or items apart.
    fn keys(&self, table: TermTable, run: Range<u64>) -> ArrayRef {
        let texts = self.plan.samples.terms(table);
        let text = |row| texts.and_then(|texts| texts.get(row)).unwrap_or_default();
        Arc::new(StringArray::from_iter_values(run.map(text)))
    }
}

fn copied(column: &Chunks<u32>, run: Range<u64>) -> ArrayRef {
    Arc::new(run.map(|row| column.at(row)).collect::<UInt32Array>())
}

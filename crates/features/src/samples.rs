//! Encoded samples, from the CSV file to the disk to the batch.

use crate::checked::{FeatureKind, Schema};

/// Which of the optional parts of samples are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each part is there or not, whatever the others are")]
pub struct Parts {
    /// The labels.
    pub labels: bool,
    /// The groups for GAUC.
    pub groups: bool,
    /// The times of the rows.
    pub times: bool,
    /// The known probabilities.
    pub ceiling: bool,
}

impl Parts {
    /// Every part that the schema names.
    pub fn of(schema: &Schema) -> Self {
        Self {
            labels: true,
            groups: schema.group().is_some(),
            times: schema.time().is_some(),
            ceiling: schema.ceiling().is_some(),
        }
    }
}

/// Encoded rows, column by column. `B` is the number of rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Samples {
    /// Number of rows, `B`.
    pub rows: usize,
    /// `[B]`, 0.0 or 1.0.
    pub labels: Option<Vec<f32>>,
    /// `[B]`, xxh3-64 of the group column's text: the same on every machine and in every version.
    pub groups: Option<Vec<u64>>,
    /// `[B]`, when each row happened, in seconds since 1970.
    pub times: Option<Vec<i64>>,
    /// Known probabilities, `[B]` each.
    pub ceiling: Option<Ceiling>,
    /// One column per feature, in the order of [`Schema::features`].
    pub columns: Vec<Column>,
}

/// Known click probabilities of generated data.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ceiling {
    /// `[B]`, the best probability that a model blind to the history can give.
    pub blind: Vec<f64>,
    /// `[B]`, the true probability.
    pub optimal: Vec<f64>,
}

/// The encoded values of one feature.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// `[B]`, vocabulary ids.
    Category(Vec<u32>),
    /// `B` lists of vocabulary ids.
    Sequence(Sequences),
    /// `[B]`, scaled numbers.
    Numeric(Vec<f32>),
    /// `B` lists of times.
    Times(Times),
}

/// `B` lists without padding: the list of row `i` is `values[offsets[i]..offsets[i + 1]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Sequences {
    /// `[N]`, the lists one after the other.
    pub values: Vec<u32>,
    /// `[B + 1]`, ascending, from 0 to `N`.
    pub offsets: Vec<u32>,
    /// `[N]`, what each value weighs, from 0 up; `None` where the terms have no weights.
    pub weights: Option<Vec<f32>>,
}

impl Default for Sequences {
    fn default() -> Self {
        Self { values: Vec::new(), offsets: vec![0], weights: None }
    }
}

impl Sequences {
    /// Lists without rows whose values have weights.
    pub fn weighted() -> Self {
        Self { weights: Some(Vec::new()), ..Self::default() }
    }

    /// Empties the lists and keeps the memory.
    pub fn clear(&mut self) {
        self.values.clear();
        empty(&mut self.offsets);
        if let Some(weights) = &mut self.weights {
            weights.clear();
        }
    }

    /// Adds the values of the last row, but for its first ones, to a row that has not ended.
    pub(crate) fn repeat(&mut self, dropped: usize) {
        let start = repeated(self.values.len(), &self.offsets, dropped);
        self.values.extend_from_within(start..);
        if let Some(weights) = &mut self.weights {
            weights.extend_from_within(start..);
        }
    }

    /// The list of one row; `None` if there is no such row.
    pub fn get(&self, row: usize) -> Option<&[u32]> {
        list(&self.values, &self.offsets, row)
    }

    /// What the values of one row weigh; `None` if there is no such row, or no weights.
    pub fn weights(&self, row: usize) -> Option<&[f32]> {
        list(self.weights.as_ref()?, &self.offsets, row)
    }
}

/// `B` lists of times without padding: the list of row `i` is `values[offsets[i]..offsets[i + 1]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Times {
    /// `[N]`, seconds since 1970, the lists one after the other.
    pub values: Vec<i64>,
    /// `[B + 1]`, ascending, from 0 to `N`.
    pub offsets: Vec<u32>,
}

impl Default for Times {
    fn default() -> Self {
        Self { values: Vec::new(), offsets: vec![0] }
    }
}

impl Times {
    /// Empties the lists and keeps the memory.
    pub fn clear(&mut self) {
        self.values.clear();
        empty(&mut self.offsets);
    }

    /// Adds the values of the last row, but for its first ones, to a row that has not ended.
    pub(crate) fn repeat(&mut self, dropped: usize) {
        let start = repeated(self.values.len(), &self.offsets, dropped);
        self.values.extend_from_within(start..);
    }

    /// The list of one row; `None` if there is no such row.
    pub fn get(&self, row: usize) -> Option<&[i64]> {
        list(&self.values, &self.offsets, row)
    }
}

/// Leaves the offsets of no rows.
fn empty(offsets: &mut Vec<u32>) {
    offsets.clear();
    offsets.push(0);
}

/// Where the values of the last row start that are taken again.
fn repeated(values: usize, offsets: &[u32], dropped: usize) -> usize {
    let start = offsets.iter().rev().nth(1).map_or(values, |&start| start as usize);
    (start + dropped).min(values)
}

fn list<'a, T>(values: &'a [T], offsets: &[u32], row: usize) -> Option<&'a [T]> {
    let (start, end) = (*offsets.get(row)?, *offsets.get(row + 1)?);
    values.get(start as usize..end as usize)
}

impl Samples {
    /// Samples without rows, with the columns of the schema and the parts asked for.
    pub fn new(schema: &Schema, parts: Parts) -> Self {
        let columns = schema
            .features()
            .iter()
            .map(|feature| match &feature.kind {
                FeatureKind::Category { .. } | FeatureKind::Bucket { .. } => Column::Category(Vec::new()),
                FeatureKind::Sequence { weight_separator: None, .. } => Column::Sequence(Sequences::default()),
                FeatureKind::Sequence { weight_separator: Some(_), .. } => Column::Sequence(Sequences::weighted()),
                FeatureKind::Numeric { .. } => Column::Numeric(Vec::new()),
                FeatureKind::Times { .. } => Column::Times(Times::default()),
            })
            .collect();
        Self {
            rows: 0,
            labels: parts.labels.then(Vec::new),
            groups: parts.groups.then(Vec::new),
            times: parts.times.then(Vec::new),
            ceiling: parts.ceiling.then(Ceiling::default),
            columns,
        }
    }

    /// Removes the rows. Columns, parts and memory stay.
    pub fn clear(&mut self) {
        self.rows = 0;
        if let Some(labels) = &mut self.labels {
            labels.clear();
        }
        if let Some(groups) = &mut self.groups {
            groups.clear();
        }
        if let Some(times) = &mut self.times {
            times.clear();
        }
        if let Some(ceiling) = &mut self.ceiling {
            ceiling.blind.clear();
            ceiling.optimal.clear();
        }
        for column in &mut self.columns {
            match column {
                Column::Category(ids) => ids.clear(),
                Column::Sequence(sequences) => sequences.clear(),
                Column::Numeric(numbers) => numbers.clear(),
                Column::Times(times) => times.clear(),
            }
        }
    }

    /// Which of the optional parts are there.
    pub fn parts(&self) -> Parts {
        Parts {
            labels: self.labels.is_some(),
            groups: self.groups.is_some(),
            times: self.times.is_some(),
            ceiling: self.ceiling.is_some(),
        }
    }
}

//! Encoded samples, from the CSV file to the disk to the batch.

use crate::checked::{FeatureKind, Schema};

/// Which of the optional parts of samples are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Parts {
    /// The labels.
    pub labels: bool,
    /// The groups for GAUC.
    pub groups: bool,
    /// The known probabilities.
    pub ceiling: bool,
}

impl Parts {
    /// Every part that the schema names.
    pub fn of(schema: &Schema) -> Self {
        Self { labels: true, groups: schema.group().is_some(), ceiling: schema.ceiling().is_some() }
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
}

/// `B` lists without padding: the list of row `i` is `values[offsets[i]..offsets[i + 1]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequences {
    /// `[N]`, the lists one after the other.
    pub values: Vec<u32>,
    /// `[B + 1]`, ascending, from 0 to `N`.
    pub offsets: Vec<u32>,
}

impl Default for Sequences {
    fn default() -> Self {
        Self { values: Vec::new(), offsets: vec![0] }
    }
}

impl Sequences {
    /// Empties the lists and keeps the memory.
    pub fn clear(&mut self) {
        self.values.clear();
        self.offsets.clear();
        self.offsets.push(0);
    }

    /// The list of one row; `None` if there is no such row.
    pub fn get(&self, row: usize) -> Option<&[u32]> {
        let start = *self.offsets.get(row)? as usize;
        let end = *self.offsets.get(row + 1)? as usize;
        self.values.get(start..end)
    }
}

impl Samples {
    /// Samples without rows, with the columns of the schema and the parts asked for.
    pub fn new(schema: &Schema, parts: Parts) -> Self {
        let columns = schema
            .features()
            .iter()
            .map(|feature| match feature.kind {
                FeatureKind::Category { .. } => Column::Category(Vec::new()),
                FeatureKind::Sequence { .. } => Column::Sequence(Sequences::default()),
                FeatureKind::Numeric { .. } => Column::Numeric(Vec::new()),
            })
            .collect();
        Self {
            rows: 0,
            labels: parts.labels.then(Vec::new),
            groups: parts.groups.then(Vec::new),
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
        if let Some(ceiling) = &mut self.ceiling {
            ceiling.blind.clear();
            ceiling.optimal.clear();
        }
        for column in &mut self.columns {
            match column {
                Column::Category(ids) => ids.clear(),
                Column::Sequence(sequences) => sequences.clear(),
                Column::Numeric(numbers) => numbers.clear(),
            }
        }
    }

    /// Which of the optional parts are there.
    pub fn parts(&self) -> Parts {
        Parts { labels: self.labels.is_some(), groups: self.groups.is_some(), ceiling: self.ceiling.is_some() }
    }
}

//! Sources, configurations and rows for tests.

use std::fmt::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use fain_dataset::{BySplit, Content, DataConfig, Dataset, DatasetError, SourceInfo};
use fain_features::{Column, Samples, Schema, SchemaConfig};
use serde::Deserialize;
use tempfile::TempDir;

/// A folder with sources and a cache.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// A configuration with the sources and the cache in this folder.
    pub(crate) fn config(&self, text: &str) -> DataConfig {
        let config: DataConfig = toml::from_str(text).unwrap();
        DataConfig { root: self.path(""), cache: self.path("cache"), ..config }
    }

    /// What lies in the cache, hidden folders included.
    pub(crate) fn cached(&self) -> Vec<String> {
        names(&self.path("cache"))
    }
}

/// The names in a folder, sorted; none if there is no such folder.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A feature of every kind, a shared vocabulary, a group, and known probabilities.
pub(crate) fn schema() -> Schema {
    let config: SchemaConfig = toml::from_str(
        r#"
        label = "click"
        group = "user"
        ceiling = { blind = "blind", optimal = "optimal" }
        features.item = { kind = "category" }
        features.history = { kind = "sequence", max_length = 4, vocabulary = "item" }
        features.price = { kind = "numeric" }
        features.label = { kind = "category", column = "user" }
        "#,
    )
    .unwrap();
    config.check().unwrap()
}

pub(crate) const HEADER: &str = "click,user,blind,optimal,item,history,price";

/// Rows `from..to`. Row `i` has the item `i<i>`, the blind probability `i / 2^20`, and `i % 6` items of history.
pub(crate) fn rows(from: usize, to: usize) -> String {
    let mut text = format!("{HEADER}\n");
    for row in from..to {
        let history: Vec<String> = (0..row % 6).map(|back| format!("i{}", row.saturating_sub(back + 1))).collect();
        let blind = row as f64 / 1_048_576.0;
        let history = history.join("|");
        let click = usize::from(row % 3 == 0);
        let user = row % 17;
        writeln!(text, "{click},u{user},{blind},0.5,i{row},{history},{}", row * 10).unwrap();
    }
    text
}

pub(crate) fn prepare(config: &DataConfig) -> Result<Dataset, DatasetError> {
    Dataset::prepare(config, &schema(), &mut |_| ControlFlow::Continue(()))
}

/// A dataset of 1000 rows, a tenth of them held out, and 100 test rows.
pub(crate) fn small() -> (Place, Dataset) {
    let place = Place::new();
    place.write("train.csv", &rows(0, 1000));
    place.write("test.csv", &rows(1000, 1100));
    let config = place.config("train = 'train.csv'\ntest = 'test.csv'\nvalidation.fraction = 0.1");
    let dataset = prepare(&config).unwrap();
    (place, dataset)
}

/// One row of samples, to compare.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) label: f32,
    pub(crate) group: u64,
    pub(crate) ceiling: (f64, f64),
    pub(crate) values: Vec<Value>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Id(u32),
    List(Vec<u32>),
    Weighted(Vec<u32>, Vec<f32>),
    Number(f32),
    Times(Vec<i64>),
}

impl Row {
    /// The number that [`rows`] gave the row.
    pub(crate) fn number(&self) -> usize {
        (self.ceiling.0 * 1_048_576.0) as usize
    }
}

/// All rows of samples that have every part.
pub(crate) fn split_up(samples: &Samples) -> Vec<Row> {
    let (labels, groups) = (samples.labels.as_ref().unwrap(), samples.groups.as_ref().unwrap());
    let ceiling = samples.ceiling.as_ref().unwrap();
    assert_eq!(labels.len(), samples.rows);
    assert_eq!(groups.len(), samples.rows);
    assert_eq!(ceiling.blind.len(), samples.rows);
    assert_eq!(ceiling.optimal.len(), samples.rows);
    for column in &samples.columns {
        let rows = match column {
            Column::Category(ids) => ids.len(),
            Column::Sequence(lists) => {
                assert_eq!(*lists.offsets.last().unwrap() as usize, lists.values.len());
                lists.offsets.len() - 1
            }
            Column::Numeric(numbers) => numbers.len(),
            Column::Times(times) => times.offsets.len() - 1,
        };
        assert_eq!(rows, samples.rows);
    }
    let value = |column: &Column, row: usize| match column {
        Column::Category(ids) => Value::Id(ids[row]),
        Column::Sequence(lists) => match lists.weights(row) {
            None => Value::List(lists.get(row).unwrap().to_vec()),
            Some(weights) => Value::Weighted(lists.get(row).unwrap().to_vec(), weights.to_vec()),
        },
        Column::Numeric(numbers) => Value::Number(numbers[row]),
        Column::Times(times) => Value::Times(times.get(row).unwrap().to_vec()),
    };
    (0..samples.rows)
        .map(|row| Row {
            label: labels[row],
            group: groups[row],
            ceiling: (ceiling.blind[row], ceiling.optimal[row]),
            values: samples.columns.iter().map(|column| value(column, row)).collect(),
        })
        .collect()
}

/// All rows of a split, in order.
pub(crate) fn all(split: &fain_dataset::Split) -> Vec<Row> {
    let mut samples = Samples::default();
    split.gather(&(0..split.rows()).collect::<Vec<u64>>(), &mut samples).unwrap();
    split_up(&samples)
}

/// Where the rows of a dataset came from that hold all their columns.
pub(crate) fn sources(dataset: &Dataset) -> BySplit<Vec<SourceInfo>, Option<Vec<SourceInfo>>> {
    match &dataset.manifest().content {
        Content::Inline(info) => info.sources.clone(),
        Content::Views(info) => panic!("{info:?}"),
    }
}

#[derive(Deserialize)]
struct Config {
    data: DataConfig,
    schema: SchemaConfig,
}

/// A folder of an older version: the dataset that its sources give today, which lies in the place, and the one that was
/// kept. Their encoders are the same.
pub(crate) fn built_and_kept(folder: &Path) -> (Place, Dataset, Dataset) {
    let place = Place::new();
    let text = std::fs::read_to_string(folder.join("config.toml")).unwrap();
    let Config { data, schema } = toml::from_str(&text).unwrap();
    let data = DataConfig { root: folder.to_owned(), cache: place.path("cache"), ..data };
    let go_on = &mut |_: &_| ControlFlow::Continue(());
    let built = Dataset::prepare(&data, &schema.check().unwrap(), go_on).unwrap();
    let kept = Dataset::open(&folder.join("dataset")).unwrap();
    assert_eq!(built.encoders(), kept.encoders());
    (place, built, kept)
}

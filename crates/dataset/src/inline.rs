//! Builds a dataset from files whose rows hold all their columns.

use std::path::Path;

use fain_features::{Binding, Record, Schema};

use crate::build::Built;
use crate::config::{DataConfig, ValidationConfig};
use crate::encoders::EncodersSource;
use crate::error::DatasetError;
use crate::files::Files;
use crate::layout::{TEST, TRAIN, VALIDATION};
use crate::manifest::{BySplit, Content, InlineInfo, SourceInfo, SplitInfo};
use crate::progress::Phase;
use crate::routing::{Routing, Side};
use crate::source::{Source, file_name};
use crate::table::{Reporter, TableBlock, Tables};
use crate::write::SplitWriter;

/// What a dataset of rows that hold all their columns is built from.
pub(crate) struct InlineJob<'a> {
    pub(crate) config: &'a DataConfig,
    pub(crate) schema: &'a Schema,
    pub(crate) sources: &'a BySplit<Vec<Source>, Option<Vec<Source>>>,
    pub(crate) encoders: &'a EncodersSource,
}

/// Rows of the training files, by the side they belong to.
#[derive(Default)]
struct Sides {
    train: Vec<Record>,
    validation: Vec<Record>,
}

impl InlineJob<'_> {
    /// Looks for missing columns in every source.
    pub(crate) fn check_headers(&self) -> Result<(), DatasetError> {
        let validation = &self.config.validation;
        self.tables(&self.sources.train)
            .check_headers(|header, path| Routing::new(validation, header, path).map(|_| ()))?;
        for sources in [&self.sources.validation, &self.sources.test].into_iter().flatten() {
            self.tables(sources).check_headers(|_, _| Ok(()))?;
        }
        Ok(())
    }

    /// Writes the encoded rows.
    pub(crate) fn run(&self, folder: &Path, reporter: &mut Reporter<'_>) -> Result<Built, DatasetError> {
        let encoders = self.encoders.make(self.schema, |fitter| {
            let mut observed = 0;
            let counts = self.each_training_block(Phase::Fit, reporter, |sides, binding| {
                observed += sides.train.len() as u64;
                Ok(fitter.observe_rows(&sides.train, binding)?)
            })?;
            self.check_sides(observed, counts.iter().sum())
        })?;

        let mut train = SplitWriter::create(folder.join(TRAIN), &encoders)?;
        let mut validation = SplitWriter::create(folder.join(VALIDATION), &encoders)?;
        let counts = self.each_training_block(Phase::EncodeTrain, reporter, |sides, binding| {
            train.add(&sides.train, binding)?;
            validation.add(&sides.validation, binding)
        })?;
        let train = train.finish()?;
        self.check_sides(train.rows, counts.iter().sum())?;
        self.check_classes(&train)?;
        let train_sources = describe(&self.sources.train, &counts, reporter)?;

        let mut validation_sources = None;
        if let Some(sources) = &self.sources.validation {
            let add = |block: &TableBlock<'_>| validation.add(block.records, block.binding);
            let counts = self.tables(sources).each_block(Phase::EncodeValidation, reporter, add)?;
            validation_sources = Some(describe(sources, &counts, reporter)?);
        }
        let validation = validation.finish()?;

        let (mut test, mut test_sources) = (None, None);
        if let Some(sources) = &self.sources.test {
            let mut writer = SplitWriter::create(folder.join(TEST), &encoders)?;
            let add = |block: &TableBlock<'_>| writer.add(block.records, block.binding);
            let counts = self.tables(sources).each_block(Phase::EncodeTest, reporter, add)?;
            test = Some(writer.finish()?);
            test_sources = Some(describe(sources, &counts, reporter)?);
        }
        let sources = BySplit { train: train_sources, validation: validation_sources, test: test_sources };
        let validation_rule = portable(&self.config.validation);
        let content = Content::Inline(Box::new(InlineInfo {
            csv: self.config.csv.clone(),
            validation: validation_rule,
            sources,
        }));
        Ok(Built { encoders, content, splits: BySplit { train, validation, test } })
    }

    /// Visits all rows of the training files, parted into sides. Returns the number of rows of each file.
    fn each_training_block(
        &self,
        phase: Phase,
        reporter: &mut Reporter<'_>,
        mut visit: impl FnMut(&Sides, &Binding) -> Result<(), DatasetError>,
    ) -> Result<Vec<u64>, DatasetError> {
        let mut sides = Sides::default();
        self.tables(&self.sources.train).each_block(phase, reporter, |block| {
            let path = &self.sources.train[block.source].path;
            let routing = Routing::new(&self.config.validation, block.header, path)?;
            sides.train.clear();
            sides.validation.clear();
            for (number, record) in (block.first..).zip(block.records) {
                match routing.side(record, number) {
                    Side::Train => sides.train.push(record.clone()),
                    Side::Validation => sides.validation.push(record.clone()),
                }
            }
            visit(&sides, block.binding)
        })
    }

    fn tables<'b>(&'b self, sources: &'b [Source]) -> Tables<'b> {
        Tables::new(sources, &self.config.csv, self.schema)
    }

    /// Both sides of the training files need rows.
    fn check_sides(&self, train: u64, rows: u64) -> Result<(), DatasetError> {
        let file = || self.sources.train.first().map(|source| source.path.clone()).unwrap_or_default();
        if train == 0 {
            let reason = format!("all {rows} rows are held out for validation; none is left to train on");
            return Err(DatasetError::NoRows { file: file(), reason });
        }
        match self.config.validation.fraction {
            Some(fraction) if train == rows => {
                let reason = format!(
                    "data.validation.fraction = {fraction} holds out none of {rows} rows; validation needs some"
                );
                Err(DatasetError::NoRows { file: file(), reason })
            }
            _ => Ok(()),
        }
    }

    /// A model learns nothing from rows that all have one label.
    fn check_classes(&self, train: &SplitInfo) -> Result<(), DatasetError> {
        if train.positives > 0 && train.positives < train.rows {
            return Ok(());
        }
        Err(DatasetError::OneClass {
            file: self.sources.train.first().map(|source| source.path.clone()).unwrap_or_default(),
            column: self.schema.label().to_owned(),
            rows: train.rows,
            value: u8::from(train.positives > 0),
        })
    }
}

/// Reads the sources once more for their checksums.
fn describe(sources: &[Source], rows: &[u64], reporter: &mut Reporter<'_>) -> Result<Vec<SourceInfo>, DatasetError> {
    sources.iter().zip(rows).map(|(source, rows)| source.describe(*rows, || reporter.again())).collect()
}

/// The validation rule as the manifest gives it: no folder names of the machine that built the dataset.
fn portable(validation: &ValidationConfig) -> ValidationConfig {
    let name = |name: &String| file_name(Path::new(name));
    let file = validation.file.as_ref().map(|files| match files {
        Files::One(one) => Files::One(name(one)),
        Files::Several(names) => Files::Several(names.iter().map(name).collect()),
    });
    ValidationConfig { file, ..validation.clone() }
}

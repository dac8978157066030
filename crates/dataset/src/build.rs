//! Builds a dataset in an empty folder: fits the encoders, encodes every source, writes all files.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use fain_features::{Binding, EncoderFitter, Encoders, Record, Schema};

use crate::config::DataConfig;
use crate::error::DatasetError;
use crate::layout::{TEST, TRAIN, VALIDATION};
use crate::manifest::{BySplit, ENCODERS, MANIFEST, Manifest, SourceInfo, SplitInfo};
use crate::progress::Phase;
use crate::routing::{Routing, Side};
use crate::source::Source;
use crate::table::{Reporter, Table};
use crate::write::SplitWriter;

/// What a dataset is built from. Every source was readable, and has the schema's columns.
pub(crate) struct Job<'a> {
    pub(crate) config: &'a DataConfig,
    pub(crate) schema: &'a Schema,
    pub(crate) sources: &'a BySplit<Source, Option<Source>>,
}

impl Job<'_> {
    /// Looks for missing columns in every source, before the long work.
    pub(crate) fn check_headers(&self) -> Result<(), DatasetError> {
        let train = self.open(&self.sources.train)?;
        Routing::new(&self.config.validation, train.header(), &self.sources.train.path)?;
        for source in [&self.sources.validation, &self.sources.test].into_iter().flatten() {
            self.open(source)?;
        }
        Ok(())
    }

    /// Writes all files of the dataset and waits until the disk has them.
    pub(crate) fn run(&self, folder: &Path, reporter: &mut Reporter<'_>) -> Result<(), DatasetError> {
        let encoders = self.fit(reporter)?;
        let (splits, sources) = self.encode(folder, &encoders, reporter)?;
        let path = folder.join(ENCODERS);
        let json = encoders.to_json().map_err(|cause| DatasetError::Encoders { file: path.clone(), cause })?;
        write_text(&path, &json)?;
        let path = folder.join(MANIFEST);
        let manifest = Manifest::new(&encoders, self.config, sources, splits);
        let json = manifest.to_json().map_err(|cause| DatasetError::io("write", &path, cause.into()))?;
        write_text(&path, &json)
    }

    /// Fits the encoders on the training rows, and on no others.
    fn fit(&self, reporter: &mut Reporter<'_>) -> Result<Encoders, DatasetError> {
        let mut fitter = EncoderFitter::new(self.schema.clone());
        let mut observed = 0;
        let rows = self.each_training_row(Phase::Fit, reporter, |side, record, binding| {
            if side == Side::Train {
                observed += 1;
                fitter.observe(record, binding)?;
            }
            Ok(())
        })?;
        let file = || self.sources.train.path.clone();
        if observed == 0 {
            let reason = format!("all {rows} rows are held out for validation; none is left to train on");
            return Err(DatasetError::NoRows { file: file(), reason });
        }
        if let Some(fraction) = self.config.validation.fraction
            && observed == rows
        {
            let reason =
                format!("data.validation.fraction = {fraction} holds out none of {rows} rows; validation needs some");
            return Err(DatasetError::NoRows { file: file(), reason });
        }
        Ok(fitter.finish()?)
    }

    /// Encodes every source into its files.
    fn encode(
        &self,
        folder: &Path,
        encoders: &Encoders,
        reporter: &mut Reporter<'_>,
    ) -> Result<(Splits, Sources), DatasetError> {
        let mut train = SplitWriter::create(folder.join(TRAIN), encoders)?;
        let mut validation = SplitWriter::create(folder.join(VALIDATION), encoders)?;
        self.each_training_row(Phase::EncodeTrain, reporter, |side, record, binding| match side {
            Side::Train => train.add(record, binding),
            Side::Validation => validation.add(record, binding),
        })?;
        let train = train.finish()?;
        self.check_classes(&train)?;
        let train_source = self.sources.train.describe(|| reporter.again())?;

        let mut validation_source = None;
        if let Some(source) = &self.sources.validation {
            let phase = Phase::EncodeValidation;
            self.open(source)?.each_row(phase, reporter, |record, binding| validation.add(record, binding))?;
            validation_source = Some(source.describe(|| reporter.again())?);
        }
        let validation = validation.finish()?;

        let (mut test, mut test_source) = (None, None);
        if let Some(source) = &self.sources.test {
            let phase = Phase::EncodeTest;
            let mut writer = SplitWriter::create(folder.join(TEST), encoders)?;
            self.open(source)?.each_row(phase, reporter, |record, binding| writer.add(record, binding))?;
            test = Some(writer.finish()?);
            test_source = Some(source.describe(|| reporter.again())?);
        }
        let splits = BySplit { train, validation, test };
        let sources = BySplit { train: train_source, validation: validation_source, test: test_source };
        Ok((splits, sources))
    }

    /// Visits every row of the training file with the side it belongs to. Returns the number of rows.
    fn each_training_row(
        &self,
        phase: Phase,
        reporter: &mut Reporter<'_>,
        mut visit: impl FnMut(Side, &Record, &Binding) -> Result<(), DatasetError>,
    ) -> Result<u64, DatasetError> {
        let source = &self.sources.train;
        let table = self.open(source)?;
        let routing = Routing::new(&self.config.validation, table.header(), &source.path)?;
        table.each_row(phase, reporter, |record, binding| visit(routing.side(record), record, binding))
    }

    fn open<'a>(&self, source: &'a Source) -> Result<Table<'a>, DatasetError> {
        Table::open(source, &self.config.csv, self.schema)
    }

    /// A model learns nothing from rows that all have one label.
    fn check_classes(&self, train: &SplitInfo) -> Result<(), DatasetError> {
        if train.positives > 0 && train.positives < train.rows {
            return Ok(());
        }
        Err(DatasetError::OneClass {
            file: self.sources.train.path.clone(),
            column: self.schema.label().to_owned(),
            rows: train.rows,
            value: u8::from(train.positives > 0),
        })
    }
}

type Splits = BySplit<SplitInfo, SplitInfo>;
type Sources = BySplit<SourceInfo, Option<SourceInfo>>;

/// Writes a text file and waits until the disk has it.
fn write_text(path: &Path, text: &str) -> Result<(), DatasetError> {
    let failed = |cause| DatasetError::io("write", path, cause);
    let mut file = File::create_new(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.sync_all().map_err(failed)
}

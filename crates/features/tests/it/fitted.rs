//! Schemas, and encoders fitted on a file.

use std::path::Path;
use std::sync::Arc;

use fain_features::{
    Binding, CsvConfig, DataError, EncoderFitter, Encoders, Parts, ReadPlan, Record, SampleReader, Samples, Schema,
    SchemaConfig, TableReader,
};

pub(crate) fn schema(toml: &str) -> Schema {
    let config: SchemaConfig = toml::from_str(toml).unwrap();
    config.check().unwrap()
}

/// Encoders fitted on every row of a file.
pub(crate) fn fit(schema: Schema, path: &Path) -> Result<Encoders, DataError> {
    let mut table = TableReader::open(path, &CsvConfig::default())?;
    let binding = Binding::new(&schema, Parts::default(), table.header(), path)?;
    let mut fitter = EncoderFitter::new(schema);
    let mut record = Record::new();
    while table.read(&mut record)? {
        fitter.observe(&record, &binding)?;
    }
    fitter.finish()
}

/// Every row of a file in one run.
pub(crate) fn encode(encoders: &Encoders, parts: Parts, path: &Path) -> Result<Samples, DataError> {
    let encoders = Arc::new(encoders.clone());
    let mut samples = Samples::new(encoders.schema(), parts);
    let plan = ReadPlan { parts, unread: &[], rows_per_run: usize::MAX };
    SampleReader::open(path, &CsvConfig::default(), encoders, plan)?.read(&mut samples)?;
    Ok(samples)
}

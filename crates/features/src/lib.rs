//! From a raw log to encoded samples: a schema says what the columns are, encoders learn from the training
//! rows, and rows become samples of ids, jagged lists and scaled numbers.
//!
//! ```
//! use fain_features::{Binding, Column, CsvConfig, EncoderFitter, Parts, Record, Samples, SchemaConfig, TableReader};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("clicks.csv");
//! std::fs::write(&path, "label,user,item,history\n1,ann,shoe,hat|coat\n0,bob,hat,\n")?;
//!
//! let config: SchemaConfig = toml::from_str(
//!     r#"
//!     label = "label"
//!     group = "user"
//!     [features.item]
//!     kind = "category"
//!     [features.history]
//!     kind = "sequence"
//!     max_length = 50
//!     vocabulary = "item"
//!     "#,
//! )?;
//! let schema = config.check()?;
//! let csv = CsvConfig::default();
//! let parts = Parts::of(&schema);
//! let mut record = Record::new();
//!
//! // First pass: learn from the training rows.
//! let mut table = TableReader::open(&path, &csv)?;
//! let binding = Binding::new(&schema, parts, table.header(), &path)?;
//! let mut fitter = EncoderFitter::new(schema);
//! while table.read(&mut record)? {
//!     fitter.observe(&record, &binding)?;
//! }
//! let encoders = fitter.finish()?;
//!
//! // Second pass: encode.
//! let mut table = TableReader::open(&path, &csv)?;
//! let mut samples = Samples::new(encoders.schema(), parts);
//! while table.read(&mut record)? {
//!     encoders.encode(&record, &binding, &mut samples)?;
//! }
//!
//! // Terms are numbered in the order of their code points: coat 1, hat 2, shoe 3; 0 is the unknown.
//! assert_eq!(samples.labels, Some(vec![1.0, 0.0]));
//! assert_eq!(samples.columns[0], Column::Category(vec![3, 2]));
//! let Column::Sequence(history) = &samples.columns[1] else { unreachable!() };
//! assert_eq!(history.values, [2, 1]);
//! assert_eq!(history.offsets, [0, 2, 2]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The way of a row: [`TableReader`] reads it into a [`Record`], [`Binding`] knows where its columns are,
//! [`EncoderFitter`] learns from it, [`Encoders`] append it to [`Samples`]. [`SampleReader`] does all of it
//! for a file that is only to be encoded.
//!
//! Lists are never padded and id 0 is not a padding: it is the unknown term. An empty list has length 0.

#![deny(missing_docs)]

mod append;
mod before;
mod binding;
mod check;
mod check_kind;
mod checked;
mod column;
mod counter;
mod distinct;
mod encode;
mod encoders;
mod error;
mod fitter;
mod growth;
mod hash;
mod intervals;
mod learner;
mod number;
mod numeric;
mod numeric_fitter;
mod piece;
mod sample_reader;
mod samples;
mod schema;
mod sequence;
mod stored;
mod summary;
mod time;
mod vectors;
mod vocabulary;
mod weight;

pub use binding::Binding;
pub use checked::{Buckets, Feature, FeatureKind, IdRule, Scaling, Schema};
pub use encoders::Encoders;
pub use error::{DataError, DataErrorKind, EncodersError, SchemaError};
pub use fitter::EncoderFitter;
pub use numeric::NumericEncoder;
pub use numeric_fitter::NumericFitter;
pub use sample_reader::{ReadPlan, SampleReader};
pub use samples::{Ceiling, Column, Parts, Samples, Sequences, Times};
pub use schema::{
    BucketConfig, CategoryConfig, CeilingConfig, FeatureConfig, Keep, Missing, NumericConfig, Scale, SchemaConfig,
    SequenceConfig, TimesConfig,
};
pub use summary::FeatureSummary;
pub use vectors::{Aligned, NumberColumns, VectorColumns, Vectors};
pub use vocabulary::Vocabulary;

pub use fain_tables::{CsvConfig, Encoding, Record, TableError, TableReader};

//! Encoded samples on disk, and batches of them.
//!
//! ```
//! use std::ops::ControlFlow;
//! use fain_dataset::{BatchPlan, Batches, DataConfig, Dataset, Order, Tail};
//! use fain_features::SchemaConfig;
//!
//! let folder = tempfile::tempdir()?;
//! let rows: Vec<String> = (0..100).map(|i| format!("{},u{},{}|{}", i % 2, i % 7, i, i + 1)).collect();
//! std::fs::write(folder.path().join("train.csv"), format!("label,user,history\n{}\n", rows.join("\n")))?;
//!
//! let schema: SchemaConfig = toml::from_str(
//!     r#"
//!     label = "label"
//!     features.user = { kind = "category" }
//!     features.history = { kind = "sequence", max_length = 50 }
//!     "#,
//! )?;
//! let mut data: DataConfig = toml::from_str(r#"
//!     train = "train.csv"
//!     validation = { fraction = 0.1 }
//! "#)?;
//! data.root = folder.path().to_owned();
//! data.cache = folder.path().join("cache");
//!
//! let dataset = Dataset::prepare(&data, &schema.check()?, &mut |_| ControlFlow::Continue(()))?;
//! assert_eq!(dataset.train().rows() + dataset.validation().rows(), 100);
//!
//! let plan = BatchPlan {
//!     batch_size: 32,
//!     order: Order::Shuffled { seed: 1, epoch: 0 },
//!     tail: Tail::MergeSingle,
//!     start: 0,
//!     prefetch: 2,
//! };
//! let mut batches = Batches::new(dataset.train(), plan)?;
//! let mut rows = 0;
//! while let Some(batch) = batches.next() {
//!     let batch = batch?;
//!     rows += batch.rows as u64;
//!     batches.recycle(batch);
//! }
//! assert_eq!(rows, dataset.train().rows());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The way of a row
//! [`Dataset::prepare`] reads the training rows once to fit the encoders, on them only, and each source once more to
//! encode its rows into Arrow IPC files, in a folder of the cache that is named for everything the rows depend on. The
//! folder appears when it is complete, and never before. From a samples folder ([`DataConfig::samples`]) it encodes users,
//! items and events once each, and rows refer to them. [`Dataset::open`] maps the files; a [`Split`] gives rows out of the
//! mapping, looks up what they refer to, and draws their negatives; [`Batches`] are an epoch's worth of them, shuffled by a
//! permutation that is computed rather than stored, so that an interrupted epoch goes on at any batch.
//!
//! [`audit()`] looks for what makes a quality measured on a dataset a lie: rows in two splits, candidates in their own
//! history, columns that know the label.
//!
//! The format on disk is specified in `docs/formats/dataset.md`.

mod arrays;
mod audit;
mod batches;
mod build;
mod cache;
mod config;
mod dataset;
mod encoders;
mod error;
mod files;
mod inline;
mod layout;
mod manifest;
mod manifest_1;
mod origin;
mod permutation;
mod plan;
mod prefetch;
mod progress;
mod routing;
mod source;
mod split;
mod stored;
mod stored_rows;
mod table;
mod views;
mod write;

pub use audit::{
    Audit, AuditConfig, AuditMode, AuditProgress, Example, Finding, FindingKind, Severity, SplitName, SplitStatistics,
    UnknownShare, audit,
};
pub use batches::Batches;
pub use config::{DataConfig, EncodersConfig, ValidationConfig};
pub use dataset::Dataset;
pub use error::{DatasetError, ErrorKind};
pub use files::Files;
pub use manifest::{BySplit, Content, InlineInfo, Manifest, Reading, SourceInfo, SplitInfo, ViewsInfo};
pub use origin::Origin;
pub use plan::{BatchPlan, Order, Tail};
pub use progress::{Phase, Progress};
pub use split::Split;

pub use fain_storage::FileInfo;

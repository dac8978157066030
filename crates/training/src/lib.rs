//! Trains click-through-rate models.
//!
//! An [`Experiment`] is one configuration file: data, schema, model, training. [`train`] takes it and its dataset to a
//! trained model and a [`Report`], and writes checkpoints on the way, from which an interrupted run goes on to the
//! same bytes.
//!
//! ```no_run
//! use std::ops::ControlFlow;
//! use std::path::Path;
//!
//! use fain_dataset::Dataset;
//! use fain_training::{Experiment, Override, RunFolder, TrainRequest, train};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let overrides = ["data.root=/data/ml1m_ctr".parse::<Override>()?];
//! let experiment = Experiment::read(Path::new("configs/ml1m_ctr_din.toml"), &overrides)?;
//! let schema = experiment.check()?;
//! let dataset = Dataset::prepare(&experiment.data, &schema, &mut |_| ControlFlow::Continue(()))?;
//! let folder = RunFolder::create(Path::new("runs/ml1m"))?;
//! let request = TrainRequest {
//!     experiment: &experiment,
//!     dataset: &dataset,
//!     device: tch::Device::Cpu,
//!     folder: &folder,
//!     resume: false,
//! };
//! let trained = train(&request, &mut |_| ControlFlow::Continue(()))?;
//! println!("{:?}", trained.report.test);
//! # Ok(())
//! # }
//! ```

mod checkpoint;
mod click_loss;
mod config;
mod error;
mod evaluate;
mod experiment;
mod feed;
mod folder;
mod histories;
mod loss_sums;
mod occurrences;
mod optimizer;
mod overrides;
mod progress;
mod report;
mod settings;
#[cfg(test)]
mod small_data;
mod train;

pub use config::{Monitor, TrainingConfig};
pub use error::{ConfigError, ErrorKind, TrainingError};
pub use evaluate::{EvaluationPlan, Measured, evaluate_split};
pub use experiment::Experiment;
pub use folder::{RunFolder, write_atomically};
pub use optimizer::{
    AdagradConfig, AdamConfig, BiasCorrection, Moments, Optimizer, OptimizerConfig, TablesConfig, TrainedTable,
    UpdateRule,
};
pub use overrides::Override;
pub use progress::Progress;
pub use report::{EvaluationEvent, Report};
pub use settings::read_settings;
pub use train::{TrainRequest, Trained, train};

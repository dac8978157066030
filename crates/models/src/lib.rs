//! Click-through-rate models that read a behaviour history.
//!
//! [`ModelConfig`] says which model, a [`FeatureSpace`] what it reads. A built [`Model`] takes a [`ModelInput`], made
//! from encoded [`Samples`](fain_features::Samples), to one logit per sample.
//!
//! ```
//! use fain_features::{Column, Samples, SchemaConfig, Sequences};
//! use fain_layers::Mode;
//! use fain_models::{Candidates, FeatureSpace, ModelConfig, ModelInput, candidate_logits, user_state};
//! use tch::{Device, nn};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let schema: SchemaConfig = toml::from_str(
//!     r#"
//!     label = "click"
//!     features.item = { kind = "category" }
//!     features.history = { kind = "sequence", vocabulary = "item", max_length = 50 }
//!     "#,
//! )?;
//! let config: ModelConfig = toml::from_str(
//!     r#"
//!     kind = "din"
//!     interests = [{ candidate = ["item"], history = ["history"] }]
//!     "#,
//! )?;
//! let space = FeatureSpace::new(&schema.check()?, &[100]);
//!
//! let variables = nn::VarStore::new(Device::Cpu);
//! let model = config.build(&variables.root(), &space)?;
//!
//! // Two samples; the second has no history.
//! let samples = Samples {
//!     rows: 2,
//!     columns: vec![
//!         Column::Category(vec![7, 8]),
//!         Column::Sequence(Sequences { values: vec![7, 1, 2], offsets: vec![0, 3, 3], weights: None }),
//!     ],
//!     ..Samples::default()
//! };
//! let input = ModelInput::new(&samples, Device::Cpu)?;
//! assert_eq!(model.forward(&input, Mode::Evaluation)?.logits.size(), [2]);
//!
//! // Many candidates for one user, who is read once. The user's own `item` is not looked at.
//! let history = Sequences { values: vec![7, 1, 2], offsets: vec![0, 3], weights: None };
//! let columns = vec![Column::Category(vec![0]), Column::Sequence(history)];
//! let user = user_state(model.as_ref(), &Samples { rows: 1, columns, ..Samples::default() }, Device::Cpu)?;
//! let items = Column::Category((1..100).collect());
//! let candidates = Candidates::new(&space, vec![("item", items)], Device::Cpu)?;
//! assert_eq!(candidate_logits(model.as_ref(), &user, &candidates)?.len(), 99);
//! # Ok(())
//! # }
//! ```

mod base;
mod blocks;
mod bst;
mod candidates;
mod config;
mod crosses;
mod deepfm;
mod dien;
mod din;
mod drawing;
mod dsin;
mod embeddings_config;
mod error;
mod feature_embeddings;
mod fields;
mod first_order;
mod frame;
mod graph;
mod import;
mod input;
mod interest_config;
mod interest_features;
mod interest_model;
mod last_state;
mod model;
mod normalized_interest;
mod numbers;
mod output;
mod pnn;
mod preset;
mod pretrained;
mod published;
mod scoring;
mod session_gap;
mod space;
mod tower;
mod user_state;
mod weights;
mod wide_deep;

pub use base::BaseConfig;
pub use blocks::{Block, BlockOrder};
pub use bst::BstConfig;
pub use candidates::Candidates;
pub use config::ModelConfig;
pub use crosses::{CrossConfig, CrossedCategories};
pub use deepfm::{DeepFm, DeepFmConfig};
pub use dien::DienConfig;
pub use din::{DinConfig, InterestProjection};
pub use dsin::DsinConfig;
pub use embeddings_config::{EmbeddingsConfig, TableParameter, TableSharing};
pub use error::ModelError;
pub use feature_embeddings::FeatureEmbeddings;
pub use first_order::FirstOrder;
pub use graph::{GraphNode, GraphRole, ModelGraph};
pub use import::{
    ColumnBlocks, ColumnOrder, ImportError, ImportProblem, ImportReport, ImportedTensor, StateDict, TensorNames,
    WeightMapping, WeightOperations, import_state, import_weights,
};
pub use input::{InputColumn, ModelInput};
pub use interest_config::{HistoryLengths, InterestConfig};
pub use interest_features::InterestFeatures;
pub use interest_model::{InterestModel, InterestModelParts};
pub use last_state::LastState;
pub use model::{Model, parameter_count};
pub use normalized_interest::NormalizedInterest;
pub use numbers::{NumberConfig, NumberProjection};
pub use output::Output;
pub use pnn::{Pnn, PnnConfig};
pub use preset::complete;
pub use pretrained::{PretrainedConfig, PretrainedVectors};
pub use published::{DienPreset, DinPreset};
pub use scoring::{candidate_logits, logits, user_state};
pub use session_gap::SessionGap;
pub use space::{FeatureSpace, SpaceFeature, SpaceKind};
pub use tower::DeepComponent;
pub use user_state::UserState;
pub use weights::{WeightsError, load_weights, named_tensors, restore_weights, serialize_tensors, tensor_from_view};
pub use wide_deep::{WideDeep, WideDeepConfig};

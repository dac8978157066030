//! Layers of click-through-rate models that read a user's behaviour history.
//!
//! A history is *jagged*: the events of all samples lie one after another, and offsets say where each sample's
//! history begins. Nothing is padded, so padding can neither leak into a result nor cost time.
//!
//! ```
//! use fain_layers::{Jagged, JaggedLayout, Mode, TargetAttention, TargetAttentionConfig};
//! use tch::{Device, Kind, Tensor, nn};
//!
//! # fn main() -> Result<(), fain_layers::LayerError> {
//! let variables = nn::VarStore::new(Device::Cpu);
//! let attention = TargetAttention::new(&(variables.root() / "attention"), 8, &TargetAttentionConfig::default())?;
//!
//! // Three samples with 2, 0 and 3 events: 5 events of width 8.
//! let layout = JaggedLayout::new(&[0, 2, 2, 5], Device::Cpu)?;
//! let history = Jagged::new(Tensor::rand([5, 8], (Kind::Float, Device::Cpu)), layout)?;
//! let candidate = Tensor::rand([3, 8], (Kind::Float, Device::Cpu));
//!
//! let interest = attention.forward(&candidate, &history, Mode::Evaluation)?;
//! assert_eq!(interest.size(), [3, 8]);
//! // A sample without events has no interest: a zero vector.
//! assert_eq!(f64::try_from(interest.get(1).abs().sum(Kind::Float)).unwrap(), 0.0);
//! # Ok(())
//! # }
//! ```
//!
//! Letters in the shapes: `B` samples of a batch, `N` events of a batch (the sum of its history lengths), `D` embedding
//! width, `F` fields, `H` hidden width, `S` sessions of a batch, `V` rows of an embedding table.

mod activation;
mod attention;
mod auxiliary;
mod bst;
mod dice;
mod dien;
mod dropout;
mod dsin;
mod embedding;
mod error;
mod factorization_machine;
mod history_state;
mod interest;
mod jagged;
mod layer_norm;
mod linear;
mod mlp;
mod mode;
mod normalization;
mod number;
mod outline;
mod packing;
mod padding;
mod places;
mod pooling;
mod positional_embedding;
mod product;
mod recurrent;
mod repeat;
mod segment;
mod self_attention;
mod threads;
mod transformer;
mod unbiased_linear;

pub use activation::{Activation, ActivationConfig};
pub use attention::{
    AttentionInputs, AttentionNormalization, AttentionScale, AttentionScoring, CandidateProjection, TargetAttention,
    TargetAttentionConfig,
};
pub use auxiliary::{
    AuxiliaryAverage, AuxiliaryLoss, AuxiliaryLossConfig, AuxiliaryNet, AuxiliaryNetConfig, AuxiliaryScorer,
};
pub use bst::{BstInterest, BstInterestConfig, BstOutput};
pub use dice::{Dice, DiceVariant};
pub use dien::{
    DienInterest, DienInterestConfig, Evolution, EvolutionKind, ExtractedInterest, InterestEvolution, InterestExtractor,
};
pub use dropout::dropout;
pub use dsin::{
    BiasEncoding, DsinInterest, DsinInterestConfig, DsinParts, SessionInterestExtractor, SessionInterestInteraction,
    SessionLimits, Sessions,
};
pub use embedding::{Embedding, EmbeddingConfig};
pub use error::LayerError;
pub use factorization_machine::factorization_machine;
pub use history_state::HistoryState;
pub use interest::{Attention, Interest, InterestInput, InterestLayer};
pub use jagged::{Jagged, JaggedLayout};
pub use layer_norm::LayerNorm;
pub use linear::Linear;
pub use mlp::{InputNorm, Mlp, MlpConfig};
pub use mode::Mode;
pub use normalization::{BatchNorm, BatchNormConfig, RunningVariance};
pub use outline::{Outline, Part, Source};
pub use packing::Packing;
pub use pooling::{Pooling, pool, pool_weighted};
pub use positional_embedding::{PositionCombination, PositionalEmbedding, PositionalEmbeddingConfig, SequenceEnd};
pub use product::{ProductKind, ProductLayer};
pub use recurrent::{
    AttentionalGru, AttentionalGruConfig, AttentionalGruKind, BiLstm, BiLstmConfig, Directions, Execution, GateOrder,
    Gru, GruConfig, Recurrence, RecurrentCell, ResetGate, Unrolled, cuda_recurrences,
};
pub use segment::{segment_max, segment_softmax, segment_sum, segment_weighted_sum};
pub use self_attention::SelfAttention;
pub use transformer::{FeedForwardActivation, TransformerBlock, TransformerBlockConfig};

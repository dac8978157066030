//! Recurrences over histories.

mod attentional_gru;
mod bi_lstm;
mod config;
mod cuda;
mod fused;
mod gate_order;
mod gated;
mod gru;
mod operands;
mod plain;
mod recurrence;
mod unroll;
mod update;

pub use attentional_gru::AttentionalGru;
pub use bi_lstm::{BiLstm, BiLstmConfig, Directions};
pub use config::{AttentionalGruConfig, AttentionalGruKind, Execution, GruConfig, ResetGate};
pub use cuda::cuda_recurrences;
pub use gate_order::GateOrder;
pub use gru::Gru;
pub use recurrence::{Recurrence, RecurrentCell, Unrolled};

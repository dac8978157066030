//! What the kernels read and write, as addresses in the memory of the device.

/// An address in the memory of a device, as `Tensor::data_ptr` of a CUDA tensor gives it; 0 is no buffer.
pub type Address = u64;

/// Operands of the forward pass; float32 and dense but for the offsets. `B` samples, `N` events, `G` gates of the cell,
/// `H` hidden width, `D` width of an event.
///
/// The share of the events in all gates, `W x + b`, is one matrix product before; its gradients are matrix products
/// afterwards.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct Forward {
    /// `[B + 1]`, int64: the events of sample `b` are the rows `offsets[b]..offsets[b + 1]`.
    pub offsets: Address,
    /// `W x + b`, shape `[N, G·H]`.
    pub projected: Address,
    /// `U` transposed, shape `[H, G·H]`.
    pub weight: Address,
    /// `c`, shape `[G·H]`; 0 is a bias of zeros.
    pub bias: Address,
    /// `[N]`, for the cells that take scores.
    pub scores: Address,
    /// `[B, H]`; 0 is zeros.
    pub initial: Address,
    /// `[N, H]`, written: the state after each event.
    pub states: Address,
    /// `[N, (G + 1)·H]`, written: what the backward pass needs. 0 where there is none.
    pub saved: Address,
    /// `B`.
    pub samples: i64,
}

/// Operands of the backward pass; float32 and dense but for the offsets.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct Backward {
    /// As in the forward pass.
    pub offsets: Address,
    /// `U`, shape `[G·H, H]`: not transposed.
    pub weight: Address,
    /// As in the forward pass.
    pub scores: Address,
    /// As in the forward pass.
    pub initial: Address,
    /// As the forward pass wrote them.
    pub states: Address,
    /// As the forward pass wrote it.
    pub saved: Address,
    /// `[N, H]`: of the states.
    pub gradient: Address,
    /// `[N, G·H]`, written: the gradient of `W x + b`.
    pub projected_gradient: Address,
    /// `[N, G·H]`, written: the gradient of `U h + c`. With `previous` it gives those of `U` and `c`.
    pub state_gradient: Address,
    /// `[N, H]`, written: the state before each event.
    pub previous: Address,
    /// `[N, H]`, written where it is not 0: the sum over a row is the gradient of the event's score.
    pub score_terms: Address,
    /// `[B, H]`, written where it is not 0, but not for samples without events: fill it with zeros before.
    pub initial_gradient: Address,
    /// `B`.
    pub samples: i64,
}

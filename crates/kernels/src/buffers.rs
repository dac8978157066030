//! What goes into a kernel and comes out of it. `B` samples, `N` events of the batch (sum of lengths), `D` width of an
//! input vector, `H` hidden width, `G` gates of the cell. Every matrix is row-major.

/// The weights of a cell, stacked as in a PyTorch state dict; [`Cell`](crate::Cell) says in which order.
#[derive(Clone, Copy, Debug)]
pub struct Weights<'a, T> {
    /// `weight_ih`, shape `[G·H, D]`.
    pub input: &'a [T],
    /// `weight_hh`, shape `[G·H, H]`.
    pub hidden: &'a [T],
    /// `bias_ih`, shape `[G·H]`; `None` is a bias of zeros.
    pub input_bias: Option<&'a [T]>,
    /// `bias_hh`, shape `[G·H]`; `None` is a bias of zeros.
    pub hidden_bias: Option<&'a [T]>,
}

/// A batch of sequences of different lengths, in jagged order: the events of sample `b`, oldest first, are the rows
/// `offsets[b]..offsets[b + 1]`. A sample may have no events.
#[derive(Clone, Copy, Debug)]
pub struct Sequences<'a, T> {
    /// `[B + 1]`, from 0, never falling; the last one is `N`.
    pub offsets: &'a [u32],
    /// The events' vectors, shape `[N, D]`.
    pub inputs: &'a [T],
    /// The events' attention scores, shape `[N]`: for the cells that take scores, and only for them.
    pub scores: Option<&'a [T]>,
    /// The samples' states before their first event, shape `[B, H]`; `None` is zeros.
    pub initial: Option<&'a [T]>,
}

/// The gradient of the states, with which the backward pass begins.
#[derive(Clone, Copy, Debug)]
pub enum StateGradient<'a, T> {
    /// Of the state after each event, shape `[N, H]`.
    Events(&'a [T]),
    /// Of each sample's last state, shape `[B, H]`: nothing else was done with the states. Rows of samples without
    /// events are not read.
    Last(&'a [T]),
}

/// Where the backward pass puts its gradients. What was in the buffers is overwritten; `None` is not computed.
#[derive(Debug)]
pub struct Gradients<'a, T> {
    /// Of [`Sequences::inputs`], shape `[N, D]`.
    pub inputs: Option<&'a mut [T]>,
    /// Of [`Sequences::scores`], shape `[N]`: only for the cells that take scores.
    pub scores: Option<&'a mut [T]>,
    /// Of [`Sequences::initial`], shape `[B, H]`; zeros where a sample has no events. Also defined where the initial
    /// states are the zeros of `None`.
    pub initial: Option<&'a mut [T]>,
    /// Of [`Weights::input`], shape `[G·H, D]`.
    pub input_weight: Option<&'a mut [T]>,
    /// Of [`Weights::hidden`], shape `[G·H, H]`.
    pub hidden_weight: Option<&'a mut [T]>,
    /// Of [`Weights::input_bias`], shape `[G·H]`. Also defined where the bias is the zeros of `None`.
    pub input_bias: Option<&'a mut [T]>,
    /// Of [`Weights::hidden_bias`], shape `[G·H]`. Also defined where the bias is the zeros of `None`.
    pub hidden_bias: Option<&'a mut [T]>,
}

impl<T> Default for Gradients<'_, T> {
    /// Nothing is computed.
    fn default() -> Self {
        Self {
            inputs: None,
            scores: None,
            initial: None,
            input_weight: None,
            hidden_weight: None,
            input_bias: None,
            hidden_bias: None,
        }
    }
}

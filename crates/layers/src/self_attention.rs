//! Self-attention among the events of a sample.

use fain_autograd::widened;
use tch::{Tensor, nn};

use crate::error::check_shape;
use crate::padding::Padding;
use crate::unbiased_linear::UnbiasedLinear;
use crate::{Jagged, LayerError};

/// Multi-head self-attention: each event takes from all events of its own sample.
///
/// `head_h = softmax(Q_h K_hᵀ / √d_h) V_h` with `Q = E W^Q`, `K = E W^K`, `V = E W^V` cut into heads of width `d_h`, and
/// `Concat(head_1, …) W^O`: Attention Is All You Need, section 3.2, <https://arxiv.org/abs/1706.03762>, and Behavior
/// Sequence Transformer, section 2.2. Events of other samples are never seen, and it does not matter how many they are.
///
/// The paper of DSIN cuts the events before it projects them and divides by `√D`; here, as in its authors' code, each
/// head reads the whole event and is divided by the root of its own width.
///
/// Parameters: `query.weight`, `key.weight`, `value.weight`, `output.weight`, all `[D, D]`; there are no biases, as in
/// the papers.
#[derive(Debug)]
pub struct SelfAttention {
    query: UnbiasedLinear,
    key: UnbiasedLinear,
    value: UnbiasedLinear,
    output: UnbiasedLinear,
    heads: i64,
    width: i64,
}

/// Whether events of a width can be cut into heads.
pub(crate) fn check_heads(heads: i64, width: i64) -> Result<(), LayerError> {
    if width < 1 {
        return Err(LayerError::Config { field: "width", value: width.to_string(), allowed: "at least 1" });
    }
    if heads < 1 || width % heads != 0 {
        let value = format!("{heads} for events of width {width}");
        return Err(LayerError::Config { field: "heads", value, allowed: "a number from 1 that divides the width" });
    }
    Ok(())
}

impl SelfAttention {
    /// Registers the projections for events of width `width`.
    ///
    /// # Errors
    /// [`LayerError::Config`] when `width` is not positive or `heads` does not divide it; no variable is registered then.
    pub fn new(variables: &nn::Path<'_>, width: i64, heads: i64) -> Result<Self, LayerError> {
        check_heads(heads, width)?;
        let projection = |name: &str| UnbiasedLinear::new(&(variables / name), width, width);
        Ok(Self {
            query: projection("query")?,
            key: projection("key")?,
            value: projection("value")?,
            output: projection("output")?,
            heads,
            width,
        })
    }

    /// # Shapes
    /// - `events` jagged `[N, D]` → jagged `[N, D]`
    ///
    /// # Errors
    /// [`LayerError::Shape`] when the width differs.
    pub fn forward(&self, events: &Jagged) -> Result<Jagged, LayerError> {
        let layout = events.layout();
        check_shape("events", events.values(), &[Some(layout.events()), Some(self.width)], "[N, D]")?;
        let attended = if layout.events() == 0 { events.values().shallow_clone() } else { self.attend(events)? };
        Jagged::new(widened(&self.output.forward(&attended)?)?, layout.clone())
    }

    /// All heads side by side: `[N, D]`. Projections see events only; padding enters where lengths must be equal.
    fn attend(&self, events: &Jagged) -> Result<Tensor, LayerError> {
        let padding = Padding::new(events.layout())?;
        let size = padding.absent().size();
        let (rows, longest, head) = (size[0], size[1], self.width / self.heads);
        let heads = |projection: &UnbiasedLinear| -> Result<Tensor, LayerError> {
            let dense = padding.pad(&projection.forward(events.values())?)?;
            Ok(dense.f_reshape([rows, longest, self.heads, head])?.f_transpose(1, 2)?)
        };
        let query = heads(&self.query)?.f_mul_scalar(1.0 / (head as f64).sqrt())?;
        let logits = widened(&query.f_matmul(&heads(&self.key)?.f_transpose(2, 3)?)?)?;
        let absent = padding.absent().f_reshape([rows, 1, 1, longest])?;
        // Each row has an event, so no softmax is over minus infinity alone.
        let weights = logits.f_masked_fill(&absent, f64::NEG_INFINITY)?.f_softmax(3, logits.kind())?;
        let attended = weights.f_matmul(&heads(&self.value)?)?;
        padding.unpad(&attended.f_transpose(1, 2)?.f_reshape([rows, longest, self.width])?)
    }
}

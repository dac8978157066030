//! Where an event lies within its sample.

use tch::{Kind, Tensor};

use crate::{JaggedLayout, LayerError};

/// How many events of its sample come before each event: `[N]`, int64.
pub(crate) fn distances_from_first(layout: &JaggedLayout) -> Result<Tensor, LayerError> {
    let starts = layout.offsets().f_narrow(0, 0, layout.rows())?;
    Ok(numbers(layout)?.f_sub(&layout.expand(&starts)?)?)
}

/// How many events of its sample come after each event: `[N]`, int64.
pub(crate) fn distances_from_last(layout: &JaggedLayout) -> Result<Tensor, LayerError> {
    let ends = layout.offsets().f_narrow(0, 1, layout.rows())?;
    Ok(layout.expand(&ends)?.f_sub(&numbers(layout)?)?.f_sub_scalar(1)?)
}

fn numbers(layout: &JaggedLayout) -> Result<Tensor, LayerError> {
    Ok(Tensor::f_arange(layout.events(), (Kind::Int64, layout.offsets().device()))?)
}

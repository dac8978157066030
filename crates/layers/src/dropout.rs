//! Dropout.

use tch::Tensor;

use crate::{LayerError, Mode};

/// Sets a share of the entries to zero in training and scales the rest by `1 / (1 − share)`.
///
/// The draws come from libtorch's generator, which the trainer seeds.
///
/// # Errors
/// [`LayerError::Torch`] when libtorch refuses.
pub fn dropout(input: Tensor, share: f64, mode: Mode) -> Result<Tensor, LayerError> {
    if share == 0.0 || !mode.is_training() {
        return Ok(input);
    }
    Ok(input.f_dropout(share, true)?)
}

/// A share that dropout accepts.
pub(crate) fn check_share(field: &'static str, share: f64) -> Result<(), LayerError> {
    if (0.0..1.0).contains(&share) {
        return Ok(());
    }
    Err(LayerError::Config { field, value: share.to_string(), allowed: "at least 0 and below 1" })
}

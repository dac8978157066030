//! Means and variances of a layer's rows.

use fain_autograd::{Buffer, Element, slice};
use fain_kernels::{Real, column_statistics};
use tch::Tensor;

use super::places::NormPlaces;
use crate::LayerError;
use crate::threads::Threads;

/// Mean and biased variance of rows, each `[H]`.
pub(super) struct Statistics {
    pub(super) mean: Tensor,
    pub(super) variance: Tensor,
}

/// Mean and biased variance of each of the first `width` columns, where no pass over the rows has left them.
pub(super) fn columns<T: Element + Real>(rows: &Tensor, width: usize) -> Result<Statistics, LayerError> {
    let size = [width as i64];
    let (mut mean, mut variance) = (Buffer::<T>::new(&size)?, Buffer::<T>::new(&size)?);
    let rows = rows.f_narrow(1, 0, width as i64)?.f_contiguous()?;
    column_statistics(width, slice(&rows)?, mean.as_mut_slice(), variance.as_mut_slice(), &Threads)?;
    Ok(Statistics { mean: mean.into_tensor(), variance: variance.into_tensor() })
}

/// The statistics of columns that a normalisation has gone over: its shift, and the variance by its scale.
pub(super) fn normalized(norm: &NormPlaces, inputs: &[Tensor], before: &Statistics) -> Result<Statistics, LayerError> {
    let share = before.variance.f_div(&before.variance.f_add_scalar(norm.epsilon)?)?;
    let variance = match norm.scale {
        Some(scale) => inputs[scale].f_square()?.f_mul(&share)?,
        None => share,
    };
    let mean = match norm.shift {
        Some(shift) => inputs[shift].f_detach_copy()?,
        None => before.mean.f_zeros_like()?,
    };
    Ok(Statistics { mean, variance })
}

//! Means and variances of a layer's rows.

use fain_autograd::{Buffer, Element, slice};
use fain_kernels::{Real, column_statistics};
use tch::Tensor;

use super::places::NormPlaces;
use crate::LayerError;
use crate::number::Number;
use crate::threads::Threads;

/// Mean and biased variance of rows, each `[H]`.
pub(super) struct Statistics {
    pub(super) mean: Tensor,
    pub(super) variance: Tensor,
}

/// Mean and biased variance of each of the first `width` columns, where no pass over the rows has left them.
pub(super) fn columns<T: Element + Real>(rows: &Tensor, width: usize) -> Result<Statistics, LayerError> {
    let size = [width as i64];
    let (mut mean, mut variance) = (Buffer::<T>::unspecified(&size)?, Buffer::<T>::unspecified(&size)?);
    let narrowed;
    let rows = if rows.size()[1] == size[0] {
        rows
    } else {
        narrowed = rows.f_narrow(1, 0, size[0])?.f_contiguous()?;
        &narrowed
    };
    column_statistics(width, slice(rows)?, mean.as_mut_slice(), variance.as_mut_slice(), &Threads)?;
    Ok(Statistics { mean: mean.into_tensor(), variance: variance.into_tensor() })
}

/// The statistics of columns that a normalisation has gone over: its shift, and the variance by its scale.
pub(super) fn normalized<T: Number>(
    norm: &NormPlaces,
    inputs: &[Tensor],
    before: &Statistics,
) -> Result<Statistics, LayerError> {
    let size = before.variance.size();
    let (mut mean, mut variance) = (Buffer::<T>::unspecified(&size)?, Buffer::<T>::unspecified(&size)?);
    let (epsilon, of) = (T::of(norm.epsilon), |place: usize| slice::<T>(&inputs[place]));
    for (variance, &before) in variance.as_mut_slice().iter_mut().zip(slice::<T>(&before.variance)?) {
        *variance = before / (before + epsilon);
    }
    if let Some(scale) = norm.scale {
        for (variance, &scale) in variance.as_mut_slice().iter_mut().zip(of(scale)?) {
            *variance = scale * scale * *variance;
        }
    }
    match norm.shift {
        Some(shift) => mean.as_mut_slice().copy_from_slice(of(shift)?),
        None => mean.as_mut_slice().fill(T::default()),
    }
    Ok(Statistics { mean: mean.into_tensor(), variance: variance.into_tensor() })
}

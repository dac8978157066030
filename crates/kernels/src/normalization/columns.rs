//! The numbers of each column that the passes over the rows read.

use crate::normalization::Normalization;
use crate::scalar::Scalar;

/// `z = (x − mean) · factor + shift`, for each column.
pub(super) struct Columns<T> {
    pub(super) mean: Vec<T>,
    /// `scale / √(variance + ε)`
    pub(super) factor: Vec<T>,
    /// `1 / √(variance + ε)`
    pub(super) inverse: Vec<T>,
    pub(super) shift: Vec<T>,
    /// Empty without Dice.
    pub(super) alpha: Vec<T>,
}

impl<T: Scalar> Columns<T> {
    pub(super) fn new(normalization: &Normalization<'_, T>) -> Self {
        let width = normalization.mean.len();
        let inverse: Vec<T> = normalization
            .variance
            .iter()
            .map(|variance| T::from_f64(1.0 / (variance.to_f64() + normalization.epsilon).sqrt()))
            .collect();
        let factor = match normalization.scale {
            Some(scale) => scale.iter().zip(&inverse).map(|(&scale, &inverse)| scale * inverse).collect(),
            None => inverse.clone(),
        };
        Self {
            mean: normalization.mean.to_vec(),
            factor,
            inverse,
            shift: normalization.shift.map_or_else(|| vec![T::ZERO; width], <[T]>::to_vec),
            alpha: normalization.alpha.map_or_else(Vec::new, <[T]>::to_vec),
        }
    }
}

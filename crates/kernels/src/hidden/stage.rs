//! A layer as the passes over its rows read it: every list of columns in whole vectors.

use super::{HiddenActivation, HiddenLayer, stride};
use crate::columns::vector;
use crate::error::{KernelError, check_length};
use crate::instruction_set::Detected;
use crate::memory::LINE;
use crate::normalization::Normalization;
use crate::pair_loss::DenseLayer;
use crate::scalar::{Real, Scalar};
use crate::target_pairs::Panels;

/// `(x − mean) · factor + shift`, for each column; zeros behind the last one.
pub(super) struct Affine<T> {
    pub(super) mean: Vec<T>,
    pub(super) factor: Vec<T>,
    pub(super) shift: Vec<T>,
    /// `1 / √(variance + ε)`
    pub(super) inverse: Vec<T>,
}

/// Of one vector of columns.
#[derive(Clone, Copy)]
pub(super) struct AffineOf<T, const W: usize> {
    pub(super) mean: [T; W],
    pub(super) factor: [T; W],
    pub(super) shift: [T; W],
}

impl<T: Scalar> Affine<T> {
    fn new(normalization: Option<&Normalization<'_, T>>, width: usize, stride: usize) -> Self {
        let padded = |mut numbers: Vec<T>| {
            numbers.resize(stride, T::ZERO);
            numbers
        };
        let Some(of) = normalization else {
            let (zeros, ones) = (vec![T::ZERO; stride], padded(vec![T::ONE; width]));
            return Self { mean: zeros.clone(), factor: ones.clone(), shift: zeros, inverse: ones };
        };
        let inverse = |variance: &T| T::from_f64(1.0 / (variance.to_f64() + of.epsilon).sqrt());
        let inverse: Vec<T> = of.variance.iter().map(inverse).collect();
        let factor = match of.scale {
            Some(scale) => scale.iter().zip(&inverse).map(|(&scale, &inverse)| scale * inverse).collect(),
            None => inverse.clone(),
        };
        Self {
            mean: padded(of.mean.to_vec()),
            factor: padded(factor),
            shift: padded(of.shift.map_or_else(Vec::new, <[T]>::to_vec)),
            inverse: padded(inverse),
        }
    }

    #[inline(always)]
    pub(super) fn at<const W: usize>(&self, column: usize) -> AffineOf<T, W> {
        AffineOf {
            mean: *vector(&self.mean[column..]),
            factor: *vector(&self.factor[column..]),
            shift: *vector(&self.shift[column..]),
        }
    }
}

/// What follows the normalisation.
pub(super) enum Activated<T> {
    Identity,
    Slope(Vec<T>),
    Sigmoid,
    Dice {
        norm: Affine<T>,
        alpha: Vec<T>,
    },
    RowDice {
        alpha: T,
        /// `ε` times the width.
        epsilon: T,
    },
}

/// The dense map behind a layer.
pub(super) struct Dense<T> {
    pub(super) outputs: usize,
    /// Forward the weight on its side, `[H, outputs]`; backward as it is, `[outputs, H]`.
    pub(super) panels: Panels<T>,
    /// In whole vectors.
    pub(super) bias: Vec<T>,
    /// The weights of the first output, in whole vectors.
    pub(super) row: Vec<T>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Forward,
    Backward,
}

/// A layer of `H` units.
pub(super) struct Stage<T> {
    /// `H`
    pub(super) width: usize,
    /// `H` in whole cache lines: the distance of the rows of a tile.
    pub(super) stride: usize,
    pub(super) normed: bool,
    pub(super) norm: Affine<T>,
    pub(super) activated: Activated<T>,
    /// 1 for each column, 0 behind them.
    pub(super) held: Vec<T>,
    pub(super) dense: Option<Dense<T>>,
}

impl<T: Real> Stage<T> {
    pub(super) fn new(
        set: Detected,
        width: usize,
        layer: &HiddenLayer<'_, T>,
        dense: Option<&DenseLayer<'_, T>>,
        direction: Direction,
    ) -> Result<Self, KernelError> {
        let across = width.next_multiple_of(LINE / size_of::<T>());
        let padded = |numbers: &[T]| {
            let mut numbers = numbers.to_vec();
            numbers.resize(across, T::ZERO);
            numbers
        };
        layer.norm.as_ref().map_or(Ok(()), |norm| norm.check(width))?;
        let activated = match &layer.activation {
            HiddenActivation::Identity => Activated::Identity,
            HiddenActivation::Slope(slopes) => {
                check_length("slope", slopes.len(), width)?;
                Activated::Slope(padded(slopes))
            }
            HiddenActivation::Sigmoid => Activated::Sigmoid,
            HiddenActivation::Dice(norm) => {
                norm.check(width)?;
                let alpha = norm.alpha.unwrap_or_default();
                check_length("alpha", alpha.len(), width)?;
                Activated::Dice { norm: Affine::new(Some(norm), width, across), alpha: padded(alpha) }
            }
            HiddenActivation::RowDice { alpha, epsilon } => {
                Activated::RowDice { alpha: *alpha, epsilon: T::from_f64(epsilon * width as f64) }
            }
        };
        Ok(Self {
            width,
            stride: across,
            normed: layer.norm.is_some(),
            norm: Affine::new(layer.norm.as_ref(), width, across),
            activated,
            held: padded(&vec![T::ONE; width]),
            dense: dense.map(|dense| Dense::new(set, width, dense, direction)).transpose()?,
        })
    }

    /// The width of what comes out.
    pub(super) fn outputs(&self) -> usize {
        self.dense.as_ref().map_or(self.width, |dense| dense.outputs)
    }
}

impl<T> Stage<T> {
    /// Whether rows come out of normalisation and activation as they went in.
    pub(super) fn is_plain(&self) -> bool {
        !self.normed && matches!(self.activated, Activated::Identity)
    }
}

impl<T: Scalar> Dense<T> {
    fn new(set: Detected, width: usize, dense: &DenseLayer<'_, T>, way: Direction) -> Result<Self, KernelError> {
        let (outputs, weight) = (dense.bias.len(), dense.weight);
        if outputs == 0 {
            return Err(KernelError::Zero { name: "outputs" });
        }
        check_length("weight", weight.len(), outputs * width)?;
        let whole = |width: usize| width.next_multiple_of(LINE / size_of::<T>());
        let lanes = T::lanes(set);
        let panels = match way {
            Direction::Forward => Panels::new(width, whole(outputs), lanes, |input, output| {
                // Behind the last output there is nothing.
                weight.get(output * width + input).copied().unwrap_or(T::ZERO)
            }),
            Direction::Backward => Panels::of_rows(weight, width, whole(width), lanes),
        };
        let padded = |numbers: &[T], count: usize| {
            let mut numbers = numbers.to_vec();
            numbers.resize(whole(count), T::ZERO);
            numbers
        };
        Ok(Self { outputs, panels, bias: padded(dense.bias, outputs), row: padded(&weight[..width], width) })
    }

    /// The distance of two rows of the outputs.
    pub(super) fn across(&self) -> usize {
        stride::<T>(self.outputs)
    }
}

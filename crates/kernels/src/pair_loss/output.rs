//! The last layer, the loss, and the way back to the last hidden layer.

use super::entry::{entry_loss, entry_slope};
use super::products::{VECTORS, vectors};
use crate::activation::multiply_add;
use crate::level::{Level, Operation};
use crate::scalar::Scalar;

/// One tile of pairs.
pub(super) struct Output<'a, T, const W: usize> {
    pub(super) weight: &'a [T],
    pub(super) bias: T,
    /// Whether these events happened.
    pub(super) happened: bool,
    /// 1 for every pair that is there, then 0.
    pub(super) held: &'a [T],
    pub(super) loss: &'a mut [T],
    /// The last hidden layer.
    pub(super) units: &'a mut [T],
    pub(super) back: Option<OutputBack<'a, T>>,
}

/// Sums over pairs, which stay vectors until all are there; the hidden layer's units are replaced by the gradients of
/// what the logistic function was taken of.
pub(super) struct OutputBack<'a, T> {
    /// What the gradient of each pair's loss is multiplied by.
    pub(super) scale: T,
    /// Of the last layer's weight.
    pub(super) weight: &'a mut [T],
    /// Of its bias.
    pub(super) bias: &'a mut [T],
    /// Of the bias of the layer before.
    pub(super) before: &'a mut [T],
}

impl<T: Scalar, const W: usize> Operation for Output<'_, T, W> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, _: L) {
        let mut logits = [[self.bias; W]; VECTORS];
        for (unit, &weight) in vectors::<T, W>(self.units).iter().zip(self.weight) {
            let (unit, mut sums) = (*unit, logits);
            for v in 0..VECTORS {
                for w in 0..W {
                    sums[v][w] = multiply_add::<T, L>(unit[v][w], weight, sums[v][w]);
                }
            }
            logits = sums;
        }
        let held = vectors::<T, W>(self.held)[0];
        let loss = &mut self.loss.as_chunks_mut::<W>().0[0];
        // All vectors are worked on in variables of their own: of slices the compiler does not know that they lie apart.
        let mut losses = *loss;
        for v in 0..VECTORS {
            for w in 0..W {
                let loss = entry_loss::<T, L>(logits[v][w], self.happened);
                losses[w] = multiply_add::<T, L>(loss, held[v][w], losses[w]);
            }
        }
        *loss = losses;
        let Some(back) = self.back else { return };
        let mut slopes = logits;
        let bias = &mut back.bias.as_chunks_mut::<W>().0[0];
        let mut by_bias = *bias;
        for v in 0..VECTORS {
            for w in 0..W {
                slopes[v][w] = entry_slope::<T, L>(logits[v][w], self.happened) * held[v][w] * back.scale;
                by_bias[w] += slopes[v][w];
            }
        }
        *bias = by_bias;
        let units = self.units.as_chunks_mut::<W>().0.as_chunks_mut::<VECTORS>().0;
        let sums = back.weight.as_chunks_mut::<W>().0.iter_mut().zip(back.before.as_chunks_mut::<W>().0);
        for ((unit, &weight), (by_weight, before)) in units.iter_mut().zip(self.weight).zip(sums) {
            let (mut values, mut of_weight, mut of_bias) = (*unit, *by_weight, *before);
            for v in 0..VECTORS {
                for w in 0..W {
                    let value = values[v][w];
                    of_weight[w] = multiply_add::<T, L>(slopes[v][w], value, of_weight[w]);
                    let slope = slopes[v][w] * weight * value * (T::ONE - value);
                    values[v][w] = slope;
                    of_bias[w] += slope;
                }
            }
            *unit = values;
            *by_weight = of_weight;
            *before = of_bias;
        }
    }
}

//! What a gated recurrence computes with, in the order in which the fused function gets it.

use std::convert::Infallible;

/// One value for each operand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operands<V> {
    /// `[N, D]`
    pub(super) inputs: V,
    /// `[G·H, D]`
    pub(super) input_weight: V,
    /// `[G·H, H]`
    pub(super) state_weight: V,
    /// `[N, 1]`
    pub(super) scores: Option<V>,
    /// `[B, H]`
    pub(super) initial: Option<V>,
    /// `[G·H]`
    pub(super) input_bias: Option<V>,
    /// `[G·H]`
    pub(super) state_bias: Option<V>,
}

impl<V> Operands<V> {
    /// The same operands with other values.
    pub(super) fn map<R>(self, mut map: impl FnMut(V) -> R) -> Operands<R> {
        let Ok(mapped) = self.try_map(|value| Ok::<R, Infallible>(map(value)));
        mapped
    }

    /// The same operands with other values; `map` sees them in their order.
    pub(super) fn try_map<R, E>(self, mut map: impl FnMut(V) -> Result<R, E>) -> Result<Operands<R>, E> {
        Ok(Operands {
            inputs: map(self.inputs)?,
            input_weight: map(self.input_weight)?,
            state_weight: map(self.state_weight)?,
            scores: self.scores.map(&mut map).transpose()?,
            initial: self.initial.map(&mut map).transpose()?,
            input_bias: self.input_bias.map(&mut map).transpose()?,
            state_bias: self.state_bias.map(&mut map).transpose()?,
        })
    }

    /// The values of the operands that are there, in their order.
    pub(super) fn into_list(self) -> Vec<V> {
        let optional = [self.scores, self.initial, self.input_bias, self.state_bias];
        [self.inputs, self.input_weight, self.state_weight].into_iter().chain(optional.into_iter().flatten()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_the_order_of_the_map() {
        for (scores, initial, bias) in [(true, true, true), (true, false, true), (false, true, false)] {
            let operands = Operands {
                inputs: (),
                input_weight: (),
                state_weight: (),
                scores: scores.then_some(()),
                initial: initial.then_some(()),
                input_bias: bias.then_some(()),
                state_bias: bias.then_some(()),
            };
            let mut count = 0;
            let places = operands.map(|()| {
                count += 1;
                count - 1
            });
            let list = places.into_list();
            assert_eq!(list, (0..list.len()).collect::<Vec<usize>>());
            let given = [scores, initial, bias, bias];
            assert_eq!(list.len(), 3 + given.iter().filter(|&&given| given).count());
        }
    }
}

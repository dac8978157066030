//! The first dense map's weight by what its columns are multiplied with.

use fain_autograd::{Buffer, Context, Function, apply, slice};
use tch::{Device, Kind, Tensor};

use crate::number::Number;
use crate::{AttentionInputs, Execution, LayerError};

/// The columns of the weight: those of the candidate, then as many for each part that has the event's width. With
/// [`AttentionInputs::Full`] candidate and event are of one width.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns {
    pub(super) inputs: AttentionInputs,
    /// Columns of the candidate.
    pub(super) candidate: i64,
    /// Columns of the event, and of each other part.
    pub(super) history: i64,
}

/// The weight by what it multiplies.
pub(super) struct Parts {
    /// `[H, D]` of the candidate, with the candidate's share of the difference.
    pub(super) query: Tensor,
    /// `[H, D]` of the event, without the event's share of the difference.
    pub(super) event: Tensor,
    /// `[H, D]` of the product of both.
    pub(super) product: Option<Tensor>,
}

impl Columns {
    /// All of them.
    pub(super) fn width(self) -> i64 {
        let parts = match self.inputs {
            AttentionInputs::Full => 3,
            AttentionInputs::Pair => 1,
            AttentionInputs::Product => 2,
        };
        self.candidate + parts * self.history
    }

    /// The parts of a weight `[H, width]`. Of the inputs `[q, k, q − k, q ∘ k]` the difference is multiplied as
    /// `W_d q − W_d k`.
    pub(super) fn split(self, weight: &Tensor, execution: Execution) -> Result<Parts, LayerError> {
        if execution == Execution::Auto && applies(weight) {
            return self.fused(weight);
        }
        self.plain(weight)
    }

    /// As one differentiable function on the CPU.
    fn fused(self, weight: &Tensor) -> Result<Parts, LayerError> {
        let mut parts = apply(Split { columns: self }, &[weight])?.into_iter();
        // There are two or three, as the forward pass below returns them.
        let mut next = || parts.next().unwrap_or_default();
        let (query, event) = (next(), next());
        Ok(Parts { query, event, product: parts.next() })
    }

    /// By libtorch's operations.
    fn plain(self, weight: &Tensor) -> Result<Parts, LayerError> {
        let query = weight.f_narrow(1, 0, self.candidate)?;
        // The parts of the event's width: k first, then what the inputs add.
        let part = |index: i64| weight.f_narrow(1, self.candidate + index * self.history, self.history);
        Ok(match self.inputs {
            AttentionInputs::Full => {
                let difference = part(1)?;
                let (query, event) = (query.f_add(&difference)?, part(0)?.f_sub(&difference)?);
                Parts { query, event, product: Some(part(2)?) }
            }
            AttentionInputs::Pair => Parts { query, event: part(0)?, product: None },
            AttentionInputs::Product => Parts { query, event: part(0)?, product: Some(part(1)?) },
        })
    }
}

fn applies(weight: &Tensor) -> bool {
    weight.device() == Device::Cpu
        && weight.is_contiguous()
        && weight.f_kind().is_ok_and(|kind| matches!(kind, Kind::Float | Kind::Double))
}

/// The differentiable function of the weight.
struct Split {
    columns: Columns,
}

impl Function for Split {
    type Error = LayerError;

    fn forward(&mut self, _context: &mut Context<'_>, inputs: &[Tensor]) -> Result<Vec<Tensor>, LayerError> {
        match inputs[0].kind() {
            Kind::Float => self.split::<f32>(&inputs[0]),
            _ => self.split::<f64>(&inputs[0]),
        }
    }

    fn backward(&mut self, _saved: &[Tensor], gradients: &[Option<Tensor>]) -> Result<Vec<Option<Tensor>>, LayerError> {
        let Some(some) = gradients.iter().flatten().next() else { return Ok(vec![None]) };
        Ok(vec![Some(match some.kind() {
            Kind::Float => self.joined::<f32>(some.size()[0], gradients)?,
            _ => self.joined::<f64>(some.size()[0], gradients)?,
        })])
    }
}

impl Split {
    fn split<T: Number>(&self, weight: &Tensor) -> Result<Vec<Tensor>, LayerError> {
        let Columns { inputs, candidate, history } = self.columns;
        let units = weight.size()[0];
        let [mut query, mut event] =
            [Buffer::<T>::unspecified(&[units, candidate])?, Buffer::unspecified(&[units, history])?];
        let mut product = match inputs {
            AttentionInputs::Pair => None,
            _ => Some(Buffer::<T>::unspecified(&[units, history])?),
        };
        let [candidate, history, width] = [candidate, history, self.columns.width()].map(|columns| columns as usize);
        for (unit, row) in slice::<T>(weight)?.chunks_exact(width).enumerate() {
            let (of_query, rest) = row.split_at(candidate);
            let (of_event, rest) = rest.split_at(history);
            let query = &mut query.as_mut_slice()[unit * candidate..][..candidate];
            let event = &mut event.as_mut_slice()[unit * history..][..history];
            query.copy_from_slice(of_query);
            event.copy_from_slice(of_event);
            if inputs == AttentionInputs::Full {
                for ((query, event), &difference) in query.iter_mut().zip(event).zip(rest) {
                    *query += difference;
                    *event += -difference;
                }
            }
            if let Some(product) = &mut product {
                let last = &row[width - history..];
                product.as_mut_slice()[unit * history..][..history].copy_from_slice(last);
            }
        }
        Ok([query, event].into_iter().chain(product).map(Buffer::into_tensor).collect())
    }

    fn joined<T: Number>(&self, units: i64, gradients: &[Option<Tensor>]) -> Result<Tensor, LayerError> {
        let Columns { inputs, candidate, history } = self.columns;
        let mut weight = Buffer::<T>::new(&[units, self.columns.width()])?;
        let [candidate, history, width] = [candidate, history, self.columns.width()].map(|columns| columns as usize);
        let contiguous = |gradient: &Option<Tensor>| gradient.as_ref().map(Tensor::f_contiguous).transpose();
        let gradients = gradients.iter().map(contiguous).collect::<Result<Vec<_>, _>>()?;
        let numbers = gradients.iter().map(|gradient| gradient.as_ref().map(slice::<T>).transpose());
        let numbers = numbers.collect::<Result<Vec<Option<&[T]>>, _>>()?;
        for (unit, row) in weight.as_mut_slice().chunks_exact_mut(width).enumerate() {
            let of = |part: usize, width: usize| {
                let numbers: Option<&[T]> = numbers.get(part).copied().flatten();
                numbers.map(|numbers| &numbers[unit * width..][..width])
            };
            if let Some(query) = of(0, candidate) {
                row[..candidate].copy_from_slice(query);
            }
            if let Some(event) = of(1, history) {
                row[candidate..candidate + history].copy_from_slice(event);
            }
            if inputs == AttentionInputs::Full {
                let (parts, rest) = row.split_at_mut(candidate + history);
                for (index, difference) in rest[..history].iter_mut().enumerate() {
                    *difference = parts[index] - parts[candidate + index];
                }
            }
            if let Some(product) = of(2, history) {
                row[width - history..].copy_from_slice(product);
            }
        }
        Ok(weight.into_tensor())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    /// Two units over a candidate of two columns and an event of as many.
    fn weight(parts: i64) -> Tensor {
        let width = 2 + 2 * parts;
        (Tensor::arange(2 * width, (Kind::Double, Device::Cpu)).reshape([2, width]) + 1.0).set_requires_grad(true)
    }

    fn columns(inputs: AttentionInputs) -> Columns {
        Columns { inputs, candidate: 2, history: 2 }
    }

    #[test]
    fn the_difference_goes_to_both_sides() {
        let Parts { query, event, product } = columns(AttentionInputs::Full).fused(&weight(3)).unwrap();
        let rows = |numbers: &[f64]| Tensor::from_slice(numbers).reshape([2, 2]);
        assert_eq!(query, rows(&[1.0 + 5.0, 2.0 + 6.0, 9.0 + 13.0, 10.0 + 14.0]));
        assert_eq!(event, rows(&[3.0 - 5.0, 4.0 - 6.0, 11.0 - 13.0, 12.0 - 14.0]));
        assert_eq!(product.unwrap(), rows(&[7.0, 8.0, 15.0, 16.0]));
    }

    #[test]
    fn gradients_are_those_of_libtorch() {
        for (inputs, count) in [(AttentionInputs::Full, 3), (AttentionInputs::Pair, 1), (AttentionInputs::Product, 2)] {
            let (ours, theirs) = (weight(count), weight(count));
            let Parts { query, event, product } = columns(inputs).fused(&ours).unwrap();
            let part = |index: i64| theirs.narrow(1, 2 * index, 2);
            let (their_query, their_event) = match inputs {
                AttentionInputs::Full => (part(0) + part(2), part(1) - part(2)),
                _ => (part(0), part(1)),
            };
            let loss = |query: &Tensor, event: &Tensor, product: Option<&Tensor>| {
                let product = product.map_or(Tensor::from(0.0), |product| (product.square() * 3.0).sum(Kind::Double));
                query.square().sum(Kind::Double) - (event.square() * 0.5).sum(Kind::Double) + product
            };
            loss(&query, &event, product.as_ref()).backward();
            loss(&their_query, &their_event, (count > 1).then(|| part(count)).as_ref()).backward();
            assert_eq!(ours.grad(), theirs.grad(), "{inputs:?}");
        }
    }

    #[test]
    fn a_part_that_nothing_hears_has_no_gradient() {
        let weight = weight(3);
        let parts = columns(AttentionInputs::Full).fused(&weight).unwrap();
        parts.event.sum(Kind::Double).backward();
        let row = [0.0, 0.0, 1.0, 1.0, -1.0, -1.0, 0.0, 0.0];
        assert_eq!(weight.grad(), Tensor::from_slice(&[row, row].concat()).reshape([2, 8]));
    }
}

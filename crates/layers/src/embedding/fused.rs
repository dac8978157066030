//! Look-ups in one table as one differentiable function on the CPU, by the kernels of `fain-kernels`.

use fain_autograd::{Buffer, Context, Element, Function, apply, slice};
use fain_kernels::{LookupGradients, Real, gather_rows, scatter_rows};
use tch::{Device, Kind, TchError, Tensor};

use crate::LayerError;
use crate::threads::Threads;

/// What the gradient of a table is.
#[derive(Debug, Clone, Copy)]
pub(super) struct TableGradient {
    /// Whether it holds only the rows that were looked up.
    pub(super) sparse: bool,
    /// Whether row 0 has none.
    pub(super) zero_row: bool,
}

/// Whether there are kernels for this table and these ids.
pub(super) fn applies(weight: &Tensor, ids: &[&Tensor]) -> bool {
    let fits = |tensor: &Tensor, kinds: &[Kind]| {
        tensor.device() == Device::Cpu && tensor.f_kind().is_ok_and(|kind| kinds.contains(&kind))
    };
    fits(weight, &[Kind::Float, Kind::Double])
        && weight.dim() == 2
        && weight.is_contiguous()
        && ids.iter().all(|ids| fits(ids, &[Kind::Int64]))
}

/// The rows of each list of ids: a table `[V, D]` and ids `[N]` → `[N, D]`. There is at least one list.
pub(super) fn rows(weight: &Tensor, ids: &[&Tensor], gradient: TableGradient) -> Result<Vec<Tensor>, LayerError> {
    let ids = ids.iter().map(|ids| ids.f_contiguous()).collect::<Result<Vec<Tensor>, _>>()?;
    let inputs: Vec<&Tensor> = std::iter::once(weight).chain(&ids).collect();
    Ok(apply(LookUp { rows: weight.size()[0], gradient }, &inputs)?)
}

/// The differentiable function of a table and lists of ids.
struct LookUp {
    /// Rows of the table.
    rows: i64,
    gradient: TableGradient,
}

impl Function for LookUp {
    type Error = LayerError;

    fn forward(&mut self, context: &mut Context<'_>, inputs: &[Tensor]) -> Result<Vec<Tensor>, LayerError> {
        let (table, ids) = (&inputs[0], &inputs[1..]);
        context.save_for_backward(&ids.iter().collect::<Vec<&Tensor>>());
        ids.iter()
            .map(|ids| match table.kind() {
                Kind::Float => gathered::<f32>(table, ids),
                _ => gathered::<f64>(table, ids),
            })
            .collect()
    }

    fn backward(&mut self, saved: &[Tensor], gradients: &[Option<Tensor>]) -> Result<Vec<Option<Tensor>>, LayerError> {
        let heard: Vec<(&Tensor, Tensor)> = saved
            .iter()
            .zip(gradients)
            .filter_map(|(ids, gradient)| gradient.as_ref().map(|gradient| (ids, gradient)))
            .map(|(ids, gradient)| Ok((ids, gradient.f_contiguous()?)))
            .collect::<Result<_, TchError>>()?;
        let of_table = match heard.first() {
            None => None,
            Some(_) if self.gradient.sparse => Some(self.sparse(&heard)?),
            Some((_, gradient)) => Some(match gradient.kind() {
                Kind::Float => self.dense::<f32>(&heard)?,
                _ => self.dense::<f64>(&heard)?,
            }),
        };
        Ok(std::iter::once(of_table).chain(saved.iter().map(|_| None)).collect())
    }
}

fn gathered<T: Element + Real>(table: &Tensor, ids: &Tensor) -> Result<Tensor, LayerError> {
    let width = table.size()[1];
    let size: Vec<i64> = ids.size().into_iter().chain([width]).collect();
    let mut output = Buffer::<T>::unspecified(&size)?;
    gather_rows(width as usize, slice::<T>(table)?, slice::<i64>(ids)?, output.as_mut_slice(), &Threads)?;
    Ok(output.into_tensor())
}

impl LookUp {
    /// `[V, D]`.
    fn dense<T: Element + Real>(&self, heard: &[(&Tensor, Tensor)]) -> Result<Tensor, LayerError> {
        let width = heard[0].1.size().last().copied().unwrap_or(1);
        let lookups = heard
            .iter()
            .map(|(ids, gradient)| Ok(LookupGradients { ids: slice(ids)?, gradients: slice(gradient)? }))
            .collect::<Result<Vec<LookupGradients<'_, T>>, LayerError>>()?;
        let mut sums = Buffer::<T>::unspecified(&[self.rows, width])?;
        scatter_rows(width as usize, &lookups, sums.as_mut_slice(), &Threads)?;
        if self.gradient.zero_row {
            sums.as_mut_slice()[..width as usize].fill(T::default());
        }
        Ok(sums.into_tensor())
    }

    /// A row for each id, in the order of the look-ups.
    fn sparse(&self, heard: &[(&Tensor, Tensor)]) -> Result<Tensor, LayerError> {
        let untrained = if self.gradient.zero_row { 0 } else { -1 };
        let of = |ids: &Tensor, gradient: &Tensor| {
            Tensor::f_embedding_sparse_backward(gradient, ids, self.rows, untrained, false)
        };
        if let [(ids, gradient)] = heard {
            return Ok(of(ids, gradient)?);
        }
        let width = heard[0].1.size().last().copied().unwrap_or(1);
        let mut ids = Vec::with_capacity(heard.len());
        let mut gradients = Vec::with_capacity(heard.len());
        for (of_ids, gradient) in heard {
            ids.push(of_ids.f_reshape([-1])?);
            gradients.push(gradient.f_reshape([-1, width])?);
        }
        Ok(of(&Tensor::f_cat(&ids, 0)?, &Tensor::f_cat(&gradients, 0)?)?)
    }
}

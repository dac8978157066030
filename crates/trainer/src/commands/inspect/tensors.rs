//! The tensors of a model, one line each.

use fain_models::named_tensors;
use serde::Serialize;
use tch::{Tensor, nn};

use crate::text::{Align, count, table};

/// A tensor of a model.
#[derive(Debug, Serialize)]
pub(super) struct TensorLine {
    pub(super) name: String,
    /// `None` where the size depends on a vocabulary that is not known yet.
    pub(super) shape: Vec<Option<i64>>,
    /// Whether training changes it by its gradient; the others are running statistics.
    pub(super) learned: bool,
}

impl TensorLine {
    fn new((name, tensor): (String, Tensor)) -> Self {
        let shape = tensor.size().into_iter().map(Some).collect();
        Self { name, shape, learned: tensor.requires_grad() }
    }

    /// How many numbers it has; `None` where that is not known yet.
    pub(super) fn numbers(&self) -> Option<u64> {
        self.shape.iter().map(|size| size.map(|size| size as u64)).product()
    }
}

/// The tensors of a model with its numbers.
pub(super) fn of_variables(variables: &nn::VarStore) -> Vec<TensorLine> {
    named_tensors(variables).into_iter().map(TensorLine::new).collect()
}

/// The tensors of a model built with tables of different sizes: a size that differs is left open.
pub(super) fn common(variables: &nn::VarStore, others: &nn::VarStore) -> Vec<TensorLine> {
    let mut tensors = of_variables(variables);
    for (tensor, other) in tensors.iter_mut().zip(of_variables(others)) {
        for (size, other) in tensor.shape.iter_mut().zip(other.shape) {
            *size = size.filter(|_| *size == other);
        }
    }
    tensors
}

/// A table of tensors.
pub(super) fn text(tensors: &[TensorLine]) -> String {
    let heading = ["tensor", "shape", "numbers", ""].map(str::to_owned);
    let lines = tensors.iter().map(|tensor| {
        let size = |size: &Option<i64>| size.map_or_else(|| "V".to_owned(), |size| size.to_string());
        [
            tensor.name.clone(),
            format!("[{}]", tensor.shape.iter().map(size).collect::<Vec<_>>().join(", ")),
            tensor.numbers().map(count).unwrap_or_default(),
            if tensor.learned { String::new() } else { "running statistic".to_owned() },
        ]
    });
    let rows: Vec<_> = [heading].into_iter().chain(lines).collect();
    table([Align::Left, Align::Left, Align::Right, Align::Left], &rows)
}

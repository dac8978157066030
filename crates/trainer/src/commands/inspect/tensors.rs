//! The tensors of a model, one line each.

use fain_features::Schema;
use fain_models::{FeatureSpace, ModelConfig, ModelError, named_tensors};
use serde::Serialize;
use tch::{Device, Tensor, nn};

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

/// The tensors of a model before its vocabularies are known: a size that grows with a vocabulary is left open.
pub(super) fn of_config(model: &ModelConfig, schema: &Schema) -> Result<Vec<TensorLine>, ModelError> {
    let build = |size: usize| -> Result<_, ModelError> {
        let variables = nn::VarStore::new(Device::Cpu);
        let sizes = vec![size; schema.vocabularies().len()];
        model.build(&variables.root(), &FeatureSpace::new(schema, &sizes))?;
        Ok(of_variables(&variables))
    };
    let mut tensors = build(1)?;
    for (tensor, larger) in tensors.iter_mut().zip(build(2)?) {
        for (size, other) in tensor.shape.iter_mut().zip(larger.shape) {
            *size = size.filter(|_| *size == other);
        }
    }
    Ok(tensors)
}

/// How many numbers are learned, as far as that is known.
pub(super) fn parameters(tensors: &[TensorLine]) -> u64 {
    tensors.iter().filter(|tensor| tensor.learned).filter_map(TensorLine::numbers).sum()
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

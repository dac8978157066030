//! Models, tensors and mappings for tests.

use fain_models::{ImportError, ImportProblem, ImportReport, StateDict, WeightMapping, import_state, named_tensors};
use tch::{Device, Kind, Tensor, nn};

/// Variables that are all 0.5.
pub(crate) fn model(sizes: &[(&str, &[i64])]) -> nn::VarStore {
    let variables = nn::VarStore::new(Device::Cpu);
    for (name, size) in sizes {
        let parts: Vec<&str> = name.split('.').collect();
        let path = parts[..parts.len() - 1].iter().fold(variables.root(), |path, part| &path / part);
        let _ = path.var(parts[parts.len() - 1], size, nn::Init::Const(0.5));
    }
    variables
}

/// 0, 1, 2, … in a shape.
pub(crate) fn counting(size: &[i64], kind: Kind) -> Tensor {
    Tensor::arange(size.iter().product::<i64>(), (Kind::Int64, Device::Cpu)).reshape(size).to_kind(kind)
}

pub(crate) fn state(tensors: Vec<(&str, Tensor)>) -> StateDict {
    StateDict::new("theirs", tensors.into_iter().map(|(name, tensor)| (name.to_owned(), tensor)).collect())
}

/// A state dict of tensors that count from 0.
pub(crate) fn counted(sizes: &[(&str, &[i64])]) -> StateDict {
    state(sizes.iter().map(|(name, size)| (*name, counting(size, Kind::Float))).collect())
}

pub(crate) fn mapping(text: &str) -> WeightMapping {
    WeightMapping::parse(text, "mapping.toml").unwrap()
}

pub(crate) fn numbers(variables: &nn::VarStore, name: &str) -> Vec<f64> {
    let variables = variables.variables();
    Vec::<f64>::try_from(variables[name].detach().to_kind(Kind::Double).reshape([-1])).unwrap()
}

pub(crate) fn pairs(report: &ImportReport) -> Vec<(&str, &str)> {
    report.tensors.iter().map(|tensor| (tensor.ours.as_str(), tensor.theirs.as_str())).collect()
}

/// The problems of an import, which leaves the model as it is.
pub(crate) fn problems(variables: &nn::VarStore, state: &StateDict, mapping: &WeightMapping) -> Vec<ImportProblem> {
    let before: Vec<Tensor> = named_tensors(variables).iter().map(|(_, tensor)| tensor.copy()).collect();
    let Err(ImportError::Mismatch { problems, .. }) = import_state(variables, state, mapping) else {
        panic!("no mismatch");
    };
    for ((name, after), before) in named_tensors(variables).iter().zip(&before) {
        assert_eq!(after, before, "{name}");
    }
    problems
}

//! Weights of other programs.

mod error;
mod lookup;
mod mapping;
mod operations;
mod pattern;
mod state;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use tch::{Kind, Tensor, nn};

use crate::named_tensors;
use error::Stop;
use lookup::{Lookup, Theirs};
use state::Entry;

pub use error::{ImportError, ImportProblem};
pub use mapping::{TensorNames, WeightMapping};
pub use operations::{ColumnBlocks, ColumnOrder, WeightOperations};
pub use state::StateDict;

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportReport {
    /// One for each variable of the model, sorted by its name.
    pub tensors: Vec<ImportedTensor>,
    /// Tensors of the file that were left aside, as the mapping says, sorted.
    pub ignored: Vec<String>,
}

/// A variable and where its numbers came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedTensor {
    /// The variable of the model.
    pub ours: String,
    /// The tensor of the file.
    pub theirs: String,
}

/// Reads the numbers of a model from a safetensors file of another program, such as a PyTorch state dict.
///
/// Every variable of the model gets a tensor of the file, and every tensor of the file is used or ignored by name.
/// Float16, bfloat16, float32 and float64 are converted to the kind of the variable.
///
/// # Errors
/// [`ImportError::Mismatch`] with everything that does not fit, at once; the other variants when the file or the
/// mapping is malformed. The model keeps its numbers then.
pub fn import_weights(
    variables: &nn::VarStore,
    file: &Path,
    mapping: &WeightMapping,
) -> Result<ImportReport, ImportError> {
    import_state(variables, &StateDict::read(file)?, mapping)
}

/// Reads the numbers of a model from tensors with names.
///
/// # Errors
/// As [`import_weights`].
pub fn import_state(
    variables: &nn::VarStore,
    state: &StateDict,
    mapping: &WeightMapping,
) -> Result<ImportReport, ImportError> {
    mapping.check().map_err(|problem| ImportError::Mapping { origin: "the mapping".to_owned(), problem })?;
    let _guard = tch::no_grad_guard();
    let targets = named_tensors(variables);
    let names: Vec<&str> = targets.iter().map(|(name, _)| name.as_str()).collect();
    let lookup = Lookup::new(mapping);
    let mut problems = lookup.rules_that_fit_nothing(&names, state);

    let mut readers: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut prepared = Vec::with_capacity(targets.len());
    for (ours, target) in &targets {
        let rules = lookup.theirs(ours).and_then(|theirs| Ok((theirs, lookup.operations(ours)?)));
        let (theirs, operations) = match rules {
            Ok(rules) => rules,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        readers.entry(theirs.clone()).or_default().push(ours);
        let Some(entry) = state.entries.get(&theirs) else {
            problems.push(ImportProblem::Missing { ours: ours.clone(), theirs });
            continue;
        };
        let pair = Theirs { ours, name: &theirs };
        match prepare(pair, entry, target, operations) {
            Ok(value) => prepared.push((target, value, ImportedTensor { ours: ours.clone(), theirs })),
            Err(Stop::Problem(problem)) => problems.push(problem),
            Err(Stop::Torch(error)) => return Err(error.into()),
        }
    }
    for (theirs, ours) in &readers {
        if ours.len() > 1 && !lookup.may_be_shared(theirs) {
            let ours = ours.iter().map(|&name| name.to_owned()).collect();
            problems.push(ImportProblem::ReadTwice { theirs: theirs.clone(), ours });
        }
    }
    let unread: BTreeSet<&String> = state.entries.keys().filter(|name| !readers.contains_key(*name)).collect();
    let (ignored, extra): (Vec<&String>, Vec<&String>) =
        unread.into_iter().partition(|name| lookup.may_be_ignored(name));
    problems.extend(extra.into_iter().map(|theirs| ImportProblem::Extra { theirs: theirs.clone() }));
    if !problems.is_empty() {
        return Err(ImportError::Mismatch { origin: state.origin.clone(), problems });
    }

    let mut tensors = Vec::with_capacity(prepared.len());
    for (target, value, imported) in prepared {
        target.shallow_clone().f_copy_(&value)?;
        tensors.push(imported);
    }
    Ok(ImportReport { tensors, ignored: ignored.into_iter().cloned().collect() })
}

/// A tensor of the file as the variable needs it: its kind, its shape, on its device.
fn prepare(
    names: Theirs<'_>,
    entry: &Entry,
    target: &Tensor,
    operations: Option<&WeightOperations>,
) -> Result<Tensor, Stop<ImportProblem>> {
    let (ours, theirs) = (names.ours.to_owned(), names.name.to_owned());
    let source = match entry {
        Entry::Tensor(tensor) if fits_kind(tensor.kind(), target.kind()) => tensor,
        other => {
            let (got, needed) = (other.kind(), needed_kind(target.kind()));
            return Err(Stop::Problem(ImportProblem::Kind { ours, theirs, got, needed }));
        }
    };
    // Sums of columns are not made in half precision, nor in single precision where there is double.
    let source = match source.kind() {
        Kind::Half | Kind::BFloat16 => source.f_to_kind(target.kind())?,
        _ => source.shallow_clone(),
    };
    let needed = target.size();
    let prepared = match operations.map(|operations| operations.apply(&source, &needed)) {
        None => source.shallow_clone(),
        Some(Ok(prepared)) => prepared,
        Some(Err(Stop::Torch(error))) => return Err(error.into()),
        Some(Err(Stop::Problem(problem))) => {
            return Err(Stop::Problem(ImportProblem::Operation { ours, theirs, problem }));
        }
    };
    if prepared.size() != needed {
        let (got, prepared) = (source.size(), prepared.size());
        return Err(Stop::Problem(ImportProblem::Shape { ours, theirs, got, prepared, needed }));
    }
    let value = prepared.f_to_kind(target.kind())?;
    if is_float(value.kind()) {
        let count = i64::try_from(&value.f_isfinite()?.f_logical_not()?.f_sum(Kind::Int64)?)?;
        if count > 0 {
            return Err(Stop::Problem(ImportProblem::NotFinite { ours, theirs, count }));
        }
    }
    Ok(value.f_to_device(target.device())?)
}

fn is_float(kind: Kind) -> bool {
    matches!(kind, Kind::Half | Kind::BFloat16 | Kind::Float | Kind::Double)
}

fn fits_kind(theirs: Kind, ours: Kind) -> bool {
    theirs == ours || (is_float(theirs) && is_float(ours))
}

fn needed_kind(ours: Kind) -> String {
    if is_float(ours) { "float16, bfloat16, float32 or float64".to_owned() } else { format!("{ours:?}") }
}

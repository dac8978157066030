//! A fixture's values in a layer's variables.

use std::collections::{BTreeMap, BTreeSet};

use tch::{Tensor, nn};

use crate::{Case, Exclusion, GoldenError, Subject};

/// PyTorch's count of batches.
pub static BATCH_COUNT: Exclusion = Exclusion {
    name: "num_batches_tracked",
    reason: "PyTorch counts batches for the case that momentum is None; ours is always a number, so nothing reads a count",
};

/// Whether a variable of the fixture is PyTorch's count of batches.
pub(crate) fn is_batch_count(name: &str) -> bool {
    name.rsplit('.').next() == Some("num_batches_tracked")
}

/// A layer's variables, found by the fixture's names.
pub(crate) struct Variables {
    ours: BTreeMap<String, Tensor>,
    by_reference: BTreeMap<String, String>,
}

impl Variables {
    /// Copies the fixture's parameters and buffers into the layer's variables. Each must find its twin: a variable
    /// that one side lacks is an error.
    pub(crate) fn load(store: &nn::VarStore, case: &Case, subject: &dyn Subject) -> Result<Self, GoldenError> {
        let ours: BTreeMap<String, Tensor> = store.variables().into_iter().collect();
        let mut unset: BTreeSet<&str> = ours.keys().map(String::as_str).collect();
        let mut by_reference = BTreeMap::new();
        let loaded = subject.load(case, store)?;
        for (prefix, trained) in [("param/", true), ("buffer/", false)] {
            for (reference, value) in case.tensors(prefix) {
                let problem = |problem: String| GoldenError::Variable { name: reference.to_owned(), problem };
                let name = match &loaded {
                    None => subject.rename_in(case, reference)?,
                    Some(names) => match names.get(reference) {
                        Some(name) => name.clone(),
                        None if is_batch_count(reference) => continue,
                        None => return Err(problem("its value was not taken in".to_owned())),
                    },
                };
                let Some(variable) = ours.get(&name) else {
                    if is_batch_count(reference) {
                        continue;
                    }
                    return Err(problem(format!("the layer has no variable {name}")));
                };
                if !unset.remove(name.as_str()) {
                    return Err(problem(format!("{name} was given a value before")));
                }
                if variable.requires_grad() != trained {
                    return Err(problem(format!("only one side trains {name}")));
                }
                if loaded.is_none() {
                    let value = align(reference, &subject.import(case, reference, value)?, &variable.size())?;
                    tch::no_grad(|| variable.shallow_clone().f_copy_(&value))?;
                }
                by_reference.insert(reference.to_owned(), name);
            }
        }
        if let Some(name) = unset.first() {
            return Err(GoldenError::Variable {
                name: (*name).to_owned(),
                problem: "the fixture has no value for it".to_owned(),
            });
        }
        Ok(Self { ours, by_reference })
    }

    /// Our variable that the fixture calls `reference`.
    pub(crate) fn get(&self, reference: &str) -> Option<&Tensor> {
        self.ours.get(self.by_reference.get(reference)?)
    }

    /// The fixture's names.
    pub(crate) fn references(&self) -> impl Iterator<Item = &str> {
        self.by_reference.keys().map(String::as_str)
    }
}

/// Gives a value the shape `size`, where the two differ by dimensions of size one only, `[C, 1]` and `[C]`.
pub(crate) fn align(name: &str, value: &Tensor, size: &[i64]) -> Result<Tensor, GoldenError> {
    let essential = |size: &[i64]| -> Vec<i64> { size.iter().copied().filter(|&length| length != 1).collect() };
    if essential(&value.size()) != essential(size) {
        return Err(GoldenError::Variable {
            name: name.to_owned(),
            problem: format!("one side has shape {:?}, the other {size:?}", value.size()),
        });
    }
    Ok(value.f_reshape(size)?)
}

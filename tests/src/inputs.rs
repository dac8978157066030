//! The inputs of a case, ready for a forward and a backward pass.

use std::collections::BTreeMap;

use tch::Tensor;

use crate::{Case, GoldenError, Padding, Precision};

/// The input tensors of a case; floats require a gradient.
#[derive(Debug)]
pub struct Inputs {
    tensors: BTreeMap<String, Tensor>,
}

impl Inputs {
    pub(crate) fn new(case: &Case, precision: Precision) -> Result<Self, GoldenError> {
        let mut tensors = BTreeMap::new();
        for (name, tensor) in case.tensors("in/") {
            let input = if tensor.is_floating_point() {
                let own = tensor.f_to_dtype(precision.kind(), false, true)?;
                own.f_set_requires_grad(true)?
            } else {
                tensor.shallow_clone()
            };
            tensors.insert(name.to_owned(), input);
        }
        Ok(Self { tensors })
    }

    /// The input `name`.
    ///
    /// # Errors
    /// [`GoldenError::Fixture`] when the case has none of that name.
    pub fn tensor(&self, name: &str) -> Result<&Tensor, GoldenError> {
        self.tensors.get(name).ok_or_else(|| GoldenError::Fixture {
            place: "inputs".to_owned(),
            problem: format!("there is no input {name}"),
        })
    }

    /// Where the events of the padded input `sequence` `[B, T, D]` are: its lengths are the input `{sequence}_length`, or
    /// `lengths`, which all sequences share; without such an input every sequence is full.
    ///
    /// # Errors
    /// [`GoldenError::Fixture`] when there is no such input, it has another shape, or a length does not fit.
    pub fn padding(&self, sequence: &str) -> Result<Padding, GoldenError> {
        let &[rows, longest, _] = &self.tensor(sequence)?.size()[..] else {
            return Err(GoldenError::Fixture {
                place: format!("input {sequence}"),
                problem: "its shape is not [B, T, D]".to_owned(),
            });
        };
        let lengths = match self.lengths(sequence) {
            Some(lengths) => Vec::<i64>::try_from(lengths)?,
            None => vec![longest; rows as usize],
        };
        if lengths.len() as i64 != rows {
            return Err(GoldenError::Fixture {
                place: format!("input {sequence}"),
                problem: format!("{rows} rows have {} lengths", lengths.len()),
            });
        }
        Padding::new(&lengths, longest)
    }

    /// The sequences that have lengths, their own or shared ones.
    pub(crate) fn sequences(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.tensors
            .iter()
            .filter(|(name, tensor)| tensor.size().len() == 3 && self.lengths(name).is_some())
            .map(|(name, tensor)| (name.as_str(), tensor))
    }

    fn lengths(&self, sequence: &str) -> Option<&Tensor> {
        self.tensors.get(&format!("{sequence}_length")).or_else(|| self.tensors.get("lengths"))
    }
}

/// A tensor's gradient; zeros where the loss does not depend on it.
pub(crate) fn gradient(tensor: &Tensor) -> Result<Tensor, GoldenError> {
    let gradient = tensor.f_grad()?;
    if gradient.defined() {
        return Ok(gradient);
    }
    Ok(tensor.f_detach()?.f_zeros_like()?)
}

//! The inputs of a case, ready for a forward and a backward pass.

use std::collections::BTreeMap;

use tch::Tensor;

use crate::{Case, GoldenError, Padding, Precision};

/// The lengths of all sequences of a case.
const SHARED_LENGTHS: &str = "lengths";

/// The lengths of one sequence.
fn own_lengths(sequence: &str) -> String {
    format!("{sequence}_length")
}

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

    /// Where the events of the padded input `sequence` `[B, T]` or `[B, T, D]` are: its lengths are the input
    /// `{sequence}_length`, or `lengths`, which all sequences share. Without such an input every sequence is full.
    ///
    /// # Errors
    /// [`GoldenError::Fixture`] when there is no such input, it has another shape, or a length does not fit.
    pub fn padding(&self, sequence: &str) -> Result<Padding, GoldenError> {
        let (&[rows, longest] | &[rows, longest, _]) = &self.tensor(sequence)?.size()[..] else {
            return Err(GoldenError::Fixture {
                place: format!("input {sequence}"),
                problem: "its shape is neither [B, T] nor [B, T, D]".to_owned(),
            });
        };
        let lengths = match self.tensors.get(&own_lengths(sequence)).or_else(|| self.tensors.get(SHARED_LENGTHS)) {
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

    /// The inputs that have lengths of their own; where lengths are shared, all of shape `[B, T, D]` and those `named`.
    pub(crate) fn sequences(&self, named: &[&str]) -> impl Iterator<Item = (&str, &Tensor)> {
        let shared = self.tensors.contains_key(SHARED_LENGTHS);
        self.tensors
            .iter()
            .filter(move |(name, tensor)| {
                self.tensors.contains_key(&own_lengths(name))
                    || (shared && (tensor.dim() == 3 || named.contains(&name.as_str())))
            })
            .map(|(name, tensor)| (name.as_str(), tensor))
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

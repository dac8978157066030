//! Parameters of other programs, in our order of gates.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::LayerError;

/// From one order of gates to another. The blocks of rows of a recurrent cell's gates, all of one height, make a tensor;
/// one letter stands for each gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateOrder {
    /// The order of the tensor that is given, from the top: `run` for reset gate, update gate and candidate.
    pub from: String,
    /// The order that is wanted, with the same letters: `urn` for an AUGRU's, see
    /// [`AttentionalGru`](crate::AttentionalGru).
    pub to: String,
}

impl GateOrder {
    /// # Errors
    /// [`LayerError::Config`] unless both have the same letters, each once, in different orders.
    pub fn check(&self) -> Result<(), LayerError> {
        let sorted = |text: &str| {
            let mut letters: Vec<char> = text.chars().collect();
            letters.sort_unstable();
            letters
        };
        let letters = sorted(&self.from);
        let distinct = letters.windows(2).all(|pair| pair[0] != pair[1]);
        if distinct && letters == sorted(&self.to) && self.from != self.to {
            return Ok(());
        }
        Err(LayerError::Config {
            field: "gates",
            value: format!("\"{}\" to \"{}\"", self.from, self.to),
            allowed: "a letter for each gate, and the same letters in another order",
        })
    }

    /// Puts stacked gates in the order that is wanted.
    ///
    /// # Shapes
    /// - `stacked` `[G·H, …]` for `G` gates, a weight or a bias → the same
    ///
    /// # Errors
    /// Those of [`GateOrder::check`]; [`LayerError::Shape`] when the first dimension is no multiple of the number of gates.
    pub fn apply(&self, stacked: &Tensor) -> Result<Tensor, LayerError> {
        self.check()?;
        let gates = self.from.chars().count() as i64;
        let size = stacked.size();
        let rows = size.first().copied().unwrap_or_default();
        if rows == 0 || rows % gates != 0 {
            let needed = format!("a multiple of {gates} rows, for the gates \"{}\",", self.from);
            return Err(LayerError::Shape { tensor: "stacked", got: size, needed });
        }
        let height = rows / gates;
        let mut blocks = Vec::with_capacity(self.to.len());
        for place in self.to.chars().filter_map(|gate| self.from.chars().position(|other| other == gate)) {
            blocks.push(stacked.f_narrow(0, place as i64 * height, height)?);
        }
        Ok(Tensor::f_cat(&blocks, 0)?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn order(from: &str, to: &str) -> GateOrder {
        GateOrder { from: from.to_owned(), to: to.to_owned() }
    }

    #[test]
    fn blocks_of_rows_change_places() {
        let bias = Tensor::from_slice(&[1i64, 2, 3, 4, 5, 6]);
        let swapped = order("run", "urn").apply(&bias).unwrap();
        assert_eq!(swapped, Tensor::from_slice(&[3i64, 4, 1, 2, 5, 6]));
        assert_eq!(order("urn", "run").apply(&swapped).unwrap(), bias);
        let weight = order("run", "urn").apply(&bias.reshape([3, 2])).unwrap();
        assert_eq!(weight, swapped.reshape([3, 2]));
        assert_eq!(order("abc", "cab").apply(&bias).unwrap(), Tensor::from_slice(&[5i64, 6, 1, 2, 3, 4]));
    }

    #[test]
    fn a_stack_that_has_no_block_for_each_gate_is_refused() {
        for size in [&[4i64][..], &[0, 2], &[]] {
            let stacked = Tensor::zeros(size, (tch::Kind::Float, tch::Device::Cpu));
            let message = order("run", "urn").apply(&stacked).unwrap_err().to_string();
            let needed = "a multiple of 3 rows, for the gates \"run\", is needed";
            assert_eq!(message, format!("stacked has shape {size:?}, but {needed}"));
        }
    }

    #[test]
    fn orders_of_other_letters_are_refused() {
        let stacked = Tensor::zeros([6], (tch::Kind::Float, tch::Device::Cpu));
        for (from, to) in [("run", "run"), ("run", "ru"), ("rrn", "nrr"), ("", ""), ("run", "urz")] {
            let message = order(from, to).apply(&stacked).unwrap_err().to_string();
            assert!(
                message.starts_with(&format!("gates = \"{from}\" to \"{to}\" is not allowed: a letter")),
                "{message}"
            );
        }
    }
}

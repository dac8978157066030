//! Parameters of other programs, in our order of gates.

use tch::Tensor;

use crate::LayerError;

/// In which order update gate, reset gate and candidate are stacked in the parameters of an AUGRU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateOrder {
    /// (u|r|n), as [`crate::AttentionalGru`] has them.
    UpdateResetCandidate,
    /// (r|u|n), as some programs have them.
    ResetUpdateCandidate,
}

/// Puts stacked gates in another order.
///
/// # Shapes
/// - `stacked` `[3H, …]`, a weight or a bias → the same
///
/// # Errors
/// [`LayerError::Shape`] when the first dimension is not three of a kind.
pub fn reorder_gates(stacked: &Tensor, from: GateOrder, to: GateOrder) -> Result<Tensor, LayerError> {
    let size = stacked.size();
    let rows = size.first().copied().unwrap_or(0);
    if rows < 1 || rows % 3 != 0 {
        return Err(LayerError::Shape { tensor: "stacked", got: size, needed: "[3H, …]".to_owned() });
    }
    if from == to {
        return Ok(stacked.shallow_clone());
    }
    let hidden = rows / 3;
    let gate = |index: i64| stacked.f_narrow(0, index * hidden, hidden);
    // The candidate is last in both, so one exchange leads from either to the other.
    Ok(Tensor::f_cat(&[gate(1)?, gate(0)?, gate(2)?], 0)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn the_first_two_gates_change_places() {
        let (ours, other) = (GateOrder::UpdateResetCandidate, GateOrder::ResetUpdateCandidate);
        let bias = Tensor::from_slice(&[1i64, 2, 3, 4, 5, 6]);
        let swapped = reorder_gates(&bias, other, ours).unwrap();
        assert_eq!(swapped, Tensor::from_slice(&[3i64, 4, 1, 2, 5, 6]));
        assert_eq!(reorder_gates(&swapped, ours, other).unwrap(), bias);
        assert_eq!(reorder_gates(&bias, ours, ours).unwrap(), bias);
        let weight = reorder_gates(&bias.reshape([3, 2]), ours, other).unwrap();
        assert_eq!(weight, swapped.reshape([3, 2]));
    }

    #[test]
    fn a_stack_of_other_than_three_is_refused() {
        for size in [&[4i64][..], &[0, 2], &[]] {
            let stacked = Tensor::zeros(size, (tch::Kind::Float, tch::Device::Cpu));
            let error = reorder_gates(&stacked, GateOrder::UpdateResetCandidate, GateOrder::UpdateResetCandidate);
            let message = error.unwrap_err().to_string();
            assert_eq!(message, format!("stacked has shape {size:?}, but [3H, …] is needed"));
        }
    }
}

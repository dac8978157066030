//! Pooling of a list to one vector.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::{Jagged, LayerError, segment_max, segment_sum};

/// How a list becomes one vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// The sum of the events, as in the DIN paper's base model.
    Sum,
    /// The mean of the events.
    #[default]
    Mean,
    /// The largest value of each column over the events.
    Max,
    /// As [`Pooling::Max`], with one event of zeros beside those of a list shorter than this: what the maximum over
    /// lists padded with zeros to this length gives, as in a widespread DIEN notebook.
    PaddedMax(u32),
}

/// Pools each sample's events.
///
/// # Shapes
/// - `list` jagged `[N, D]` → `[B, D]`; a sample without events gives zeros
///
/// # Errors
/// [`LayerError::Torch`] when libtorch refuses.
pub fn pool(list: &Jagged, pooling: Pooling) -> Result<Tensor, LayerError> {
    let layout = list.layout();
    match pooling {
        Pooling::Sum => segment_sum(list.values(), layout),
        Pooling::Max => segment_max(list.values(), layout),
        Pooling::PaddedMax(length) => {
            let largest = segment_max(list.values(), layout)?;
            let short = layout.lengths().f_lt(i64::from(length))?.f_unsqueeze(1)?;
            // An event of exactly zero comes before the padding and keeps its gradient.
            Ok(largest.f_masked_fill(&short.f_logical_and(&largest.f_lt(0.0)?)?, 0.0)?)
        }
        Pooling::Mean => {
            let counts = layout.lengths().f_clamp_min(1)?.f_to_kind(list.kind())?.f_unsqueeze(1)?;
            Ok(segment_sum(list.values(), layout)?.f_div(&counts)?)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use proptest::prelude::*;
    use tch::{Device, Kind};

    use super::*;
    use crate::JaggedLayout;

    fn numbers(tensor: &Tensor) -> Vec<f64> {
        Vec::<f64>::try_from(tensor.detach().to_kind(Kind::Double).reshape([-1])).unwrap()
    }

    #[test]
    fn settings_are_written_as_a_word_or_as_a_word_with_its_length() {
        for (pooling, text) in [
            (Pooling::Sum, r#""sum""#),
            (Pooling::Mean, r#""mean""#),
            (Pooling::Max, r#""max""#),
            (Pooling::PaddedMax(5), r#"{"padded_max":5}"#),
        ] {
            assert_eq!(serde_json::to_string(&pooling).unwrap(), text);
            assert_eq!(serde_json::from_str::<Pooling>(text).unwrap(), pooling);
        }
    }

    #[test]
    fn an_event_of_zero_keeps_its_gradient_beside_padding() {
        let layout = JaggedLayout::new(&[0, 1, 2, 2], Device::Cpu).unwrap();
        let values = Tensor::from_slice(&[0.0, -1.0, -2.0, 3.0]).reshape([2, 2]).set_requires_grad(true);
        let list = Jagged::new(values.shallow_clone(), layout).unwrap();
        let pooled = pool(&list, Pooling::PaddedMax(2)).unwrap();
        assert_eq!(numbers(&pooled), [0.0, 0.0, 0.0, 3.0, 0.0, 0.0]);
        pooled.sum(Kind::Double).backward();
        assert_eq!(numbers(&values.grad()), [1.0, 0.0, 0.0, 1.0]);
    }

    #[test]
    fn a_nan_stays_a_nan() {
        let layout = JaggedLayout::new(&[0, 1], Device::Cpu).unwrap();
        let list = Jagged::new(Tensor::from_slice(&[f64::NAN]).reshape([1, 1]), layout).unwrap();
        assert!(numbers(&pool(&list, Pooling::PaddedMax(2)).unwrap())[0].is_nan());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Padded lists hold the same events and zeros behind them.
        #[test]
        fn padded_max_is_the_maximum_of_padded_lists(
            lists in prop::collection::vec(prop::collection::vec(-5i32..5, 0..6), 1..8),
            length in 0u32..8,
        ) {
            let mut offsets = vec![0];
            for list in &lists {
                offsets.push(offsets[offsets.len() - 1] + list.len() as u32);
            }
            let values: Vec<f64> = lists.concat().iter().map(|&value| f64::from(value)).collect();
            let values = Tensor::from_slice(&values).reshape([-1, 1]);
            let layout = JaggedLayout::new(&offsets, Device::Cpu).unwrap();
            let pooled = pool(&Jagged::new(values, layout).unwrap(), Pooling::PaddedMax(length)).unwrap();
            for (list, got) in lists.iter().zip(numbers(&pooled)) {
                let padding = (list.len()..length as usize).map(|_| 0);
                let expected = list.iter().copied().chain(padding).max().unwrap_or(0);
                prop_assert!((got - f64::from(expected)).abs() < 1e-12, "{got} {expected}");
            }
        }
    }
}

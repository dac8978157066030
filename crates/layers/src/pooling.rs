//! Pooling of a list to one vector.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::error::{check_shape, setting};
use crate::{Jagged, LayerError, segment_max, segment_sum, segment_weighted_sum};

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

/// Pools each sample's events, each with its weight: `Σ w e` for [`Pooling::Sum`], `Σ w e / Σ w` for [`Pooling::Mean`].
///
/// # Shapes
/// - `list` jagged `[N, D]`, `weights` `[N]`, none negative → `[B, D]`; a sample without events, or of which all weights
///   are 0, gives zeros
///
/// # Errors
/// [`LayerError::Config`] when `pooling` is a maximum, which knows no weights; [`LayerError::Shape`] when there is not one
/// weight for each event.
pub fn pool_weighted(list: &Jagged, weights: &Tensor, pooling: Pooling) -> Result<Tensor, LayerError> {
    let layout = list.layout();
    check_shape("weights", weights, &[Some(layout.events())], "[N]")?;
    let weights = weights.f_to_kind(list.kind())?.f_unsqueeze(1)?;
    match pooling {
        Pooling::Sum => segment_weighted_sum(list.values(), &weights, layout),
        Pooling::Mean => {
            let total = segment_sum(&weights, layout)?;
            // Where the weights add up to 0 the sum is 0 as well.
            let total = total.f_masked_fill(&total.f_eq(0)?, 1.0)?;
            Ok(segment_weighted_sum(list.values(), &weights, layout)?.f_div(&total)?)
        }
        Pooling::Max | Pooling::PaddedMax(_) => Err(LayerError::Config {
            field: "pooling",
            value: setting(&pooling),
            allowed: "`sum` or `mean`, because the list has weights",
        }),
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
    fn weights_weigh() {
        let layout = JaggedLayout::new(&[0, 2, 2, 3, 4], Device::Cpu).unwrap();
        let values = Tensor::from_slice(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]).reshape([4, 2]);
        let list = Jagged::new(values.set_requires_grad(true), layout).unwrap();
        let weights = Tensor::from_slice(&[0.5f32, 1.5, 3.0, 0.0]);
        let sum = pool_weighted(&list, &weights, Pooling::Sum).unwrap();
        assert_eq!(numbers(&sum), [5.0, 7.0, 0.0, 0.0, 15.0, 18.0, 0.0, 0.0]);
        let mean = pool_weighted(&list, &weights, Pooling::Mean).unwrap();
        assert_eq!(numbers(&mean), [2.5, 3.5, 0.0, 0.0, 5.0, 6.0, 0.0, 0.0]);
        mean.sum(Kind::Double).backward();
        assert_eq!(numbers(&list.values().grad()), [0.25, 0.25, 0.75, 0.75, 1.0, 1.0, 0.0, 0.0]);
        // Weights of 1 change nothing.
        let ones = Tensor::ones([4], (Kind::Float, Device::Cpu));
        for pooling in [Pooling::Sum, Pooling::Mean] {
            let plain = pool(&list, pooling).unwrap();
            assert_eq!(numbers(&pool_weighted(&list, &ones, pooling).unwrap()), numbers(&plain));
        }
    }

    #[test]
    fn weights_without_events_give_zeros() {
        let layout = JaggedLayout::new(&[0, 0], Device::Cpu).unwrap();
        let options = (Kind::Double, Device::Cpu);
        let list = Jagged::new(Tensor::zeros([0, 2], options).set_requires_grad(true), layout).unwrap();
        for pooling in [Pooling::Sum, Pooling::Mean] {
            let pooled = pool_weighted(&list, &Tensor::zeros([0], options), pooling).unwrap();
            assert_eq!(numbers(&pooled), [0.0, 0.0]);
            pooled.sum(Kind::Double).backward();
        }
        assert_eq!(list.values().grad().size(), [0, 2]);
    }

    #[test]
    fn what_cannot_be_weighed_is_refused() {
        let list = Jagged::new(
            Tensor::zeros([1, 2], (Kind::Float, Device::Cpu)),
            JaggedLayout::new(&[0, 1], Device::Cpu).unwrap(),
        )
        .unwrap();
        let weights = Tensor::from_slice(&[1.0f32, 1.0]);
        let message = pool_weighted(&list, &weights, Pooling::Sum).unwrap_err().to_string();
        assert_eq!(message, "weights has shape [2], but [N] = [1] is needed");
        let message = pool_weighted(&list, &weights.narrow(0, 0, 1), Pooling::Max).unwrap_err().to_string();
        assert_eq!(message, "pooling = max is not allowed: `sum` or `mean`, because the list has weights");
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

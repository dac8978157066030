//! Reductions over the events of each sample.
//!
//! On the CPU they are kernels of `fain-kernels`; elsewhere operations of libtorch.

mod fused;

use tch::{Kind, Tensor};

use crate::error::check_shape;
use crate::{JaggedLayout, LayerError};
pub(crate) use fused::{applies, expand, last, last_rows, products};

fn check(values: &Tensor, layout: &JaggedLayout) -> Result<(), LayerError> {
    check_shape("values", values, &[Some(layout.events()), None], "[N, D]")
}

/// Sums each sample's events.
///
/// # Shapes
/// - `values` `[N, D]` → `[B, D]`; a sample without events gives zeros
///
/// # Errors
/// [`LayerError::Shape`] when `values` is not `[N, D]`.
pub fn segment_sum(values: &Tensor, layout: &JaggedLayout) -> Result<Tensor, LayerError> {
    check(values, layout)?;
    if applies(&[values]) {
        return fused::sums(values, None, layout);
    }
    plain_sum(values, layout)
}

/// By libtorch.
fn plain_sum(values: &Tensor, layout: &JaggedLayout) -> Result<Tensor, LayerError> {
    if layout.events() == 0 {
        return zero_rows(values, layout);
    }
    reduce(values, layout, "sum", 0.0)
}

/// Sums each sample's events, each times its weight.
///
/// # Shapes
/// - `values` `[N, D]`, `weights` `[N, 1]` → `[B, D]`; a sample without events gives zeros
///
/// # Errors
/// [`LayerError::Shape`] when `values` is not `[N, D]` or `weights` is not `[N, 1]`.
pub fn segment_weighted_sum(values: &Tensor, weights: &Tensor, layout: &JaggedLayout) -> Result<Tensor, LayerError> {
    check(values, layout)?;
    check_shape("weights", weights, &[Some(layout.events()), Some(1)], "[N, 1]")?;
    if applies(&[values, weights]) {
        return fused::sums(values, Some(weights), layout);
    }
    plain_sum(&values.f_mul(weights)?, layout)
}

/// The largest value of each sample's events, column by column.
///
/// The gradient goes to the largest event; where several are equal, to the first of them.
///
/// # Shapes
/// - `values` `[N, D]` → `[B, D]`; a sample without events gives zeros
///
/// # Errors
/// [`LayerError::Shape`] when `values` is not `[N, D]`.
pub fn segment_max(values: &Tensor, layout: &JaggedLayout) -> Result<Tensor, LayerError> {
    check(values, layout)?;
    if layout.events() == 0 {
        return zero_rows(values, layout);
    }
    let largest = values.f_gather(0, &first_largest(&values.f_detach()?, layout)?, false)?;
    let empty = layout.lengths().f_eq(0)?.f_unsqueeze(1)?;
    Ok(largest.f_masked_fill(&empty, 0.0)?)
}

/// The softmax over each sample's events, column by column.
///
/// The largest logit of the sample is subtracted first, so that no logit overflows.
///
/// # Shapes
/// - `logits` `[N, D]` → `[N, D]`, summing to 1 over each sample's events
///
/// # Errors
/// [`LayerError::Shape`] when `logits` is not `[N, D]`.
pub fn segment_softmax(logits: &Tensor, layout: &JaggedLayout) -> Result<Tensor, LayerError> {
    check(logits, layout)?;
    if applies(&[logits]) && logits.size()[1] == 1 {
        return fused::softmax(logits, layout);
    }
    plain_softmax(logits, layout)
}

/// By libtorch.
fn plain_softmax(logits: &Tensor, layout: &JaggedLayout) -> Result<Tensor, LayerError> {
    if layout.events() == 0 {
        return Ok(logits.shallow_clone());
    }
    // The shift cancels in the quotient; it needs no gradient.
    let shift = layout.expand(&raw_max(&logits.detach(), layout)?)?;
    let powers = logits.f_sub(&shift)?.f_exp()?;
    let sums = layout.expand(&plain_sum(&powers, layout)?)?;
    Ok(powers.f_div(&sums)?)
}

/// Which event is each sample's largest, `[B, D]`; any event where a sample has none.
///
/// The value is looked up by this index because libtorch's gradient of the `max` reduction is wrong where events are
/// equal: a positive gradient is shared among them, a negative one is given to each in full.
fn first_largest(values: &Tensor, layout: &JaggedLayout) -> Result<Tensor, LayerError> {
    let largest = layout.expand(&raw_max(values, layout)?)?;
    // The maximum of events with a NaN is NaN, which equals nothing.
    let other = values.f_ne_tensor(&largest)?.f_logical_and(&values.f_isnan()?.f_logical_not()?)?;
    let events = layout.events();
    // float64 counts events exactly; the reduction knows no integers.
    let positions = Tensor::f_arange(events, (Kind::Double, values.device()))?
        .f_unsqueeze(1)?
        .f_masked_fill(&other, events as f64)?;
    let first = reduce(&positions, layout, "min", events as f64)?;
    Ok(first.f_to_kind(Kind::Int64)?.f_clamp_max(events - 1)?)
}

/// Maximum per sample; minus infinity where a sample has no events.
fn raw_max(values: &Tensor, layout: &JaggedLayout) -> Result<Tensor, LayerError> {
    reduce(values, layout, "max", f64::NEG_INFINITY)
}

/// Reduces each sample's events, starting from `initial`.
fn reduce(values: &Tensor, layout: &JaggedLayout, reduction: &str, initial: f64) -> Result<Tensor, LayerError> {
    // Offsets were checked when the layout was made, so libtorch need not read them again.
    Ok(Tensor::f_segment_reduce(values, reduction, None::<&Tensor>, None, Some(layout.offsets()), 0, true, initial)?)
}

/// Zeros `[B, D]` that still hang on `values`, so that a backward pass finds its way.
fn zero_rows(values: &Tensor, layout: &JaggedLayout) -> Result<Tensor, LayerError> {
    let zeros = Tensor::f_zeros([layout.rows(), values.size()[1]], (values.kind(), values.device()))?;
    if values.requires_grad() {
        let nothing = values.f_sum(Kind::Float)?.f_to_kind(values.kind())?;
        return Ok(zeros.f_add(&nothing)?);
    }
    Ok(zeros)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use proptest::prelude::*;
    use tch::Device;

    use super::*;

    fn numbers(tensor: &Tensor) -> Vec<f64> {
        Vec::<f64>::try_from(tensor.to_kind(Kind::Double).reshape([-1])).unwrap()
    }

    /// Random histories: lengths 0 to 6, width 3.
    fn histories() -> impl Strategy<Value = (Vec<u32>, Vec<f64>)> {
        prop::collection::vec(0u32..7, 1..12).prop_flat_map(|lengths| {
            let mut offsets = vec![0];
            for length in lengths {
                offsets.push(offsets[offsets.len() - 1] + length);
            }
            let events = offsets[offsets.len() - 1] as usize;
            (Just(offsets), prop::collection::vec(-50.0..50.0, events * 3))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn reductions_equal_their_definition((offsets, values) in histories()) {
            let layout = JaggedLayout::new(&offsets, Device::Cpu).unwrap();
            let tensor = Tensor::from_slice(&values).reshape([-1, 3]);
            let (sum, max) = (segment_sum(&tensor, &layout).unwrap(), segment_max(&tensor, &layout).unwrap());
            let softmax = numbers(&segment_softmax(&tensor, &layout).unwrap());
            let (sum, max) = (numbers(&sum), numbers(&max));
            for (row, pair) in offsets.windows(2).enumerate() {
                for column in 0..3 {
                    let events: Vec<usize> = (pair[0]..pair[1]).map(|event| event as usize * 3 + column).collect();
                    let expected: f64 = events.iter().map(|&i| values[i]).sum();
                    prop_assert!((sum[row * 3 + column] - expected).abs() < 1e-9);
                    let expected = events.iter().map(|&i| values[i]).reduce(f64::max).unwrap_or(0.0);
                    prop_assert!((max[row * 3 + column] - expected).abs() < 1e-12);
                    let total: f64 = events.iter().map(|&i| (values[i] - expected).exp()).sum();
                    for &i in &events {
                        prop_assert!((softmax[i] - (values[i] - expected).exp() / total).abs() < 1e-12);
                    }
                }
            }
        }

        #[test]
        fn gradients_equal_finite_differences((offsets, values) in histories()) {
            let layout = JaggedLayout::new(&offsets, Device::Cpu).unwrap();
            let loss = |values: &Tensor| {
                let softmax = segment_softmax(&(values * 0.1), &layout).unwrap();
                (segment_sum(&(softmax * values), &layout).unwrap().square() * 0.01).sum(Kind::Double)
            };
            let tensor = Tensor::from_slice(&values).reshape([-1, 3]).set_requires_grad(true);
            loss(&tensor).backward();
            let gradient = if values.is_empty() { vec![] } else { numbers(&tensor.grad()) };
            for index in (0..values.len()).step_by(5) {
                let at = |delta: f64| {
                    let mut moved = values.clone();
                    moved[index] += delta;
                    f64::try_from(loss(&Tensor::from_slice(&moved).reshape([-1, 3]))).unwrap()
                };
                let difference = (at(1e-5) - at(-1e-5)) / 2e-5;
                prop_assert!((gradient[index] - difference).abs() < 1e-5 * (1.0 + difference.abs()));
            }
        }
    }

    type Compute<'a> = &'a dyn Fn(&[Tensor]) -> Tensor;

    /// Values and the gradients of some operands of a function, with the same gradient for both ways to compute it.
    fn run(operands: &[&Tensor], kind: Kind, of: Compute<'_>) -> Vec<Vec<f64>> {
        let leaves: Vec<Tensor> =
            operands.iter().map(|tensor| tensor.copy().to_kind(kind).set_requires_grad(true)).collect();
        let output = of(&leaves);
        let gradient = (Tensor::arange(output.numel() as i64, (kind, Device::Cpu)) * 0.37).sin().reshape(output.size());
        (&output * gradient).sum(kind).backward();
        // Without events libtorch's operations may give no gradient at all.
        let gradients =
            leaves.iter().map(|leaf| Some(leaf.grad()).filter(Tensor::defined).unwrap_or_else(|| leaf.zeros_like()));
        std::iter::once(numbers(&output)).chain(gradients.map(|gradient| numbers(&gradient))).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Kernels and libtorch agree, in values and in gradients.
        #[test]
        fn kernels_equal_libtorch((offsets, values) in histories()) {
            let layout = JaggedLayout::new(&offsets, Device::Cpu).unwrap();
            let events = Tensor::from_slice(&values).reshape([-1, 3]) * 0.1;
            let weights = events.narrow(1, 0, 1).copy();
            let rows = (Tensor::arange(3 * layout.rows(), (Kind::Double, Device::Cpu)) * 0.7).cos().reshape([-1, 3]);
            let segments = layout.segments();
            let expand = |rows: &Tensor| rows.index_select(0, segments);
            let cases: [(&[&Tensor], Compute<'_>, Compute<'_>); 5] = [
                (&[&events], &|of| segment_sum(&of[0], &layout).unwrap(), &|of| plain_sum(&of[0], &layout).unwrap()),
                (
                    &[&events, &weights],
                    &|of| segment_weighted_sum(&of[0], &of[1], &layout).unwrap(),
                    &|of| plain_sum(&(&of[0] * &of[1]), &layout).unwrap(),
                ),
                (
                    &[&weights],
                    &|of| segment_softmax(&of[0], &layout).unwrap(),
                    &|of| plain_softmax(&of[0], &layout).unwrap(),
                ),
                (&[&rows], &|of| layout.expand(&of[0]).unwrap(), &|of| expand(&of[0])),
                (
                    &[&rows, &events],
                    &|of| products(&of[0], &of[1], &layout).unwrap(),
                    &|of| (expand(&of[0]) * &of[1]).sum_dim_intlist([1i64].as_slice(), true, of[0].kind()),
                ),
            ];
            for (kind, tolerance) in [(Kind::Double, 1e-12), (Kind::Float, 1e-4)] {
                for (case, (operands, fused, plain)) in cases.iter().enumerate() {
                    let (fused, plain) = (run(operands, kind, fused), run(operands, kind, plain));
                    for (fused, plain) in fused.iter().zip(&plain) {
                        prop_assert_eq!(fused.len(), plain.len());
                        for (one, other) in fused.iter().zip(plain) {
                            prop_assert!((one - other).abs() < tolerance, "case {}: {} {}", case, one, other);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_batch_without_events_gives_zeros_and_no_gradient() {
        let layout = JaggedLayout::new(&[0, 0, 0], Device::Cpu).unwrap();
        let values = Tensor::zeros([0, 3], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let pooled = segment_sum(&values, &layout).unwrap() + segment_max(&values, &layout).unwrap();
        assert_eq!(numbers(&pooled), [0.0; 6]);
        pooled.sum(Kind::Float).backward();
        assert_eq!(values.grad().size(), [0, 3]);
    }

    #[test]
    fn the_first_of_equal_maxima_gets_the_gradient() {
        let layout = JaggedLayout::new(&[0, 1, 1, 5], Device::Cpu).unwrap();
        for sign in [1.0, -1.0] {
            let values = Tensor::from_slice(&[7.0, 1.0, 2.0, 2.0, 2.0]).reshape([5, 1]).set_requires_grad(true);
            let largest = segment_max(&values, &layout).unwrap();
            assert_eq!(numbers(&largest), [7.0, 0.0, 2.0]);
            (largest * sign).sum(Kind::Double).backward();
            assert_eq!(numbers(&values.grad()), [sign, 0.0, sign, 0.0, 0.0]);
        }
    }

    #[test]
    fn the_maximum_of_events_with_a_nan_is_nan() {
        let layout = JaggedLayout::new(&[0, 2, 4], Device::Cpu).unwrap();
        let values = Tensor::from_slice(&[1.0, f64::NAN, 3.0, 2.0]).reshape([4, 1]);
        let largest = numbers(&segment_max(&values, &layout).unwrap());
        assert!(largest[0].is_nan());
        assert_eq!(largest[1..], [3.0]);
    }

    #[test]
    fn a_weighted_sum_takes_one_weight_for_each_event() {
        let layout = JaggedLayout::new(&[0, 2, 2, 3], Device::Cpu).unwrap();
        let values = Tensor::from_slice(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).reshape([3, 2]);
        let weights = Tensor::from_slice(&[0.5, -1.0, 2.0]).reshape([3, 1]);
        let sum = segment_weighted_sum(&values, &weights, &layout).unwrap();
        assert_eq!(numbers(&sum), [-2.5, -3.0, 0.0, 0.0, 10.0, 12.0]);
        // One weight for all entries would be broadcast by libtorch.
        for (wrong, needed) in [(&weights.narrow(0, 0, 1), "[N, 1] = [3, 1]"), (&values, "[N, 1] = [3, 1]")] {
            let error = segment_weighted_sum(&values, wrong, &layout).unwrap_err().to_string();
            assert!(error.ends_with(&format!("but {needed} is needed")), "{error}");
        }
    }

    #[test]
    fn softmax_does_not_overflow() {
        let layout = JaggedLayout::new(&[0, 2], Device::Cpu).unwrap();
        let weights = segment_softmax(&Tensor::from_slice(&[1e4f32, -1e4]).reshape([2, 1]), &layout).unwrap();
        assert_eq!(numbers(&weights), [1.0, 0.0]);
    }
}

//! Dense gradients of many parameters, moved together.

use fain_autograd::{Element, SliceError, slice, slice_mut};
use fain_kernels::{ElementRule, ElementStep, Elements, Real, update_elements};
use tch::{Device, Kind, TchError, Tensor};

use super::rule::{Decay, Rule, Step};
use super::sparse::Threads;
use crate::TrainingError;

/// A parameter with its dense gradient.
pub(super) struct Dense<'a> {
    pub(super) value: &'a mut Tensor,
    pub(super) rule: &'a mut dyn Rule,
    pub(super) gradient: &'a Tensor,
    pub(super) step: Step,
}

/// Moves parameters by their dense gradients.
///
/// Those of float32 and float64 on the CPU are moved by a kernel, all in one pass: a model has dozens of small ones, for
/// each of which libtorch's operations would cost more than their numbers. The others are moved one by one.
pub(super) fn update(parameters: Vec<Dense<'_>>) -> Result<(), TrainingError> {
    let (mut floats, mut doubles) = (Vec::new(), Vec::new());
    for parameter in parameters {
        match (parameter.rule_of_kernel(), parameter.value.kind()) {
            (Some(rule), Kind::Float) => floats.push((rule, parameter)),
            (Some(rule), Kind::Double) => doubles.push((rule, parameter)),
            _ => parameter.update()?,
        }
    }
    together::<f32>(floats)?;
    together::<f64>(doubles)
}

impl Dense<'_> {
    /// What the kernel does with this parameter; nothing where it cannot.
    fn rule_of_kernel(&self) -> Option<ElementRule> {
        let in_place = self.value.device() == Device::Cpu && self.value.is_contiguous();
        let alike = self.gradient.kind() == self.value.kind() && self.gradient.device() == Device::Cpu;
        (in_place && alike && self.step.l2_of_rows.is_none()).then(|| self.rule.of_elements(self.step.number))?
    }

    /// By libtorch's operations, on any device.
    fn update(self) -> Result<(), TrainingError> {
        Ok(self.rule.update(self.value, self.gradient, &self.step)?)
    }
}

/// The tensors of a parameter that the kernel moves.
struct Member {
    value: Tensor,
    gradient: Tensor,
    mean: Option<Tensor>,
    second: Option<Tensor>,
}

impl Member {
    fn new(parameter: &Dense<'_>) -> Result<Self, TchError> {
        let (mut mean, mut second) = (None, None);
        for (name, tensor) in parameter.rule.state() {
            match name {
                "mean" => mean = Some(tensor),
                _ => second = Some(tensor),
            }
        }
        let gradient = parameter.gradient;
        let gradient = if gradient.is_contiguous() { gradient.shallow_clone() } else { gradient.f_contiguous()? };
        Ok(Self { value: parameter.value.shallow_clone(), gradient, mean, second })
    }

    fn written(&self) -> impl Iterator<Item = &Tensor> {
        [Some(&self.value), self.mean.as_ref(), self.second.as_ref()].into_iter().flatten()
    }
}

/// Moves parameters of one kind; an optimiser has one rule for all of them.
fn together<T: Element + Real>(parameters: Vec<(ElementRule, Dense<'_>)>) -> Result<(), TrainingError> {
    let Some((rule, first)) = parameters.first() else { return Ok(()) };
    let Step { learning_rate, weight_decay, .. } = first.step;
    let (l2, shrink) = match first.rule.decay() {
        Decay::Gradient => (weight_decay, 0.0),
        Decay::Parameter => (0.0, learning_rate * weight_decay),
    };
    let step = ElementStep { rule: *rule, learning_rate, l2, shrink };
    let mut members = parameters.iter().map(|(_, each)| Member::new(each)).collect::<Result<Vec<_>, _>>()?;
    if !are_apart::<T>(&members)? {
        return parameters.into_iter().try_for_each(|(_, each)| each.update());
    }
    let mut elements = Vec::with_capacity(members.len());
    for Member { value, gradient, mean, second } in &mut members {
        let mean = mean.as_mut().map(slice_mut::<T>).transpose()?.unwrap_or_default();
        let second = second.as_mut().map(slice_mut::<T>).transpose()?.unwrap_or_default();
        elements.push(Elements { values: slice_mut::<T>(value)?, gradients: slice::<T>(gradient)?, mean, second });
    }
    Ok(update_elements(elements, &step, &Threads)?)
}

/// Whether nothing that is written lies in the memory of something else, as when a parameter is its own gradient.
fn are_apart<T: Element>(members: &[Member]) -> Result<bool, SliceError> {
    let addresses = |tensor: &Tensor| slice::<T>(tensor).map(<[T]>::as_ptr_range);
    let mut written = members.iter().flat_map(Member::written).map(addresses).collect::<Result<Vec<_>, _>>()?;
    written.sort_unstable_by_key(|range| range.start);
    let mut apart = written.windows(2).all(|pair| pair[0].end <= pair[1].start);
    for member in members {
        let read = addresses(&member.gradient)?;
        let before = written.partition_point(|range| range.start < read.end);
        apart &= before == 0 || written[before - 1].end <= read.start;
    }
    Ok(apart)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use proptest::prelude::*;

    use super::super::adagrad::Adagrad;
    use super::super::adam::Adam;
    use super::super::config::{AdagradConfig, AdamConfig};
    use super::super::sgd::Sgd;
    use super::super::tables::Remembered;
    use super::*;

    const SIZES: [[i64; 2]; 3] = [[3, 2], [1, 1], [0, 4]];

    fn rule(number: usize, value: &Tensor) -> Box<dyn Rule> {
        let adam = |decay| Adam::new(value, AdamConfig::default(), decay, Remembered::default()).unwrap();
        match number {
            0 => Box::new(Sgd),
            1 => Box::new(Adagrad::new(value, AdagradConfig::default(), Remembered::default()).unwrap()),
            2 => Box::new(adam(Decay::Gradient)),
            _ => Box::new(adam(Decay::Parameter)),
        }
    }

    fn tensor(numbers: &[f64], size: [i64; 2], kind: Kind) -> Tensor {
        Tensor::from_slice(&numbers[..(size[0] * size[1]) as usize]).reshape(size).to_kind(kind)
    }

    /// Parameters and what is remembered of them after some steps.
    fn moved(kind: Kind, number: usize, start: &[f64], gradients: &[Vec<f64>], by_kernel: bool) -> Vec<f64> {
        let mut values: Vec<Tensor> = SIZES.iter().map(|&size| tensor(start, size, kind)).collect();
        let mut rules: Vec<Box<dyn Rule>> = values.iter().map(|value| rule(number, value)).collect();
        for (number, numbers) in (1..).zip(gradients) {
            // The first one lies column by column.
            let gradients: Vec<Tensor> = SIZES.iter().map(|&size| tensor(numbers, size, kind)).collect();
            let turned = gradients[0].transpose(0, 1).contiguous().transpose(0, 1);
            let gradients = [&turned, &gradients[1], &gradients[2]];
            let step = || Step { learning_rate: 0.05, weight_decay: 0.1, number, l2_of_rows: None };
            let parameters = values.iter_mut().zip(&mut rules).zip(gradients).map(|((value, rule), gradient)| {
                let rule: &mut dyn Rule = rule.as_mut();
                Dense { value, rule, gradient, step: step() }
            });
            if by_kernel {
                update(parameters.collect()).unwrap();
            } else {
                parameters.for_each(|each| each.update().unwrap());
            }
        }
        let state = rules.iter().flat_map(|rule| rule.state()).map(|(_, tensor)| tensor);
        let tensors = values.into_iter().chain(state).map(|tensor| tensor.reshape([-1]).to_kind(Kind::Double));
        tensors.flat_map(|tensor| Vec::<f64>::try_from(tensor).unwrap()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// The kernel does what libtorch's operations do.
        #[test]
        fn together_is_the_same_as_one_by_one(
            start in prop::collection::vec(-1.0..1.0f64, 6),
            gradients in prop::collection::vec(prop::collection::vec(0.5..1.0f64, 6), 1..4),
        ) {
            for (kind, tolerance) in [(Kind::Double, 1e-12), (Kind::Float, 1e-5)] {
                for rule in 0..4 {
                    let by_kernel = moved(kind, rule, &start, &gradients, true);
                    let by_torch = moved(kind, rule, &start, &gradients, false);
                    prop_assert_eq!(by_kernel.len(), by_torch.len());
                    for (one, other) in by_kernel.iter().zip(&by_torch) {
                        prop_assert!((one - other).abs() < tolerance, "{:?}, rule {}: {} {}", kind, rule, one, other);
                    }
                }
            }
        }
    }

    #[test]
    fn a_parameter_that_is_a_gradient_is_read_before_it_is_moved() {
        let (mut first, mut second) = (Tensor::from_slice(&[1.0, -2.0]), Tensor::from_slice(&[3.0, 4.0]));
        let gradients = [first.shallow_clone(), first.shallow_clone()];
        let step = || Step { learning_rate: 0.5, weight_decay: 0.0, number: 1, l2_of_rows: None };
        let (mut rule, mut other_rule) = (Sgd, Sgd);
        update(vec![
            Dense { value: &mut second, rule: &mut other_rule, gradient: &gradients[1], step: step() },
            Dense { value: &mut first, rule: &mut rule, gradient: &gradients[0], step: step() },
        ])
        .unwrap();
        assert_eq!(Vec::<f64>::try_from(first).unwrap(), [0.5, -1.0]);
        assert_eq!(Vec::<f64>::try_from(second).unwrap(), [2.5, 5.0]);
    }

    #[test]
    fn memory_that_is_shared_is_found() {
        let whole = Tensor::from_slice(&[1.0, 2.0, 3.0, 4.0]);
        let part = |start| whole.narrow(0, start, 2);
        let member = |value, gradient| Member { value, gradient, mean: None, second: None };
        let other = || Tensor::from_slice(&[0.0, 0.0]);
        let apart = |members: &[Member]| are_apart::<f64>(members).unwrap();
        assert!(apart(&[member(part(0), other()), member(part(2), other())]));
        assert!(apart(&[member(part(0), part(2)), member(other(), part(2))]));
        assert!(!apart(&[member(part(0), other()), member(part(1), other())]));
        assert!(!apart(&[member(part(2), other()), member(other(), part(1))]));
    }
}

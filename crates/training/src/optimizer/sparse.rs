//! Gradients that hold some rows of a table.

use fain_autograd::{Element, parallel_tasks, slice, slice_mut};
use fain_kernels::{Lookups, Pool, Real, RowState, RowStep, SecondMoment};
use tch::{Device, Kind, TchError, Tensor};

use super::rule::{Decay, Rule, Step};
use crate::TrainingError;

/// Moves the rows that a sparse gradient holds, and leaves all others with what is remembered of them.
///
/// The gradient has one sparse dimension. Rows that it holds several times are summed first: a rule that is not linear
/// in the gradient would otherwise see parts of it. A table on the CPU is moved where it lies, by a kernel; others by
/// libtorch's operations on copies of the rows.
pub(super) fn update_rows(
    rule: &mut dyn Rule,
    value: &mut Tensor,
    gradient: &Tensor,
    step: &Step,
    lookups: &mut Lookups,
) -> Result<(), TrainingError> {
    let in_place = value.device() == Device::Cpu && value.dim() == 2 && value.is_contiguous();
    match (in_place && gradient.kind() == value.kind(), value.kind()) {
        (true, Kind::Float) => update_in_place::<f32>(rule, value, gradient, step, lookups),
        (true, Kind::Double) => update_in_place::<f64>(rule, value, gradient, step, lookups),
        _ => Ok(update_copies(rule, value, gradient, step)?),
    }
}

/// The same by libtorch's operations, on any device.
fn update_copies(rule: &mut dyn Rule, value: &mut Tensor, gradient: &Tensor, step: &Step) -> Result<(), TchError> {
    let gradient = gradient.f_coalesce()?;
    let rows = gradient.f_indices()?.f_select(0, 0)?;
    if rows.numel() == 0 {
        return Ok(());
    }
    let l2_of_rows = step.l2_of_rows.as_ref().map(|l2| l2.f_index_select(0, &rows)).transpose()?;
    let step = Step { l2_of_rows, ..*step };
    let mut moved = value.f_index_select(0, &rows)?;
    let mut rule_of_rows = rule.of_rows(&rows)?;
    rule_of_rows.update(&mut moved, &gradient.f_values()?, &step)?;
    let _ = value.f_index_copy_(0, &rows, &moved)?;
    for ((_, mut whole), (_, part)) in rule.state().into_iter().zip(rule_of_rows.state()) {
        let _ = whole.f_index_copy_(0, &rows, &part)?;
    }
    Ok(())
}

/// The same in one pass over the lookups, without copies of rows.
fn update_in_place<T: Element + Real>(
    rule: &dyn Rule,
    value: &mut Tensor,
    gradient: &Tensor,
    step: &Step,
    lookups: &mut Lookups,
) -> Result<(), TrainingError> {
    let size = value.size();
    let (ids, gradients) = (gradient.f_internal_indices()?.f_contiguous()?, gradient.f_internal_values()?);
    lookups.sort(slice::<i64>(&ids)?, usize::try_from(size[0]).unwrap_or(0))?;
    if lookups.is_empty() {
        return Ok(());
    }
    let gradients = gradients.f_contiguous()?;
    let mut remembered = rule.state();
    let mut state = RowState::default();
    for (name, tensor) in &mut remembered {
        let of_rows = tensor.size() != size;
        let numbers = slice_mut::<T>(tensor)?;
        match *name {
            "mean" => state.mean = Some(numbers),
            "count" => state.count = Some(numbers),
            _ if of_rows => state.second = Some(SecondMoment::Row(numbers)),
            _ => state.second = Some(SecondMoment::Element(numbers)),
        }
    }
    let (l2, shrink) = match rule.decay() {
        Decay::Gradient => (step.weight_decay, 0.0),
        Decay::Parameter => (0.0, step.learning_rate * step.weight_decay),
    };
    let row_step = RowStep {
        rule: rule.of_kernel(step.number),
        learning_rate: step.learning_rate,
        l2,
        shrink,
        l2_of_rows: step.l2_of_rows.as_ref().map(slice::<T>).transpose()?,
    };
    let (width, table) = (usize::try_from(size[1]).unwrap_or(0), slice_mut::<T>(value)?);
    fain_kernels::update_rows(width, table, state, lookups, slice::<T>(&gradients)?, &row_step, &Threads)?;
    Ok(())
}

/// libtorch's threads.
pub(super) struct Threads;

impl Pool for Threads {
    fn run(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        // The kernel counts the tasks that were done, and fails where some were not.
        let _counted = parallel_tasks(tasks, task);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use proptest::prelude::*;

    use super::super::adagrad::Adagrad;
    use super::super::adam::Adam;
    use super::super::config::{AdagradConfig, AdamConfig};
    use super::super::sgd::Sgd;
    use super::super::tables::{BiasCorrection, Moments, Remembered};
    use super::*;

    const ROWS: i64 = 5;

    fn rules(table: &Tensor) -> Vec<Box<dyn Rule>> {
        let mut rules: Vec<Box<dyn Rule>> = vec![Box::new(Sgd)];
        for moments in [Moments::Element, Moments::Row] {
            let remembered = Remembered { moments, bias_correction: BiasCorrection::Step };
            rules.push(Box::new(Adagrad::new(table, AdagradConfig::default(), remembered).unwrap()));
            for bias_correction in [BiasCorrection::Step, BiasCorrection::Row] {
                let remembered = Remembered { moments, bias_correction };
                for decay in [Decay::Gradient, Decay::Parameter] {
                    rules.push(Box::new(Adam::new(table, AdamConfig::default(), decay, remembered).unwrap()));
                }
            }
        }
        rules
    }

    /// The table and what is remembered of it after some steps.
    fn moved(
        kind: Kind,
        rule: usize,
        start: &[f64],
        steps: &[Vec<(i64, [f64; 2])>],
        update: impl Fn(&mut dyn Rule, &mut Tensor, &Tensor, &Step),
    ) -> Vec<f64> {
        let mut table = Tensor::from_slice(start).reshape([ROWS, 2]).to_kind(kind);
        let mut rule = rules(&table).swap_remove(rule);
        for (number, lookups) in (1..).zip(steps) {
            let ids: Vec<i64> = lookups.iter().map(|(id, _)| *id).collect();
            let values: Vec<f64> = lookups.iter().flat_map(|(_, values)| *values).collect();
            let (ids, values) = (Tensor::from_slice(&ids), Tensor::from_slice(&values).reshape([-1, 2]).to_kind(kind));
            let gradient = Tensor::sparse_coo_tensor_indices_size(
                &ids.unsqueeze(0),
                &values,
                [ROWS, 2],
                (kind, Device::Cpu),
                false,
            );
            let l2_of_rows = Tensor::from_slice(&[0.5, 0.25, 0.125, 0.0, 1.0]).unsqueeze(1).to_kind(kind);
            let l2_of_rows = (number > 1).then_some(l2_of_rows);
            let step = Step { learning_rate: 0.05, weight_decay: 0.1, number, l2_of_rows };
            update(rule.as_mut(), &mut table, &gradient, &step);
        }
        let state = rule.state().into_iter().map(|(_, tensor)| tensor);
        let tensors = [table].into_iter().chain(state).map(|tensor| tensor.reshape([-1]).to_kind(Kind::Double));
        tensors.flat_map(|tensor| Vec::<f64>::try_from(tensor).unwrap()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// The kernel does what libtorch's operations on copies of the rows do.
        #[test]
        fn in_place_is_the_same_as_by_copies(
            start in prop::collection::vec(-1.0..1.0f64, 2 * ROWS as usize),
            steps in prop::collection::vec(
                prop::collection::vec((0..ROWS, [0.5..1.0f64, -1.0..-0.5f64]), 0..9),
                1..4,
            ),
        ) {
            for (kind, tolerance) in [(Kind::Double, 1e-12), (Kind::Float, 1e-5)] {
                for rule in 0..rules(&Tensor::zeros([ROWS, 2], (kind, Device::Cpu))).len() {
                    let in_place = moved(kind, rule, &start, &steps, |rule, table, gradient, step| {
                        update_rows(rule, table, gradient, step, &mut Lookups::default()).unwrap();
                    });
                    let copies = moved(kind, rule, &start, &steps, |rule, table, gradient, step| {
                        update_copies(rule, table, gradient, step).unwrap();
                    });
                    prop_assert_eq!(in_place.len(), copies.len());
                    for (one, other) in in_place.iter().zip(&copies) {
                        prop_assert!((one - other).abs() < tolerance, "{:?}, rule {}: {} {}", kind, rule, one, other);
                    }
                }
            }
        }
    }

    /// A table whose rows do not lie one after the other is moved too.
    #[test]
    fn a_transposed_table_is_moved_by_copies() {
        let mut table = Tensor::zeros([2, 3], (Kind::Float, Device::Cpu)).transpose(0, 1);
        let gradient = Tensor::sparse_coo_tensor_indices_size(
            &Tensor::from_slice(&[2i64]).unsqueeze(0),
            &Tensor::from_slice(&[1.0f32, 2.0]).unsqueeze(0),
            [3, 2],
            (Kind::Float, Device::Cpu),
            false,
        );
        let step = Step { learning_rate: 0.5, weight_decay: 0.0, number: 1, l2_of_rows: None };
        update_rows(&mut Sgd, &mut table, &gradient, &step, &mut Lookups::default()).unwrap();
        assert_eq!(Vec::<f32>::try_from(table.reshape([-1])).unwrap(), [0.0, 0.0, 0.0, 0.0, -0.5, -1.0]);
    }
}

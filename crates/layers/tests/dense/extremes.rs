//! Batches of odd sizes, and what only plain operations can do.

use fain_layers::{Dice, DiceVariant, Execution, LayerError, Mode};
use tch::{Device, Kind, Tensor, nn};

use crate::problem::{Problem, Subject};

#[test]
fn no_rows_are_evaluated_and_flow_back_as_zeros() {
    for subject in Subject::all() {
        for execution in [Execution::Plain, Execution::Auto] {
            let problem = Problem { subject: subject.clone(), rows: 0, width: 5, seed: 1 };
            let (variables, layer) = problem.layer(execution, Kind::Float);
            let input = Tensor::zeros([0, 5], (Kind::Float, Device::Cpu)).set_requires_grad(true);
            let output = layer(&input, Mode::Evaluation).unwrap();
            assert_eq!(output.size()[0], 0);
            output.sum(Kind::Float).backward();
            assert_eq!(input.grad().size(), [0, 5]);
            for (name, variable) in variables.iter().filter(|(_, variable)| variable.requires_grad()) {
                let sum = f64::try_from(variable.grad().abs().sum(Kind::Double)).unwrap();
                assert!(sum.to_bits() == 0, "{subject:?} {execution:?}: {name}");
            }
        }
    }
}

#[test]
fn one_row_has_no_statistics_in_either_way() {
    for execution in [Execution::Plain, Execution::Auto] {
        let store = nn::VarStore::new(Device::Cpu);
        let dice = Dice::new(&store.root(), 2, DiceVariant::Paper).unwrap().with_execution(execution);
        let error = dice.forward(&Tensor::zeros([1, 2], (Kind::Float, Device::Cpu)), Mode::Training).unwrap_err();
        assert!(matches!(error, LayerError::TooFewRows { rows: 1, needed: 2, .. }), "{error}");
    }
}

#[test]
fn rows_that_do_not_lie_side_by_side_are_read_as_they_are() {
    let store = nn::VarStore::new(Device::Cpu);
    let dice = Dice::new(&store.root(), 3, DiceVariant::PerSample).unwrap();
    let columns = Tensor::from_slice(&[1.0f32, 4.0, 2.0, 5.0, 3.0, -6.0]).reshape([3, 2]);
    let (turned, copied) = (columns.tr(), columns.tr().contiguous());
    let output = |input: &Tensor| dice.forward(input, Mode::Training).unwrap();
    assert!(!turned.is_contiguous());
    assert_eq!(output(&turned), output(&copied));
}

#[test]
fn second_derivatives_need_plain_operations() {
    let second = |execution: Execution| -> Result<Tensor, tch::TchError> {
        let store = nn::VarStore::new(Device::Cpu);
        let dice = Dice::new(&store.root(), 2, DiceVariant::Paper).unwrap().with_execution(execution);
        let input = Tensor::from_slice(&[1.0f32, -2.0, 0.5, 3.0]).reshape([2, 2]).set_requires_grad(true);
        let output = dice.forward(&input, Mode::Training).unwrap().f_sum(Kind::Float)?;
        let first = Tensor::f_run_backward(&[output], &[&input], true, true)?;
        first[0].f_square()?.f_sum(Kind::Float)?.f_backward()?;
        Ok(input.grad())
    };
    assert!(second(Execution::Plain).is_ok());
    assert!(second(Execution::Auto).is_err());
}

//! Hidden layers and the map behind them as one function.

use fain_autograd::{GradientCheck, check_gradients};
use fain_layers::{ActivationConfig, Execution, InputNorm, LayerError, Linear, Mlp, MlpConfig, Mode};
use tch::{Device, Kind, Tensor, nn};

use crate::problem::{Problem, Subject, numbers};

fn hidden() -> impl Iterator<Item = Subject> {
    Subject::all().into_iter().filter(|subject| matches!(subject, Subject::Hidden(..)))
}

fn rows(seed: u64, size: [i64; 2], kind: Kind) -> Tensor {
    Tensor::from_slice(&numbers(seed, (size[0] * size[1]) as usize)).reshape(size).to_kind(kind)
}

#[test]
fn evaluation_agrees_with_and_without_a_record() {
    for subject in hidden() {
        for (count, width) in [(0, 5), (1, 1), (33, 7), (300, 40)] {
            let problem = Problem { subject: subject.clone(), rows: count, width, seed: 5 };
            let (_variables, layer) = problem.layer(Execution::Auto, Kind::Float);
            let input = rows(1, [count, width], Kind::Float);
            let recorded = layer(&input, Mode::Evaluation).unwrap();
            let alone = tch::no_grad(|| layer(&input, Mode::Evaluation)).unwrap();
            assert!(recorded.requires_grad() && !alone.requires_grad());
            assert_eq!(recorded.size(), [count, 1]);
            // A layer of one unit in the middle sums in another order when it goes alone.
            let difference = f64::try_from((recorded.detach() - alone).abs().sum(Kind::Double)).unwrap();
            assert!(difference <= 1e-4, "{subject:?}: {difference}");
        }
    }
}

#[test]
fn derivatives_are_those_of_the_function() {
    for (activation, batch_norm) in [
        (ActivationConfig::DicePerSample, true),
        (ActivationConfig::DiceAffine, true),
        (ActivationConfig::Dice, false),
        (ActivationConfig::Sigmoid, true),
    ] {
        let problem = Problem { subject: Subject::Hidden(activation, batch_norm), rows: 7, width: 3, seed: 4 };
        let (variables, layer) = problem.layer(Execution::Auto, Kind::Double);
        let input = rows(2, [7, 3], Kind::Double).set_requires_grad(true);
        let run = |inputs: &[Tensor]| Ok::<_, LayerError>(vec![layer(&inputs[0], Mode::Training)?]);
        let report = check_gradients(run, &[input], &GradientCheck::default()).unwrap();
        assert_eq!(report.entries, 21);
        assert!(variables.len() > 4);
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let threads = tch::get_num_threads();
    for activation in [ActivationConfig::DicePerSample, ActivationConfig::DiceAffine, ActivationConfig::Relu] {
        let store = nn::VarStore::new(Device::Cpu);
        let config = MlpConfig { hidden: vec![36, 18], activation, batch_norm: true, ..MlpConfig::default() };
        let mlp = Mlp::new(&store.root(), 23, &config).unwrap();
        let run = |threads: i32| {
            tch::set_num_threads(threads);
            let input = rows(3, [1500, 23], Kind::Float).set_requires_grad(true);
            let output = mlp.forward(&input, Mode::Training).unwrap();
            let slopes = rows(4, [1500, 18], Kind::Float);
            let weights = ["dense0.weight", "dense1.weight"].map(|name| store.variables()[name].shallow_clone());
            let gradients =
                Tensor::run_backward(&[&output * slopes], &[&input, &weights[0], &weights[1]], false, false);
            std::iter::once(output.detach()).chain(gradients).collect::<Vec<_>>()
        };
        assert_eq!(run(1), run(2), "{activation:?}");
    }
    tch::set_num_threads(threads);
}

#[test]
fn dropout_stays_random_in_training_and_away_in_evaluation() {
    let store = nn::VarStore::new(Device::Cpu);
    let config = MlpConfig { dropout: 0.5, activation: ActivationConfig::Relu, ..MlpConfig::default() };
    let mlp = Mlp::new(&(store.root() / "mlp"), 4, &config).unwrap();
    let output = Linear::new(&(store.root() / "output"), 80, 1).unwrap();
    let input = rows(1, [20, 4], Kind::Float);
    let run = |mode: Mode| tch::no_grad(|| mlp.forward_to(&input, &output, mode)).unwrap();
    assert_ne!(run(Mode::Training), run(Mode::Training));
    let step_by_step = output.forward(&mlp.forward(&input, Mode::Evaluation).unwrap()).unwrap();
    assert!(f64::try_from((run(Mode::Evaluation) - step_by_step).abs().max()).unwrap() < 1e-6);
}

#[test]
fn a_map_that_does_not_fit_is_refused() {
    let store = nn::VarStore::new(Device::Cpu);
    let config = MlpConfig { hidden: vec![3], input_norm: InputNorm::None, ..MlpConfig::default() };
    let mlp = Mlp::new(&(store.root() / "mlp"), 2, &config).unwrap();
    let output = Linear::new(&(store.root() / "output"), 4, 1).unwrap();
    let error = mlp.forward_to(&rows(1, [5, 2], Kind::Float), &output, Mode::Training).unwrap_err().to_string();
    assert_eq!(error, "input has shape [5, 3], but [B, inputs] = [any, 4] is needed");
    let first = rows(1, [5, 2], Kind::Float);
    let error = mlp.forward_from_first(first, Mode::Training).unwrap_err().to_string();
    assert_eq!(error, "input has shape [5, 2], but [B, H] = [any, 3] is needed");
}

//! Adam against libtorch's own.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use fain_training::{Adam, AdamConfig};
use tch::nn::OptimizerConfig;
use tch::{Device, Kind, Tensor, nn};

fn loss(table: &Tensor, bias: &Tensor, step: i64) -> Tensor {
    let ids = Tensor::from_slice(&[step % 4, (3 * step + 1) % 4, 2]);
    let rows = Tensor::embedding(table, &ids, -1, false, false);
    (rows.square() * (step + 1) as f64 + rows * bias).sum(Kind::Double) + bias.cos().sum(Kind::Double)
}

#[test]
fn adam_is_libtorchs_adam() {
    for weight_decay in [0.0, 1e-2] {
        let start = [
            Tensor::from_slice(&[0.3, -0.2, 0.8, 1.0, -0.7, 0.1, 0.0, 0.5]).reshape([4, 2]),
            Tensor::from_slice(&[0.4, -1.1]),
        ];
        let mut theirs = nn::VarStore::new(Device::Cpu);
        let (table, bias) = (theirs.root().zeros("table", &[4, 2]), theirs.root().zeros("bias", &[2]));
        theirs.double();
        tch::no_grad(|| {
            table.shallow_clone().copy_(&start[0]);
            bias.shallow_clone().copy_(&start[1]);
        });
        let mut optimiser = nn::Adam { wd: weight_decay, ..nn::Adam::default() }.build(&theirs, 0.05).unwrap();
        let ours: Vec<Tensor> = start.iter().map(|tensor| tensor.copy().set_requires_grad(true)).collect();
        let named = vec![("table".to_owned(), ours[0].shallow_clone()), ("bias".to_owned(), ours[1].shallow_clone())];
        let config = AdamConfig { learning_rate: 0.05, weight_decay, ..AdamConfig::default() };
        let mut adam = Adam::new(named, config).unwrap();
        for step in 0..20 {
            optimiser.backward_step(&loss(&table, &bias, step));
            adam.backward_step(&loss(&ours[0], &ours[1], step)).unwrap();
            for (ours, theirs) in ours.iter().zip([&table, &bias]) {
                let difference = f64::try_from((ours - theirs).abs().max()).unwrap();
                assert!(difference < 1e-12, "step {step}, weight decay {weight_decay}: {difference}");
            }
        }
        assert_eq!(adam.steps(), 20);
    }
}

#[test]
fn a_parameter_without_a_gradient_stays() {
    let used = Tensor::from_slice(&[1.0]).set_requires_grad(true);
    let idle = Tensor::from_slice(&[1.0]).set_requires_grad(true);
    let named = vec![("used".to_owned(), used.shallow_clone()), ("idle".to_owned(), idle.shallow_clone())];
    let mut adam = Adam::new(named, AdamConfig { weight_decay: 0.1, ..AdamConfig::default() }).unwrap();
    adam.backward_step(&used.square().sum(Kind::Double)).unwrap();
    assert_eq!(idle, Tensor::from_slice(&[1.0]));
    assert!((f64::try_from(&used).unwrap() - 0.999).abs() < 1e-6);
}

//! The differentiable function with the kernels on the processor, against plain operations.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use fain_autograd::{Precision, autocast};
use fain_cuda::Emulated;
use tch::nn;

use super::*;
use crate::recurrent::gated::Gated;
use crate::recurrent::{Execution, GruConfig};

fn emulated() -> &'static Emulated {
    Box::leak(Box::default())
}

/// Numbers from -1 to 1 in no order, another row of them for each `seed`.
fn numbers(size: &[i64], seed: i64) -> Tensor {
    let count: i64 = size.iter().product();
    let places = Tensor::arange(count, (Kind::Double, Device::Cpu));
    (places * 12.9898 + seed as f64 * 78.233).sin().to_kind(Kind::Float).reshape(size)
}

struct Batch {
    gated: Gated,
    inputs: Tensor,
    scores: Tensor,
    initial: Option<Tensor>,
    layout: JaggedLayout,
    gradient: Tensor,
    _store: nn::VarStore,
}

impl Batch {
    fn new(update: Update<()>, (width, hidden): (i64, i64), flags: (bool, bool), lengths: &[u32]) -> Self {
        let mut offsets = vec![0];
        for length in lengths {
            offsets.push(offsets.last().unwrap() + length);
        }
        let layout = JaggedLayout::new(&offsets, Device::Cpu).unwrap();
        let events = layout.events();
        let store = nn::VarStore::new(Device::Cpu);
        let config = GruConfig { hidden, bias: flags.0, ..GruConfig::default() };
        let gated = Gated::new(&store.root(), width, update.gates(), config).unwrap().with_execution(Execution::Plain);
        for (seed, mut variable) in store.trainable_variables().into_iter().enumerate() {
            tch::no_grad(|| variable.copy_(&(numbers(&variable.size(), seed as i64 + 5) * 0.5)));
        }
        let leaf = |size: &[i64], seed| numbers(size, seed).set_requires_grad(true);
        Self {
            gated,
            inputs: leaf(&[events, width], 1),
            scores: numbers(&[events, 1], 2).abs().set_requires_grad(true),
            initial: flags.1.then(|| leaf(&[layout.rows(), hidden], 3)),
            gradient: numbers(&[events, hidden], 4),
            layout,
            _store: store,
        }
    }

    fn operands(&self, scored: bool) -> Operands<&Tensor> {
        Operands {
            inputs: &self.inputs,
            input_weight: &self.gated.input_weight,
            state_weight: &self.gated.state_weight,
            scores: scored.then_some(&self.scores),
            initial: self.initial.as_ref(),
            input_bias: self.gated.input_bias(),
            state_bias: self.gated.state_bias(),
        }
    }

    /// The states, and the gradients of all operands.
    fn run(&self, update: Update<()>, kernels: Option<&'static dyn Kernels>) -> Vec<Tensor> {
        let update = update.try_map(|()| Ok::<_, LayerError>(&self.scores)).unwrap();
        let operands = self.operands(update.scores().is_some());
        let states = if let Some(kernels) = kernels {
            forward(kernels, operands, &update, &self.layout).unwrap()
        } else {
            let inputs = Jagged::new(self.inputs.shallow_clone(), self.layout.clone()).unwrap();
            self.gated.forward(&inputs, update, self.initial.as_ref()).unwrap()
        };
        let loss = (states.values() * &self.gradient).sum(Kind::Float);
        let mut all = Tensor::run_backward(&[loss], &operands.into_list(), false, false);
        all.insert(0, states.values().detach());
        all
    }
}

const UPDATES: [Update<()>; 4] = [Update::Gru, Update::Agru(()), Update::Augru(()), Update::AugruOfficial(())];

#[test]
fn states_and_gradients_are_those_of_plain_operations() {
    for (place, update) in UPDATES.into_iter().enumerate() {
        let kernels = emulated();
        for (flags, lengths) in
            [((true, true), vec![3, 0, 7, 1, 2, 0, 5]), ((false, false), vec![1]), ((true, false), vec![4; 11])]
        {
            let batch = Batch::new(update, (5, 6 + place as i64), flags, &lengths);
            let (plain, cuda) = (batch.run(update, None), batch.run(update, Some(kernels)));
            assert_eq!(plain.len(), cuda.len());
            for (index, (plain, cuda)) in plain.iter().zip(&cuda).enumerate() {
                assert_eq!(plain.size(), cuda.size(), "{update:?}, {index}");
                let most = (plain - cuda).abs().max().double_value(&[]);
                assert!(
                    most < 2e-5 * plain.abs().max().double_value(&[]).max(1.0),
                    "{update:?}, {index}: off by {most}"
                );
            }
        }
    }
}

/// Under autocast the products around the kernels are bfloat16, and what the kernels read and give is float32.
#[test]
fn autocast_narrows_the_products_around_the_kernels() {
    for (place, update) in UPDATES.into_iter().enumerate() {
        let batch = Batch::new(update, (5, 6 + place as i64), (true, true), &[3, 0, 7, 1, 2, 0, 5]);
        let single = batch.run(update, Some(emulated()));
        let narrow = || batch.run(update, Some(emulated()));
        let mixed = autocast(Device::Cpu, Precision::BFloat16, narrow).unwrap();
        for (index, (single, mixed)) in single.iter().zip(&mixed).enumerate() {
            assert_eq!((mixed.kind(), mixed.size()), (Kind::Float, single.size()), "{update:?}, {index}");
            let most = (single - mixed).abs().max().double_value(&[]);
            assert!(most > 0.0, "{update:?}, {index}");
            assert!(most < 0.02 * single.abs().max().double_value(&[]).max(1.0), "{update:?}, {index}: off by {most}");
        }
    }
}

/// Only the gradients that are asked for are computed, and views are taken as they are.
#[test]
fn what_needs_no_gradient_gets_none() {
    let update = Update::Augru(());
    let kernels = emulated();
    let batch = Batch::new(update, (3, 4), (true, true), &[2, 0, 3]);
    let expected = batch.run(update, None);
    let inputs = batch.inputs.detach().transpose(0, 1).contiguous().transpose(0, 1);
    let (scores, initial) = (batch.scores.detach(), batch.initial.as_ref().unwrap().detach());
    let operands = Operands { inputs: &inputs, scores: Some(&scores), initial: Some(&initial), ..batch.operands(true) };
    let states = forward(kernels, operands, &Update::Augru(&scores), &batch.layout).unwrap();
    let loss = (states.values() * &batch.gradient).sum(Kind::Float);
    let gradient = Tensor::run_backward(&[loss], &[&batch.gated.state_weight], false, false);
    assert!((&gradient[0] - &expected[2 + 1]).abs().max().double_value(&[]) < 1e-5);
    let _guard = tch::no_grad_guard();
    let states = forward(kernels, operands, &Update::Augru(&scores), &batch.layout).unwrap();
    assert!((states.values() - &expected[0]).abs().max().double_value(&[]) < 1e-5);
}

#[test]
fn the_processor_has_no_cuda_kernels_and_says_so() {
    let error = cuda_recurrences(Device::Cpu).unwrap_err().to_string();
    assert!(error.contains("Cpu is no CUDA device"), "{error}");
    let batch = Batch::new(Update::Gru, (3, 4), (true, true), &[2]);
    assert!(kernels(batch.operands(false), &Update::<()>::Gru, &batch.layout).is_none());
    // No machine has so many devices; on one without CUDA the driver is missing.
    let error = cuda_recurrences(Device::Cuda(4096)).unwrap_err();
    assert!(matches!(error, CudaError::Library { .. } | CudaError::Call { .. }), "{error}");
}

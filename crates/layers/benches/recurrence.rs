//! AUGRU over 1024 histories of up to 50 events, forward and backward, in float32: plain operations and fused.
//!
//! `FAIN_BENCH_THREADS` sets libtorch's threads, which are otherwise as many as libtorch takes.

#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use fain_layers::{
    AttentionalGru, AttentionalGruConfig, AttentionalGruKind, Execution, Jagged, JaggedLayout, Recurrence, ResetGate,
};
use tch::{Device, Kind, Tensor, nn};

const SAMPLES: u32 = 1024;

fn augru(criterion: &mut Criterion) {
    if let Ok(threads) = std::env::var("FAIN_BENCH_THREADS") {
        tch::set_num_threads(threads.parse().unwrap());
    }
    let mut offsets = vec![0u32];
    for sample in 0..SAMPLES {
        offsets.push(offsets[sample as usize] + 5 + sample * 7919 % 46);
    }
    let layout = JaggedLayout::new(&offsets, Device::Cpu).unwrap();
    let options = (Kind::Float, Device::Cpu);
    let mut group = criterion.benchmark_group("augru");
    group.sample_size(20);
    for width in [16, 36] {
        tch::manual_seed(1);
        let inputs = Tensor::randn([layout.events(), width], options).set_requires_grad(true);
        let history = Jagged::new(inputs, layout.clone()).unwrap();
        let scores = Tensor::rand([layout.events(), 1], options).set_requires_grad(true);
        for (name, execution) in [("plain", Execution::Plain), ("fused", Execution::Auto)] {
            let store = nn::VarStore::new(Device::Cpu);
            let config = AttentionalGruConfig {
                kind: AttentionalGruKind::Augru,
                hidden: width,
                bias: true,
                reset: ResetGate::After,
            };
            let recurrence = AttentionalGru::new(&store.root(), width, config).unwrap().with_execution(execution);
            group.bench_function(BenchmarkId::new(name, width), |bencher| {
                bencher.iter(|| {
                    let states = recurrence.forward(&history, &scores, None).unwrap();
                    states.last().unwrap().sum(Kind::Float).backward();
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, augru);
criterion_main!(benches);

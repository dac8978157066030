//! Layers under bfloat16 autocast: what they give is float32, and close to what they give without.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use fain_autograd::{Precision, autocast};
use fain_layers::{
    ActivationConfig, AttentionalGru, AttentionalGruConfig, AuxiliaryLoss, AuxiliaryLossConfig, AuxiliaryNetConfig,
    AuxiliaryScorer, BatchNorm, BatchNormConfig, BiLstm, BiLstmConfig, Dice, DiceVariant, Execution, Gru, GruConfig,
    Jagged, JaggedLayout, LayerError, LayerNorm, Linear, Mlp, MlpConfig, Mode, ProductKind, ProductLayer, Recurrence,
    RecurrentCell, SelfAttention, TargetAttention, TargetAttentionConfig, TransformerBlock, TransformerBlockConfig,
    Unrolled,
};
use tch::{Device, Kind, Tensor, nn};

const WIDTH: i64 = 8;

/// Numbers from -1 to 1 in no order.
fn numbers(size: &[i64], seed: i64) -> Tensor {
    let count: i64 = size.iter().product();
    let places = Tensor::arange(count, (Kind::Double, Device::Cpu));
    ((places + 1.0) * 12.9898 + seed as f64 * 78.233).sin().to_kind(Kind::Float).reshape(size)
}

/// Five samples, two of them without events.
fn history(seed: i64) -> Jagged {
    let layout = JaggedLayout::new(&[0, 3, 3, 10, 11, 11], Device::Cpu).unwrap();
    Jagged::new(numbers(&[layout.events(), WIDTH], seed), layout).unwrap()
}

fn candidates() -> Tensor {
    numbers(&[5, WIDTH], 7)
}

/// Runs a layer in both precisions. `narrow` says whether something in it is computed in bfloat16.
fn check<L>(
    narrow: bool,
    build: impl Fn(&nn::Path<'_>) -> Result<L, LayerError>,
    run: impl Fn(&L) -> Result<Tensor, LayerError>,
) {
    let store = nn::VarStore::new(Device::Cpu);
    let layer = build(&store.root()).unwrap();
    // By name: the map has another order in each run.
    let variables: BTreeMap<String, Tensor> = store.variables().into_iter().collect();
    for (seed, mut variable) in variables.into_values().enumerate() {
        if variable.requires_grad() {
            tch::no_grad(|| variable.copy_(&(numbers(&variable.size(), seed as i64) * 0.5)));
        }
    }
    let single = run(&layer).unwrap();
    let mixed = autocast(Device::Cpu, Precision::BFloat16, || run(&layer)).unwrap().unwrap();
    let of = std::any::type_name::<L>();
    assert_eq!((mixed.kind(), mixed.size()), (Kind::Float, single.size()), "{of}");
    let apart = (&single - &mixed).abs().max().double_value(&[]);
    assert!(apart < 0.03 * single.abs().max().double_value(&[]).max(1.0), "{of}: {apart}");
    assert_eq!(apart > 0.0, narrow, "{of}: {apart}");
}

#[test]
fn networks_give_float32() {
    for (activation, batch_norm) in [
        (ActivationConfig::Relu, false),
        (ActivationConfig::Sigmoid, true),
        (ActivationConfig::Linear, false),
        (ActivationConfig::Dice, false),
        (ActivationConfig::DicePerSample, false),
    ] {
        let config = MlpConfig { hidden: vec![6, 4], activation, batch_norm, ..MlpConfig::default() };
        check(true, |path| Mlp::new(path, WIDTH, &config), |mlp| mlp.forward(&candidates(), Mode::Training));
    }
    for kind in [ProductKind::Inner, ProductKind::Outer { kernels: 3 }] {
        check(
            true,
            |path| ProductLayer::new(path, 4, 2, kind),
            |layer| layer.forward(&candidates().reshape([5, 4, 2])),
        );
    }
    let config = MlpConfig { hidden: vec![6], ..MlpConfig::default() };
    let build = |path: &nn::Path<'_>| Ok((Mlp::new(path, WIDTH, &config)?, Linear::new(&(path / "output"), 6, 1)?));
    check(true, build, |(mlp, output)| mlp.forward_to(&candidates(), output, Mode::Evaluation));
}

#[test]
fn a_dense_map_alone_gives_what_autocast_gives() {
    let store = nn::VarStore::new(Device::Cpu);
    let linear = Linear::new(&store.root(), WIDTH, 3).unwrap();
    let output = autocast(Device::Cpu, Precision::BFloat16, || linear.forward(&candidates())).unwrap().unwrap();
    assert_eq!(output.kind(), Kind::BFloat16);
}

#[test]
fn layers_over_histories_give_float32() {
    let attention = TargetAttentionConfig::default();
    check(
        true,
        |path| TargetAttention::new(path, WIDTH, &attention),
        |layer| layer.forward(&candidates(), &history(1), Mode::Training),
    );
    check(
        true,
        |path| SelfAttention::new(path, WIDTH, 2),
        |layer| Ok(layer.forward(&history(1))?.values().shallow_clone()),
    );
    for layer_norm in [true, false] {
        let config = TransformerBlockConfig { heads: 2, layer_norm, ..TransformerBlockConfig::default() };
        check(
            true,
            |path| TransformerBlock::new(path, WIDTH, &config),
            |block| Ok(block.forward(&history(1), Mode::Training)?.values().shallow_clone()),
        );
    }
    for (scorer, narrow) in
        [(AuxiliaryScorer::Mlp(AuxiliaryNetConfig::default()), true), (AuxiliaryScorer::InnerProduct, false)]
    {
        let config = AuxiliaryLossConfig { scorer, ..AuxiliaryLossConfig::default() };
        check(
            narrow,
            |path| AuxiliaryLoss::new(path, WIDTH, WIDTH, &config),
            |loss| loss.forward(&history(1), &history(2), &history(3), Mode::Training),
        );
    }
}

#[test]
fn states_stay_float32() {
    for (execution, narrow) in [(Execution::Auto, false), (Execution::Plain, true)] {
        let gru = GruConfig { hidden: 6, ..GruConfig::default() };
        check(
            narrow,
            |path| Ok(Gru::new(path, WIDTH, gru)?.with_execution(execution)),
            |layer| Ok(layer.forward(&history(1), None)?.values().shallow_clone()),
        );
        let config = AttentionalGruConfig { hidden: 6, ..AttentionalGruConfig::default() };
        check(
            narrow,
            |path| Ok(AttentionalGru::new(path, WIDTH, config)?.with_execution(execution)),
            |layer| layer.forward(&history(1), &numbers(&[11, 1], 4).abs(), None)?.last(),
        );
    }
    check(
        false,
        |path| BiLstm::new(path, WIDTH, BiLstmConfig::default()),
        |layer| Ok(layer.forward(&history(1))?.values().shallow_clone()),
    );
}

/// `tanh(W x + h)`
#[derive(Debug)]
struct Cell(Tensor);

impl RecurrentCell for Cell {
    fn hidden(&self) -> i64 {
        6
    }

    fn step(&self, inputs: &Tensor, _: &Tensor, state: &Tensor) -> Result<Tensor, LayerError> {
        Ok(inputs.f_matmul(&self.0)?.f_add(&state.f_to_kind(Kind::BFloat16)?)?.f_tanh()?)
    }
}

#[test]
fn a_cell_of_ones_own_may_give_bfloat16() {
    let unrolled = Unrolled::new(Cell(numbers(&[WIDTH, 6], 2)));
    let scores = numbers(&[11, 1], 4);
    let run = || unrolled.forward(&history(1), &scores, None);
    let states = autocast(Device::Cpu, Precision::BFloat16, run).unwrap().unwrap();
    assert_eq!(states.kind(), Kind::Float);
}

#[test]
fn statistics_of_bfloat16_rows_are_float32() {
    let rows = || numbers(&[5, WIDTH], 3).to_kind(Kind::BFloat16);
    let store = nn::VarStore::new(Device::Cpu);
    let norm = BatchNorm::new(&(store.root() / "batch"), WIDTH, BatchNormConfig::keras()).unwrap();
    let layer_norm = LayerNorm::new(&(store.root() / "layer"), WIDTH).unwrap();
    let dice = [DiceVariant::Paper, DiceVariant::PerSample]
        .map(|variant| Dice::new(&(store.root() / format!("{variant:?}")), WIDTH, variant).unwrap());
    autocast(Device::Cpu, Precision::BFloat16, || {
        assert_eq!(norm.forward(&rows(), Mode::Training).unwrap().kind(), Kind::Float);
        assert_eq!(layer_norm.forward(&rows()).unwrap().kind(), Kind::Float);
        for dice in &dice {
            assert_eq!(dice.forward(&rows(), Mode::Training).unwrap().kind(), Kind::Float);
        }
    })
    .unwrap();
}

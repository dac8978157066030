//! fain-layers without fain-models: what part of a history speaks for a candidate, trained for a few steps.

use fain_layers::{Jagged, JaggedLayout, Linear, Mode, TargetAttention, TargetAttentionConfig};
use tch::{Device, Kind, Reduction, Tensor, nn, nn::OptimizerConfig};

#[cfg_attr(test, test)]
fn main() -> anyhow::Result<()> {
    tch::manual_seed(1);
    let variables = nn::VarStore::new(Device::Cpu);
    let attention = TargetAttention::new(&(variables.root() / "attention"), 8, &TargetAttentionConfig::default())?;
    let output = Linear::new(&(variables.root() / "output"), 8, 1)?;
    let mut adam = nn::Adam::default().build(&variables, 1e-2)?;

    // Three samples with 2, 0 and 3 events of width 8: no padding, and no history is a history too.
    let layout = JaggedLayout::new(&[0, 2, 2, 5], Device::Cpu)?;
    let history = Jagged::new(Tensor::f_randn([5, 8], (Kind::Float, Device::Cpu))?, layout)?;
    let candidate = Tensor::f_randn([3, 8], (Kind::Float, Device::Cpu))?;
    let clicked = Tensor::from_slice(&[1.0f32, 0.0, 1.0]);
    let mut losses = Vec::new();
    for _ in 0..50 {
        let interest = attention.forward(&candidate, &history, Mode::Training)?;
        let logits = output.forward(&interest)?.f_squeeze_dim(1)?;
        let loss = logits.f_binary_cross_entropy_with_logits::<Tensor>(&clicked, None, None, Reduction::Mean)?;
        adam.backward_step(&loss);
        losses.push(f64::try_from(loss)?);
    }
    anyhow::ensure!(losses[49] < losses[0], "the loss has fallen from {} to {}", losses[0], losses[49]);
    Ok(())
}

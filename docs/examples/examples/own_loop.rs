//! DIEN's layer in a training loop of one's own, in which the auxiliary loss is computed beside the rest of a step.

use fain_autograd::overlap;
use fain_layers::{
    AuxiliaryLossConfig, DienInterest, DienInterestConfig, InterestInput, InterestLayer, Jagged, JaggedLayout, Linear,
    Mode,
};
use fain_training::{Optimizer, OptimizerConfig};
use tch::{Device, Kind, Reduction, Tensor, nn};

#[cfg_attr(test, test)]
fn main() -> anyhow::Result<()> {
    tch::manual_seed(1);
    let variables = nn::VarStore::new(Device::Cpu);
    let config =
        DienInterestConfig { auxiliary: Some(AuxiliaryLossConfig::default()), ..DienInterestConfig::default() };
    let dien = DienInterest::new(&(variables.root() / "dien"), 8, &config)?;
    let output = Linear::new(&(variables.root() / "output"), dien.outputs(), 1)?;
    let parameters = variables.variables().into_iter().collect();
    let mut optimizer = Optimizer::new(parameters, OptimizerConfig::default())?;

    let layout = JaggedLayout::new(&[0, 2, 2, 5], Device::Cpu)?;
    let events = || Jagged::new(Tensor::rand([5, 8], (Kind::Float, Device::Cpu)), layout.clone());
    let (history, negative) = (events()?, events()?);
    let candidate = Tensor::rand([3, 8], (Kind::Float, Device::Cpu));
    let clicked = Tensor::from_slice(&[1.0f32, 0.0, 1.0]);
    let mut sums = Vec::new();
    for _ in 0..50 {
        let input = InterestInput { candidate: &candidate, history: &history, negative: Some(&negative), times: None };
        let losses = overlap(|| -> anyhow::Result<Vec<Tensor>> {
            let interest = dien.forward(&input, Mode::Training)?;
            let logits = output.forward(&interest.vector)?.f_squeeze_dim(1)?;
            let click = logits.f_binary_cross_entropy_with_logits::<Tensor>(&clicked, None, None, Reduction::Mean)?;
            let losses: Vec<Tensor> = std::iter::once(click).chain(interest.auxiliary).collect();
            optimizer.backward_step_of_sum(&losses.iter().collect::<Vec<&Tensor>>())?;
            Ok(losses)
        })?;
        // Now both losses can be read.
        sums.push(losses.iter().map(f64::try_from).sum::<Result<f64, _>>()?);
    }
    anyhow::ensure!(sums[49] < sums[0], "the losses have fallen from {} to {}", sums[0], sums[49]);
    Ok(())
}

//! DIEN with a recurrent cell of one's own: a leaky average that opens as far as an event is relevant.

use fain_features::{Column, Samples, SchemaConfig, Sequences};
use fain_layers::{LayerError, Linear, RecurrentCell, Unrolled};
use fain_models::{DienConfig, FeatureSpace, logits};
use tch::{Device, Tensor, nn};

#[derive(Debug)]
struct Leaky(Linear);

impl RecurrentCell for Leaky {
    fn hidden(&self) -> i64 {
        self.0.weight().size()[0]
    }

    fn step(&self, inputs: &Tensor, scores: &Tensor, state: &Tensor) -> Result<Tensor, LayerError> {
        let new = self.0.forward(inputs)?.f_tanh()?;
        Ok(state.f_add(&new.f_sub(state)?.f_mul(scores)?)?)
    }
}

#[cfg_attr(test, test)]
fn main() -> anyhow::Result<()> {
    let schema: SchemaConfig = toml::from_str(include_str!("schema.toml"))?;
    let config: DienConfig = toml::from_str("interests = [{ candidate = ['item'], history = ['history'] }]")?;
    let variables = nn::VarStore::new(Device::Cpu);
    let space = FeatureSpace::new(&schema.check()?, &[100]);
    let model = config.build_with_recurrence(&variables.root(), &space, |variables, width| {
        Ok(Box::new(Unrolled::new(Leaky(Linear::new(variables, width, width)?))))
    })?;
    let history = Column::Sequence(Sequences { values: vec![7, 1, 2], offsets: vec![0, 3, 3], weights: None });
    let samples = Samples { rows: 2, columns: vec![Column::Category(vec![7, 8]), history], ..Samples::default() };
    anyhow::ensure!(logits(&model, &samples, Device::Cpu)?.len() == 2);
    Ok(())
}

//! DIN with an attention of one's own: the cosine of candidate and event, with a learned temperature.

use fain_features::{Column, Samples, SchemaConfig, Sequences};
use fain_layers::{Interest, InterestInput, InterestLayer, LayerError, Mode, segment_softmax, segment_weighted_sum};
use fain_models::{DinConfig, FeatureSpace, logits};
use tch::{Device, Tensor, nn};

#[derive(Debug)]
struct Cosine(Tensor, i64);

impl InterestLayer for Cosine {
    fn outputs(&self) -> i64 {
        self.1
    }

    fn forward(&self, input: &InterestInput<'_>, _mode: Mode) -> Result<Interest, LayerError> {
        let (events, layout) = (input.history.values(), input.history.layout());
        let cosine = Tensor::f_cosine_similarity(events, &layout.expand(input.candidate)?, 1, 1e-8)?;
        let weights = segment_softmax(&cosine.f_mul(&self.0)?.f_unsqueeze(1)?, layout)?;
        Ok(Interest { vector: segment_weighted_sum(events, &weights, layout)?, auxiliary: None })
    }
}

#[cfg_attr(test, test)]
fn main() -> anyhow::Result<()> {
    let schema: SchemaConfig = toml::from_str(include_str!("schema.toml"))?;
    let config: DinConfig = toml::from_str("interests = [{ candidate = ['item'], history = ['history'] }]")?;
    let variables = nn::VarStore::new(Device::Cpu);
    let space = FeatureSpace::new(&schema.check()?, &[100]);
    let model = config.build_with(&variables.root(), &space, |variables, width| {
        Ok(Box::new(Cosine(variables.f_var("temperature", &[1], nn::Init::Const(5.0))?, width)))
    })?;
    let history = Column::Sequence(Sequences { values: vec![7, 1, 2], offsets: vec![0, 3, 3], weights: None });
    let samples = Samples { rows: 2, columns: vec![Column::Category(vec![7, 8]), history], ..Samples::default() };
    anyhow::ensure!(logits(&model, &samples, Device::Cpu)?.len() == 2);
    Ok(())
}

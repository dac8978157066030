//! What the authors of DIN do with the vector of an interest.

use fain_layers::{
    BatchNorm, BatchNormConfig, HistoryState, Interest, InterestInput, InterestLayer, Jagged, LayerError, Linear, Mode,
    Outline, Part, Source,
};
use tch::{Tensor, nn};

/// Another layer's vector through batch normalisation and a dense layer of the same width: `hist_bn` and `hist_fcn` of
/// the DIN authors' code.
///
/// Parameters: those of the layer, `batchnorm`, `dense`.
#[derive(Debug)]
pub struct NormalizedInterest {
    layer: Box<dyn InterestLayer>,
    norm: BatchNorm,
    dense: Linear,
}

impl NormalizedInterest {
    /// Registers what follows `layer`.
    ///
    /// # Errors
    /// [`LayerError::Config`] when the layer's width is not positive.
    pub fn new(variables: &nn::Path<'_>, layer: Box<dyn InterestLayer>) -> Result<Self, LayerError> {
        let width = layer.outputs();
        let norm = BatchNorm::new(&(variables / "batchnorm"), width, BatchNormConfig::default())?;
        let dense = Linear::new(&(variables / "dense"), width, width)?;
        Ok(Self { layer, norm, dense })
    }

    fn project(&self, vector: &Tensor, mode: Mode) -> Result<Tensor, LayerError> {
        self.dense.forward(&self.norm.forward(vector, mode)?)
    }
}

impl InterestLayer for NormalizedInterest {
    fn outputs(&self) -> i64 {
        self.layer.outputs()
    }

    fn forward(&self, input: &InterestInput<'_>, mode: Mode) -> Result<Interest, LayerError> {
        // Before the layer moves statistics of its own.
        self.norm.check_rows(input.history.layout().rows(), mode)?;
        let Interest { vector, auxiliary } = self.layer.forward(input, mode)?;
        Ok(Interest { vector: self.project(&vector, mode)?, auxiliary })
    }

    fn read_history(&self, history: &Jagged, times: Option<&[i64]>) -> Result<HistoryState, LayerError> {
        self.layer.read_history(history, times)
    }

    fn forward_candidates(&self, candidates: &Tensor, state: &HistoryState) -> Result<Tensor, LayerError> {
        self.project(&self.layer.forward_candidates(candidates, state)?, Mode::Evaluation)
    }

    fn reads_auxiliary_loss(&self) -> bool {
        self.layer.reads_auxiliary_loss()
    }

    fn outline(&self) -> Outline {
        let Outline { mut parts, vector } = self.layer.outline();
        let shape = format!("[B, {}]", self.outputs());
        for (name, kind) in [("batchnorm", "batch normalisation"), ("dense", "dense")] {
            let from = if name == "dense" { parts.len() - 1 } else { vector };
            parts.push(Part {
                name: name.to_owned(),
                kind: kind.to_owned(),
                input: shape.clone(),
                output: shape.clone(),
                from: vec![Source::Part(from)],
            });
        }
        let vector = parts.len() - 1;
        Outline { parts, vector }
    }
}

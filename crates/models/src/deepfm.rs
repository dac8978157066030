//! DeepFM.

use fain_layers::{ActivationConfig, MlpConfig, Mode, Pooling, factorization_machine};
use serde::{Deserialize, Serialize};
use tch::{Tensor, nn};

use crate::drawing::{Drawing, layer_node};
use crate::fields::{self, Fields};
use crate::frame::{Beside, FrameConfig};
use crate::tower::{Tower, one_per_sample};
use crate::{
    Candidates, DeepComponent, EmbeddingsConfig, FeatureSpace, FirstOrder, Model, ModelError, ModelGraph, ModelInput,
    NumberConfig, Output, UserState,
};

/// The settings of DeepFM, <https://arxiv.org/abs/1703.04247>.
///
/// A factorisation machine multiplies the vectors of each two fields; a network reads the same vectors. Fields are
/// categories and pooled lists, the history too, and all tables have one width. Numbers have no vector: they are in the
/// first-order part and in the network only.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeepFmConfig {
    /// How lists are pooled to one vector. With the sum, each two entries of two lists are multiplied, as in a
    /// factorisation machine over multi-hot fields.
    pub pooling: Pooling,
    /// The embedding tables.
    pub embedding: EmbeddingsConfig,
    /// A dense layer over the numbers of the network; without it they are read as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub numbers: Option<NumberConfig>,
    /// The network.
    pub mlp: MlpConfig,
}

impl DeepFmConfig {
    /// The settings of the paper's section 3.1: vectors of width 10, three times 400 units with ReLU, dropout of one
    /// half.
    pub fn paper() -> Self {
        Self {
            embedding: EmbeddingsConfig { dim: 10, ..EmbeddingsConfig::default() },
            mlp: MlpConfig {
                hidden: vec![400, 400, 400],
                activation: ActivationConfig::Relu,
                dropout: 0.5,
                ..MlpConfig::default()
            },
            ..Self::default()
        }
    }

    fn frame(&self) -> FrameConfig<'_> {
        FrameConfig {
            pooling: self.pooling,
            numbers: self.numbers,
            ..FrameConfig::of_features(&self.embedding, &self.mlp)
        }
    }

    /// Looks for conflicts with the features.
    ///
    /// # Errors
    /// [`ModelError::Config`] names the key, its value and what is allowed.
    pub fn check(&self, space: &FeatureSpace) -> Result<(), ModelError> {
        self.frame().check(space)?;
        fields::check(space, &self.embedding)
    }

    /// Builds the model and registers its parameters.
    ///
    /// # Errors
    /// Those of [`DeepFmConfig::check`]; no variable is registered then.
    pub fn build(&self, variables: &nn::Path<'_>, space: &FeatureSpace) -> Result<DeepFm, ModelError> {
        self.check(space)?;
        let frame = self.frame();
        let embeddings = frame.embeddings(variables, space)?;
        let deep = frame.deep(variables, space, embeddings, Beside::default())?;
        let features: Vec<usize> = (0..space.features().len()).collect();
        let first_order = FirstOrder::new(&(variables / "first_order"), space, &features)?;
        DeepFm::from_parts(space, deep, first_order.sparse(self.embedding.sparse))
    }
}

/// A factorisation machine and a network over the same vectors,
/// `logit = Σ_i w_i x_i + Σ_{i<j} ⟨v_i, v_j⟩ + network([v_1, …, v_F, numbers])`.
///
/// DeepFM, eq. (1) to (4), <https://arxiv.org/abs/1703.04247>.
/// Parameters: `embedding.{vocabulary}`, `numbers`, `mlp`, `output`, `first_order.{feature}`.
#[derive(Debug)]
pub struct DeepFm {
    tower: Tower,
    fields: Fields,
    first_order: FirstOrder,
}

impl DeepFm {
    /// Puts built parts together.
    ///
    /// # Errors
    /// [`ModelError::Parts`] when widths do not fit, tables differ in width, or there are fewer than two fields.
    pub fn from_parts(space: &FeatureSpace, deep: DeepComponent, first_order: FirstOrder) -> Result<Self, ModelError> {
        let tower = Tower::over_features(space, deep, 0)?;
        let fields = Fields::of(&tower)?;
        Ok(Self { tower, fields, first_order })
    }
}

impl Model for DeepFm {
    fn forward(&self, input: &ModelInput, mode: Mode) -> Result<Output, ModelError> {
        self.tower.check_rows(input, mode)?;
        let columns = self.tower.feature_columns(input)?;
        let products = factorization_machine(&self.fields.stack(&columns)?)?;
        let logits = self.tower.logits(&columns, mode)?.f_add(&products)?.f_add(&self.first_order.forward(input)?)?;
        Ok(Output { logits: one_per_sample(logits)?, auxiliary: None })
    }

    fn score_candidates(&self, user: &UserState, candidates: &Candidates) -> Result<Tensor, ModelError> {
        Ok(self.forward(&user.shared_by(candidates)?, Mode::Evaluation)?.logits)
    }

    fn graph(&self) -> ModelGraph {
        let mut drawing = Drawing::new(self.tower.embeddings());
        let columns = self.tower.draw_features(&mut drawing);
        let input = format!("[B, {}, {}]", self.fields.count(), self.fields.width());
        let read = self.fields.nodes(&columns);
        let products = drawing.add(layer_node("", "factorisation machine", input, "[B, 1]".to_owned(), read));
        let first_order = drawing.first_order("first_order", &self.first_order);
        self.tower.draw_logit(drawing, columns.concat(), vec![products, first_order])
    }
}

//! Product-based neural networks.

use fain_layers::{MlpConfig, Mode, Pooling, ProductKind, ProductLayer};
use serde::{Deserialize, Serialize};
use tch::{Tensor, nn};

use crate::drawing::{Drawing, layer_node};
use crate::fields::{self, Fields};
use crate::frame::{Beside, FrameConfig};
use crate::tower::{Tower, one_per_sample};
use crate::{
    Candidates, DeepComponent, EmbeddingsConfig, FeatureSpace, Model, ModelError, ModelGraph, ModelInput, NumberConfig,
    Output, UserState,
};

/// The settings of a product-based neural network, <https://arxiv.org/abs/1611.00144>.
///
/// The network reads the vectors of the fields and products of them. Fields are categories and pooled lists, the history
/// too, and all tables have one width. Numbers have no vector: the network reads them beside the fields.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PnnConfig {
    /// How lists are pooled to one vector.
    pub pooling: Pooling,
    /// Which products.
    pub product: ProductKind,
    /// The embedding tables.
    pub embedding: EmbeddingsConfig,
    /// A dense layer over the numbers; without it they are read as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub numbers: Option<NumberConfig>,
    /// The network over vectors and products.
    pub mlp: MlpConfig,
}

impl PnnConfig {
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
        fields::check(space, &self.embedding)?;
        let fields = fields::count(space) as i64;
        self.product.check(fields).map_err(|error| ModelError::under("model.product", error))
    }

    /// Builds the model and registers its parameters.
    ///
    /// # Errors
    /// Those of [`PnnConfig::check`]; no variable is registered then.
    pub fn build(&self, variables: &nn::Path<'_>, space: &FeatureSpace) -> Result<Pnn, ModelError> {
        self.check(space)?;
        let frame = self.frame();
        let embeddings = frame.embeddings(variables, space)?;
        let field = space.features().iter().position(|feature| feature.kind.vocabulary().is_some());
        let width = embeddings.width(field.unwrap_or_default());
        let product = ProductLayer::new(&(variables / "product"), fields::count(space) as i64, width, self.product)?;
        let beside = Beside { columns: product.outputs(), ..Beside::default() };
        let deep = frame.deep(variables, space, embeddings, beside)?;
        Pnn::from_parts(space, deep, product)
    }
}

/// A network over the fields' vectors and their products, `logit = network([z, p])` with `z = [v_1, …, v_F, numbers]`.
///
/// Product-based Neural Networks, eq. (3), <https://arxiv.org/abs/1611.00144>. The paper's first hidden layer,
/// `relu(W_z z + W_p p + b)`, is one dense layer over both.
/// Parameters: `embedding.{vocabulary}`, `product`, `numbers`, `mlp`, `output`.
#[derive(Debug)]
pub struct Pnn {
    tower: Tower,
    fields: Fields,
    product: ProductLayer,
}

impl Pnn {
    /// Puts built parts together; the network reads the features first, then the products.
    ///
    /// # Errors
    /// [`ModelError::Parts`] when widths do not fit, tables differ in width, or there are fewer than two fields.
    pub fn from_parts(space: &FeatureSpace, deep: DeepComponent, product: ProductLayer) -> Result<Self, ModelError> {
        let tower = Tower::over_features(space, deep, product.outputs())?;
        let fields = Fields::of(&tower)?;
        let (count, width) = (fields.count(), fields.width());
        if (count, width) != (product.fields(), product.width()) {
            let takes = format!("takes {} fields of width {}", product.fields(), product.width());
            let problem = format!("{takes}, but there are {count} of width {width}");
            return Err(ModelError::Parts { part: "product".to_owned(), problem });
        }
        Ok(Self { tower, fields, product })
    }
}

impl Model for Pnn {
    fn forward(&self, input: &ModelInput, mode: Mode) -> Result<Output, ModelError> {
        self.tower.check_rows(input, mode)?;
        let mut columns = self.tower.feature_columns(input)?;
        columns.push(self.product.forward(&self.fields.stack(&columns)?)?);
        Ok(Output { logits: one_per_sample(self.tower.logits(&columns, mode)?)?, auxiliary: None })
    }

    fn score_candidates(&self, user: &UserState, candidates: &Candidates) -> Result<Tensor, ModelError> {
        Ok(self.forward(&user.shared_by(candidates)?, Mode::Evaluation)?.logits)
    }

    fn graph(&self) -> ModelGraph {
        let mut drawing = Drawing::new(self.tower.embeddings());
        let columns = self.tower.draw_features(&mut drawing);
        let input = format!("[B, {}, {}]", self.fields.count(), self.fields.width());
        let output = format!("[B, {}]", self.product.outputs());
        let product = layer_node("product", "product layer", input, output, self.fields.nodes(&columns));
        let product = drawing.add(product);
        self.tower.draw_logit(drawing, [columns.concat(), vec![product]].concat(), Vec::new())
    }
}

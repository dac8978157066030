//! Wide & Deep.

use fain_layers::{ActivationConfig, MlpConfig, Mode, Pooling};
use serde::{Deserialize, Serialize};
use tch::{Tensor, nn};

use crate::drawing::{Drawing, layer_node};
use crate::frame::{Beside, FrameConfig, check_names};
use crate::tower::{Tower, one_per_sample};
use crate::{
    Candidates, CrossConfig, CrossedCategories, DeepComponent, EmbeddingsConfig, FeatureSpace, FirstOrder, Model,
    ModelError, ModelGraph, ModelInput, NumberConfig, Output, UserState,
};

/// The settings of Wide & Deep, <https://arxiv.org/abs/1606.07792>.
///
/// A wide part, linear in ids and in combinations of ids, learns what is seen often by heart; a deep part, embeddings
/// and hidden layers, carries over to what is seen rarely. Their logits are added. Lists, the history too, are pooled
/// to one vector in the deep part; in the wide part the numbers of all their entries are added.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WideDeepConfig {
    /// How lists are pooled in the deep part.
    pub pooling: Pooling,
    /// The embedding tables.
    pub embedding: EmbeddingsConfig,
    /// A dense layer over the numbers of the deep part; without it they are read as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub numbers: Option<NumberConfig>,
    /// The features of the wide part; empty for all.
    pub wide: Vec<String>,
    /// The combinations of the wide part.
    pub crosses: Vec<CrossConfig>,
    /// The network of the deep part.
    pub mlp: MlpConfig,
}

impl WideDeepConfig {
    /// The network of the paper's section 3: vectors of width 32, and 1024, 512 and 256 units with ReLU.
    pub fn paper() -> Self {
        Self {
            embedding: EmbeddingsConfig { dim: 32, ..EmbeddingsConfig::default() },
            mlp: MlpConfig { hidden: vec![1024, 512, 256], activation: ActivationConfig::Relu, ..MlpConfig::default() },
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
        check_names("model.wide", &self.wide, space)?;
        for (index, cross) in self.crosses.iter().enumerate() {
            cross.check(&format!("model.crosses.{index}"), space)?;
        }
        Ok(())
    }

    /// Builds the model and registers its parameters.
    ///
    /// # Errors
    /// Those of [`WideDeepConfig::check`]; no variable is registered then.
    pub fn build(&self, variables: &nn::Path<'_>, space: &FeatureSpace) -> Result<WideDeep, ModelError> {
        self.check(space)?;
        let frame = self.frame();
        let embeddings = frame.embeddings(variables, space)?;
        let deep = frame.deep(variables, space, embeddings, Beside::default())?;
        let sparse = self.embedding.sparse;
        let features: Vec<usize> = if self.wide.is_empty() {
            (0..space.features().len()).collect()
        } else {
            self.wide.iter().filter_map(|name| space.position(name)).collect()
        };
        let wide = FirstOrder::new(&(variables / "wide"), space, &features)?.sparse(sparse);
        let mut crosses = Vec::with_capacity(self.crosses.len());
        for (index, cross) in self.crosses.iter().enumerate() {
            let cross = CrossedCategories::new(&(variables / format!("cross{index}")), space, cross)?;
            crosses.push(cross.sparse(sparse));
        }
        WideDeep::from_parts(space, deep, wide, crosses)
    }
}

/// A linear model and a network over the same features, `logit = wide + crosses + deep`.
///
/// Wide & Deep Learning for Recommender Systems, eq. (3), <https://arxiv.org/abs/1606.07792>.
/// Parameters: `embedding.{vocabulary}`, `numbers`, `mlp`, `output`, `wide.{feature}`, `cross{i}`.
#[derive(Debug)]
pub struct WideDeep {
    tower: Tower,
    wide: FirstOrder,
    crosses: Vec<CrossedCategories>,
}

impl WideDeep {
    /// Puts built parts together.
    ///
    /// # Errors
    /// [`ModelError::Parts`] when widths do not fit.
    pub fn from_parts(
        space: &FeatureSpace,
        deep: DeepComponent,
        wide: FirstOrder,
        crosses: Vec<CrossedCategories>,
    ) -> Result<Self, ModelError> {
        Ok(Self { tower: Tower::over_features(space, deep, 0)?, wide, crosses })
    }
}

impl Model for WideDeep {
    fn forward(&self, input: &ModelInput, mode: Mode) -> Result<Output, ModelError> {
        self.tower.check_rows(input, mode)?;
        let columns = self.tower.feature_columns(input)?;
        let mut logits = self.tower.logits(&columns, mode)?.f_add(&self.wide.forward(input)?)?;
        for cross in &self.crosses {
            logits = logits.f_add(&cross.forward(input)?)?;
        }
        Ok(Output { logits: one_per_sample(logits)?, auxiliary: None })
    }

    fn score_candidates(&self, user: &UserState, candidates: &Candidates) -> Result<Tensor, ModelError> {
        Ok(self.forward(&user.shared_by(candidates)?, Mode::Evaluation)?.logits)
    }

    fn graph(&self) -> ModelGraph {
        let mut drawing = Drawing::new(self.tower.embeddings());
        let columns = self.tower.draw_features(&mut drawing).concat();
        let mut added = vec![drawing.first_order("wide", &self.wide)];
        for (index, cross) in self.crosses.iter().enumerate() {
            let read = drawing.of(&cross.features().collect::<Vec<_>>());
            let name = format!("cross{index}");
            added.push(drawing.add(layer_node(&name, "cross", String::new(), "[B, 1]".to_owned(), read)));
        }
        self.tower.draw_logit(drawing, columns, added)
    }
}

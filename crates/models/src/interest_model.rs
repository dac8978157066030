//! The frame of models that read histories: embeddings, interests, and a network over everything.

use fain_layers::{Interest, InterestLayer, Linear, Mlp, Mode, Pooling};
use tch::Tensor;

use crate::blocks::Blocks;
use crate::drawing::{Drawing, DrawnInterests};
use crate::interest_features::InterestVectors;
use crate::tower::{Tower, TowerInput, one_per_sample};
use crate::user_state::UserHistory;
use crate::{
    Block, BlockOrder, Candidates, DeepComponent, FeatureEmbeddings, FeatureSpace, FirstOrder, InterestFeatures, Model,
    ModelError, ModelGraph, ModelInput, NumberProjection, Output, UserState,
};

/// A model of one or more interests.
///
/// Each interest's layer reads candidate and history; categories, pooled lists and numbers join the interests' vectors
/// and go through hidden layers to a logit. DIN, DIEN, DSIN and BST differ in the layer, the base model has none.
/// Parameters: `embedding.{vocabulary}`, `interest{i}`, `numbers`, `bias.{feature}`, `mlp`, `output`.
#[derive(Debug)]
pub struct InterestModel {
    interests: Vec<InterestFeatures>,
    layers: Vec<Box<dyn InterestLayer>>,
    tower: Tower,
    bias: Option<FirstOrder>,
}

/// What an [`InterestModel`] is put together from. Widths must fit: `mlp` reads all blocks side by side.
#[derive(Debug)]
pub struct InterestModelParts {
    /// The tables.
    pub embeddings: FeatureEmbeddings,
    /// The interests, each with the features it reads.
    pub interests: Vec<(InterestFeatures, Box<dyn InterestLayer>)>,
    /// What the network reads, in this order; none for every feature that no interest reads, then the interests.
    pub blocks: Option<Vec<Block>>,
    /// How lists are pooled that no interest reads.
    pub pooling: Pooling,
    /// The dense layer over the numbers, if there is one.
    pub numbers: Option<NumberProjection>,
    /// Learned numbers that are added to the logit.
    pub bias: Option<FirstOrder>,
    /// The network over everything.
    pub mlp: Mlp,
    /// From the last hidden layer to the logit.
    pub output: Linear,
}

impl InterestModel {
    /// Puts built parts together.
    ///
    /// # Errors
    /// [`ModelError::Parts`] when widths do not fit; [`ModelError::Config`] when a block names what is not there.
    pub fn from_parts(space: &FeatureSpace, parts: InterestModelParts) -> Result<Self, ModelError> {
        let InterestModelParts { embeddings, interests, blocks, pooling, numbers, bias, mlp, output } = parts;
        let (interests, layers): (Vec<InterestFeatures>, Vec<Box<dyn InterestLayer>>) = interests.into_iter().unzip();
        for (index, interest) in interests.iter().enumerate() {
            interest.check(&format!("interest {index}"), space)?;
        }
        let blocks = blocks.unwrap_or_else(|| BlockOrder::Standard.blocks(space, &interests, numbers.is_some()));
        let blocks = Blocks::new(&blocks, space, &interests, pooling)?;
        let outputs: Vec<i64> = layers.iter().map(|layer| layer.outputs()).collect();
        let columns = blocks.widths(&embeddings, numbers.as_ref(), &interests, &outputs).iter().sum();
        let tower = Tower::new(DeepComponent { embeddings, pooling, numbers, mlp, output }, blocks, columns)?;
        Ok(Self { interests, layers, tower, bias })
    }

    /// The model's output, with the auxiliary loss whenever it has one: what [`Model::forward`] gives in training.
    ///
    /// # Errors
    /// As [`Model::forward`].
    pub fn forward_with_auxiliary_loss(&self, input: &ModelInput, mode: Mode) -> Result<Output, ModelError> {
        self.run(input, mode, true)
    }

    fn run(&self, input: &ModelInput, mode: Mode, auxiliary: bool) -> Result<Output, ModelError> {
        self.tower.check_rows(input, mode)?;
        let mut vectors: Vec<InterestVectors> = Vec::with_capacity(self.interests.len());
        for features in &self.interests {
            vectors.push(features.look_up(self.tower.embeddings(), input, auxiliary)?);
        }
        let (mut interests, mut losses) = (Vec::with_capacity(vectors.len()), Vec::new());
        for (layer, vectors) in self.layers.iter().zip(&vectors) {
            let Interest { vector, auxiliary } = layer.forward(&vectors.input(), mode)?;
            interests.push(vector);
            losses.extend(auxiliary);
        }
        let logits = self.logits(&TowerInput { input, vectors: &vectors, interests: &interests }, mode)?;
        Ok(Output { logits, auxiliary: mean(&losses)? })
    }

    /// From the interests' vectors to the logits.
    fn logits(&self, read: &TowerInput<'_>, mode: Mode) -> Result<Tensor, ModelError> {
        let mut logits = self.tower.logits(&self.tower.columns(read)?, mode)?;
        if let Some(bias) = &self.bias {
            logits = logits.f_add(&bias.forward(read.input)?)?;
        }
        one_per_sample(logits)
    }

    /// Whether the candidates have a list that an interest reads: then a history hangs on the candidate.
    fn change_a_history(&self, candidates: &Candidates) -> bool {
        let features = 0..self.tower.embeddings().features().len();
        features
            .filter(|&feature| candidates.column(feature).is_some())
            .any(|feature| self.interests.iter().any(|interest| interest.reads_list(feature)))
    }
}

impl Model for InterestModel {
    fn forward(&self, input: &ModelInput, mode: Mode) -> Result<Output, ModelError> {
        self.run(input, mode, mode.is_training())
    }

    /// The user's events, and what the interests' layers read of them.
    fn user_state(&self, user: ModelInput) -> Result<UserState, ModelError> {
        let user = UserState::new(user)?;
        let mut histories = Vec::with_capacity(self.interests.len());
        for (features, layer) in self.interests.iter().zip(&self.layers) {
            let (events, times) = features.look_up_history(self.tower.embeddings(), user.input())?;
            let state = layer.read_history(&events, times.as_deref())?;
            histories.push(UserHistory { events, state });
        }
        Ok(user.with_histories(histories))
    }

    fn score_candidates(&self, user: &UserState, candidates: &Candidates) -> Result<Tensor, ModelError> {
        if self.change_a_history(candidates) {
            return Ok(self.forward(&user.beside(candidates)?, Mode::Evaluation)?.logits);
        }
        let (input, read, known) = (user.shared_by(candidates)?, user.histories(), self.interests.len());
        if read.len() != known {
            let problem = format!("{} histories were read by another model; this one has {known}", read.len());
            return Err(ModelError::Parts { part: "user".to_owned(), problem });
        }
        let (mut vectors, mut interests) = (Vec::with_capacity(known), Vec::with_capacity(known));
        for ((features, layer), UserHistory { events, state }) in self.interests.iter().zip(&self.layers).zip(read) {
            let candidate = features.look_up_candidate(self.tower.embeddings(), &input)?;
            interests.push(layer.forward_candidates(&candidate, state)?);
            vectors.push(InterestVectors { candidate, history: events.clone(), negative: None, times: None });
        }
        self.logits(&TowerInput { input: &input, vectors: &vectors, interests: &interests }, Mode::Evaluation)
    }

    /// The losses of several interests are averaged.
    fn reads_auxiliary_loss(&self) -> bool {
        self.layers.len() > 1 || self.layers.iter().any(|layer| layer.reads_auxiliary_loss())
    }

    fn graph(&self) -> ModelGraph {
        let mut drawing = Drawing::new(self.tower.embeddings());
        let layers = self.interests.iter().zip(&self.layers).enumerate();
        let vectors: Vec<usize> =
            layers.map(|(index, (read, layer))| drawing.interest(index, read, layer.as_ref())).collect();
        let outputs: Vec<i64> = self.layers.iter().map(|layer| layer.outputs()).collect();
        let interests = DrawnInterests { read: &self.interests, vectors: &vectors, outputs: &outputs };
        let columns = self.tower.draw_columns(&mut drawing, &interests).concat();
        let bias = self.bias.as_ref().map(|bias| drawing.first_order("bias", bias));
        self.tower.draw_logit(drawing, columns, bias.into_iter().collect())
    }
}

/// The mean of the interests' losses, if there are any.
fn mean(losses: &[Tensor]) -> Result<Option<Tensor>, ModelError> {
    match losses {
        [] => Ok(None),
        [loss] => Ok(Some(loss.shallow_clone())),
        losses => {
            let stacked = Tensor::f_stack(losses, 0)?;
            Ok(Some(stacked.f_mean(stacked.kind())?))
        }
    }
}

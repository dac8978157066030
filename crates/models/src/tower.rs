//! What every model ends in: columns side by side, hidden layers and a logit.

use fain_layers::{Linear, Mlp, Mode, Pooling};
use tch::Tensor;

use crate::blocks::{BlockSources, Blocks, Origin};
use crate::drawing::{Drawing, DrawnInterests, layer_node};
use crate::interest_features::InterestVectors;
use crate::{
    BlockOrder, FeatureEmbeddings, FeatureSpace, GraphNode, GraphRole, ModelError, ModelGraph, ModelInput,
    NumberProjection,
};

/// The built parts of a network over every feature: the deep component of [`WideDeep`](crate::WideDeep),
/// [`DeepFm`](crate::DeepFm) and [`Pnn`](crate::Pnn). Widths must fit: `mlp` reads all columns side by side.
#[derive(Debug)]
pub struct DeepComponent {
    /// The tables.
    pub embeddings: FeatureEmbeddings,
    /// How lists are pooled.
    pub pooling: Pooling,
    /// The dense layer over the numbers, if there is one.
    pub numbers: Option<NumberProjection>,
    /// The network over everything.
    pub mlp: Mlp,
    /// From the last hidden layer to the logit.
    pub output: Linear,
}

/// A network over blocks of columns.
#[derive(Debug)]
pub(crate) struct Tower {
    embeddings: FeatureEmbeddings,
    blocks: Blocks,
    numbers: Option<NumberProjection>,
    mlp: Mlp,
    output: Linear,
}

/// What a tower's blocks are filled from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TowerInput<'a> {
    pub(crate) input: &'a ModelInput,
    pub(crate) vectors: &'a [InterestVectors],
    pub(crate) interests: &'a [Tensor],
}

impl Tower {
    /// A network over `columns` columns, those of the blocks and the model's own.
    ///
    /// # Errors
    /// [`ModelError::Parts`] when widths do not fit.
    pub(crate) fn new(parts: DeepComponent, blocks: Blocks, columns: i64) -> Result<Self, ModelError> {
        let DeepComponent { embeddings, pooling: _, numbers, mlp, output } = parts;
        let fits = |part: &str, needed: i64, got: i64| {
            if needed == got {
                return Ok(());
            }
            let problem = format!("reads {got} columns, but there are {needed}");
            Err(ModelError::Parts { part: part.to_owned(), problem })
        };
        fits("mlp", columns, mlp.first().weight().size()[1])?;
        fits("output", mlp.outputs(), output.weight().size()[1])?;
        Ok(Self { embeddings, blocks, numbers, mlp, output })
    }

    /// A network over every feature, in the order of the schema, and `added` columns of the model's own.
    ///
    /// # Errors
    /// [`ModelError::Parts`] when widths do not fit.
    pub(crate) fn over_features(space: &FeatureSpace, parts: DeepComponent, added: i64) -> Result<Self, ModelError> {
        let blocks = BlockOrder::Standard.blocks(space, &[], parts.numbers.is_some());
        let blocks = Blocks::new(&blocks, space, &[], parts.pooling)?;
        let columns: i64 = blocks.widths(&parts.embeddings, parts.numbers.as_ref(), &[], &[]).iter().sum();
        Self::new(parts, blocks, columns + added)
    }

    pub(crate) fn embeddings(&self) -> &FeatureEmbeddings {
        &self.embeddings
    }

    /// For each block, where its columns come from.
    pub(crate) fn origins(&self) -> impl Iterator<Item = Origin> + '_ {
        self.blocks.origins()
    }

    /// Whether a batch has statistics for all layers. A model asks first, so that a batch that is refused changes nothing.
    ///
    /// # Errors
    /// [`TooFewRows`](fain_layers::LayerError::TooFewRows)
    pub(crate) fn check_rows(&self, input: &ModelInput, mode: Mode) -> Result<(), ModelError> {
        Ok(self.mlp.check_rows(input.rows, mode)?)
    }

    /// The blocks of a batch, `[B, W]` each.
    pub(crate) fn columns(&self, input: &TowerInput<'_>) -> Result<Vec<Tensor>, ModelError> {
        let TowerInput { input, vectors, interests } = *input;
        let numbers = self.numbers.as_ref();
        self.blocks.fill(&BlockSources { embeddings: &self.embeddings, input, numbers, vectors, interests })
    }

    /// The blocks of a model without interests.
    pub(crate) fn feature_columns(&self, input: &ModelInput) -> Result<Vec<Tensor>, ModelError> {
        self.columns(&TowerInput { input, vectors: &[], interests: &[] })
    }

    /// From all columns to the logits: `[B, 1]`, or as wide as the output layer is.
    pub(crate) fn logits(&self, columns: &[Tensor], mode: Mode) -> Result<Tensor, ModelError> {
        Ok(self.mlp.forward_to(&Tensor::f_cat(columns, 1)?, &self.output, mode)?)
    }

    /// Draws the blocks; gives the nodes that each comes from.
    pub(crate) fn draw_columns(&self, drawing: &mut Drawing<'_>, interests: &DrawnInterests<'_>) -> Vec<Vec<usize>> {
        let numbers = self.numbers.as_ref();
        let widths = self.blocks.widths(&self.embeddings, numbers, interests.read, interests.outputs);
        let blocks = self.blocks.origins().zip(widths);
        blocks.map(|(origin, width)| drawing.block(origin, width, interests, numbers.is_some())).collect()
    }

    /// Draws the blocks of a model without interests.
    pub(crate) fn draw_features(&self, drawing: &mut Drawing<'_>) -> Vec<Vec<usize>> {
        self.draw_columns(drawing, &DrawnInterests::default())
    }

    /// Draws the hidden layers over `read`, and the logit, to which `added` nodes are added.
    pub(crate) fn draw_logit(&self, mut drawing: Drawing<'_>, read: Vec<usize>, added: Vec<usize>) -> ModelGraph {
        let columns = self.mlp.first().weight().size()[1];
        let (hidden, outputs) = (self.mlp.outputs(), self.output.weight().size()[0]);
        let mlp = layer_node("mlp", "MLP", format!("[B, {columns}]"), format!("[B, {hidden}]"), read);
        let from = [vec![drawing.add(mlp)], added].concat();
        let output = if outputs == 1 { "[B]".to_owned() } else { format!("[B, {outputs}]") };
        let output = layer_node("output", "logit", format!("[B, {hidden}]"), output, from);
        drawing.add(GraphNode { role: GraphRole::Output, ..output });
        drawing.graph()
    }
}

/// `[B, 1]` → `[B]`; logits of several outputs stay as they are.
pub(crate) fn one_per_sample(logits: Tensor) -> Result<Tensor, ModelError> {
    Ok(if logits.size()[1] == 1 { logits.f_squeeze_dim(1)? } else { logits })
}

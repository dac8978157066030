//! The graph of a model, drawn from its parts.

use fain_layers::{InterestLayer, Part, Source};

use crate::blocks::Origin;
use crate::{FeatureEmbeddings, FirstOrder, GraphNode, GraphRole, InterestFeatures, ModelGraph, SpaceKind};

/// A graph that begins with a node for each feature.
#[derive(Debug)]
pub(crate) struct Drawing<'a> {
    embeddings: &'a FeatureEmbeddings,
    graph: ModelGraph,
    features: Vec<usize>,
}

/// Interests that are drawn already.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct DrawnInterests<'a> {
    pub(crate) read: &'a [InterestFeatures],
    /// The nodes of their vectors.
    pub(crate) vectors: &'a [usize],
    /// The widths of their vectors.
    pub(crate) outputs: &'a [i64],
}

impl<'a> Drawing<'a> {
    /// Draws the features.
    pub(crate) fn new(embeddings: &'a FeatureEmbeddings) -> Self {
        let mut graph = ModelGraph::new();
        let features = embeddings.features().iter().enumerate();
        let nodes = features.map(|(index, feature)| {
            let width = embeddings.width(index);
            let (kind, input, output) = match feature.kind {
                SpaceKind::Category(_) => ("category", "[B]", format!("[B, {width}]")),
                SpaceKind::Sequence(_) => ("sequence", "[N]", format!("[N, {width}]")),
                SpaceKind::Weighted(_) => ("weighted sequence", "[N]", format!("[N, {width}]")),
                SpaceKind::Times => ("times", "[N]", "[N]".to_owned()),
                SpaceKind::Numeric => ("number", "[B]", "[B, 1]".to_owned()),
            };
            let name = embeddings.table_name(index).map(|table| format!("embedding.{table}")).unwrap_or_default();
            let kind = format!("{}: {kind}", feature.name);
            graph.add(GraphNode {
                name,
                kind,
                input: input.to_owned(),
                output,
                from: Vec::new(),
                role: GraphRole::Input,
            })
        });
        let features = nodes.collect();
        Self { embeddings, graph, features }
    }

    pub(crate) fn add(&mut self, node: GraphNode) -> usize {
        self.graph.add(node)
    }

    pub(crate) fn graph(self) -> ModelGraph {
        self.graph
    }

    /// The nodes of features.
    pub(crate) fn of(&self, features: &[usize]) -> Vec<usize> {
        features.iter().map(|&feature| self.features[feature]).collect()
    }

    /// Draws the parts of an interest; gives the node of its vector.
    pub(crate) fn interest(&mut self, index: usize, read: &InterestFeatures, layer: &dyn InterestLayer) -> usize {
        let outline = layer.outline();
        let mut nodes: Vec<usize> = Vec::with_capacity(outline.parts.len());
        for part in &outline.parts {
            let from = part.from.iter().flat_map(|source| match *source {
                Source::Candidate => self.of(&read.candidate),
                Source::History => self.of(&read.history),
                Source::Negative => self.of(&read.negative),
                Source::Times => read.times.map(|feature| self.features[feature]).into_iter().collect(),
                Source::Part(part) => nodes.get(part).copied().into_iter().collect(),
            });
            let node = part_node(index, part, from.collect());
            nodes.push(self.graph.add(node));
        }
        nodes.get(outline.vector).copied().unwrap_or_default()
    }

    /// Draws learned numbers that are added to the logit.
    pub(crate) fn first_order(&mut self, name: &str, part: &FirstOrder) -> usize {
        let read = self.of(&part.features().collect::<Vec<_>>());
        self.add(layer_node(name, "linear part", String::new(), "[B, 1]".to_owned(), read))
    }

    /// Draws a block; gives the nodes it comes from. With a `dense` layer over the numbers they are one node.
    pub(crate) fn block(
        &mut self,
        origin: Origin,
        width: i64,
        interests: &DrawnInterests<'_>,
        dense: bool,
    ) -> Vec<usize> {
        let shape = format!("[B, {width}]");
        match origin {
            Origin::Interest(index) => vec![interests.vectors[index]],
            Origin::Candidate(index) => self.of(&interests.read[index].candidate),
            Origin::History(index) => {
                let from = self.of(&interests.read[index].history);
                vec![self.add(layer_node("", "sum of the history", String::new(), shape, from))]
            }
            Origin::Product(index) => {
                let read = &interests.read[index];
                let from = [self.of(&read.candidate), self.of(&read.history)].concat();
                vec![self.add(layer_node("", "candidate × sum of the history", String::new(), shape, from))]
            }
            Origin::Numbers => {
                let numbers = self.embeddings.features().iter().enumerate();
                let from = numbers.filter(|(_, feature)| feature.kind == SpaceKind::Numeric);
                let from: Vec<usize> = from.map(|(index, _)| self.features[index]).collect();
                if !dense {
                    return from;
                }
                vec![self.add(layer_node("numbers", "dense, ReLU", format!("[B, {}]", from.len()), shape, from))]
            }
            Origin::Feature(feature) => {
                let node = self.features[feature];
                match self.embeddings.features()[feature].kind {
                    SpaceKind::Sequence(_) => {
                        vec![self.add(layer_node("", "pooling", format!("[N, {width}]"), shape, vec![node]))]
                    }
                    SpaceKind::Weighted(_) => {
                        vec![self.add(layer_node("", "weighted pooling", format!("[N, {width}]"), shape, vec![node]))]
                    }
                    _ => vec![node],
                }
            }
        }
    }
}

/// A layer without variables has no name.
pub(crate) fn layer_node(name: &str, kind: &str, input: String, output: String, from: Vec<usize>) -> GraphNode {
    GraphNode { name: name.to_owned(), kind: kind.to_owned(), input, output, from, role: GraphRole::Layer }
}

fn part_node(interest: usize, part: &Part, from: Vec<usize>) -> GraphNode {
    let name = match part.name.as_str() {
        "" => format!("interest{interest}"),
        name => format!("interest{interest}.{name}"),
    };
    // A scalar is a loss: everything else has rows.
    let role = if part.output == "[]" { GraphRole::Loss } else { GraphRole::Layer };
    GraphNode { name, kind: part.kind.clone(), input: part.input.clone(), output: part.output.clone(), from, role }
}

//! The graph of a model of interests.

use fain_layers::{InterestLayer, Part, Source};

use crate::blocks::Origin;
use crate::{FeatureEmbeddings, FirstOrder, GraphNode, GraphRole, InterestFeatures, ModelGraph, SpaceKind};

/// What the graph of a model is drawn from.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) embeddings: &'a FeatureEmbeddings,
    pub(crate) interests: &'a [InterestFeatures],
    pub(crate) layers: &'a [Box<dyn InterestLayer>],
    pub(crate) origins: Vec<Origin>,
    pub(crate) widths: Vec<i64>,
    pub(crate) numbers: bool,
    pub(crate) bias: Option<&'a FirstOrder>,
    /// Columns that the network reads, its hidden widths, and the outputs.
    pub(crate) tower: (i64, i64, i64),
}

/// The nodes that stand for features.
struct Features {
    nodes: Vec<usize>,
}

impl Plan<'_> {
    pub(crate) fn graph(&self) -> ModelGraph {
        let mut graph = ModelGraph::new();
        let features = self.features(&mut graph);
        let mut vectors = Vec::with_capacity(self.layers.len());
        for (index, layer) in self.layers.iter().enumerate() {
            vectors.push(self.interest(&mut graph, &features, index, layer.as_ref()));
        }
        let mut blocks = Vec::with_capacity(self.origins.len());
        for (&origin, &width) in self.origins.iter().zip(&self.widths) {
            blocks.extend(self.block(&mut graph, &features, &vectors, origin, width));
        }
        let (columns, hidden, outputs) = self.tower;
        let mlp = graph.add(layer_node("mlp", "MLP", format!("[B, {columns}]"), format!("[B, {hidden}]"), blocks));
        let mut from = vec![mlp];
        if let Some(bias) = self.bias {
            let read = bias.features().map(|feature| features.nodes[feature]).collect();
            from.push(graph.add(layer_node("bias", "linear part", String::new(), "[B, 1]".to_owned(), read)));
        }
        let output = if outputs == 1 { "[B]".to_owned() } else { format!("[B, {outputs}]") };
        let output = layer_node("output", "logit", format!("[B, {hidden}]"), output, from);
        graph.add(GraphNode { role: GraphRole::Output, ..output });
        graph
    }
}

impl Plan<'_> {
    fn features(&self, graph: &mut ModelGraph) -> Features {
        let features = self.embeddings.features().iter().enumerate();
        let nodes = features.map(|(index, feature)| {
            let width = self.embeddings.width(index);
            let (kind, input, output) = match feature.kind {
                SpaceKind::Category(_) => ("category", "[B]", format!("[B, {width}]")),
                SpaceKind::Sequence(_) => ("sequence", "[N]", format!("[N, {width}]")),
                SpaceKind::Numeric => ("number", "[B]", "[B, 1]".to_owned()),
            };
            let name = self.embeddings.table_name(index).map(|table| format!("embedding.{table}")).unwrap_or_default();
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
        Features { nodes: nodes.collect() }
    }

    /// The parts of an interest; gives the node of its vector.
    fn interest(&self, graph: &mut ModelGraph, features: &Features, index: usize, layer: &dyn InterestLayer) -> usize {
        let read = &self.interests[index];
        let outline = layer.outline();
        let mut nodes: Vec<usize> = Vec::with_capacity(outline.parts.len());
        for part in &outline.parts {
            let from = part.from.iter().flat_map(|source| match *source {
                Source::Candidate => features.of(&read.candidate),
                Source::History => features.of(&read.history),
                Source::Negative => features.of(&read.negative),
                Source::Part(part) => nodes.get(part).copied().into_iter().collect(),
            });
            let node = part_node(index, part, from.collect());
            nodes.push(graph.add(node));
        }
        nodes.get(outline.vector).copied().unwrap_or_default()
    }

    /// The node a block of columns comes from.
    fn block(
        &self,
        graph: &mut ModelGraph,
        features: &Features,
        vectors: &[usize],
        origin: Origin,
        width: i64,
    ) -> Vec<usize> {
        let shape = format!("[B, {width}]");
        let joined = |graph: &mut ModelGraph, kind: &str, from: Vec<usize>| {
            vec![graph.add(layer_node("", kind, String::new(), shape.clone(), from))]
        };
        match origin {
            Origin::Interest(index) => vec![vectors[index]],
            Origin::Candidate(index) => features.of(&self.interests[index].candidate),
            Origin::History(index) => joined(graph, "sum of the history", features.of(&self.interests[index].history)),
            Origin::Product(index) => {
                let read = &self.interests[index];
                let from = [features.of(&read.candidate), features.of(&read.history)].concat();
                joined(graph, "candidate × sum of the history", from)
            }
            Origin::Numbers => {
                let numbers = self.embeddings.features().iter().enumerate();
                let from = numbers.filter(|(_, feature)| feature.kind == SpaceKind::Numeric);
                let from: Vec<usize> = from.map(|(index, _)| features.nodes[index]).collect();
                if !self.numbers {
                    return from;
                }
                let node = layer_node("numbers", "dense, ReLU", format!("[B, {}]", from.len()), shape, from);
                vec![graph.add(node)]
            }
            Origin::Feature(feature) => {
                let node = features.nodes[feature];
                match self.embeddings.features()[feature].kind {
                    SpaceKind::Sequence(_) => {
                        vec![graph.add(layer_node("", "pooling", format!("[N, {width}]"), shape, vec![node]))]
                    }
                    _ => vec![node],
                }
            }
        }
    }
}

impl Features {
    fn of(&self, features: &[usize]) -> Vec<usize> {
        features.iter().map(|&feature| self.nodes[feature]).collect()
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

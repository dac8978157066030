//! What a model is made of, for tables and drawings.

mod dot;

use serde::Serialize;
use tch::nn;

/// The layers of a model and how data goes through them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ModelGraph {
    nodes: Vec<GraphNode>,
}

/// One step on the way from the features to the logit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GraphNode {
    /// What the names of its variables start with: `interest0.extractor` for `interest0.extractor.weight_ih`. Empty if
    /// it has no variables.
    pub name: String,
    /// What it is, in a few words: `GRU`, or a feature's name and kind, `item: category`.
    pub kind: String,
    /// The shape of what goes in, in the letters of the layers: `[N, 16]`. Empty where there is nothing to say.
    pub input: String,
    /// The shape of what comes out.
    pub output: String,
    /// The nodes it reads, by their index; each comes before it.
    pub from: Vec<usize>,
    /// What it is to the model.
    pub role: GraphRole,
}

/// What a node is to a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GraphRole {
    /// A feature.
    Input,
    /// A layer.
    Layer,
    /// A loss that training adds to the click loss. It does not lead to the logit.
    Loss,
    /// The logit.
    Output,
}

impl ModelGraph {
    /// A graph without nodes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a node and gives its index. Of the nodes it reads, those that are not in the graph yet are left out.
    pub fn add(&mut self, mut node: GraphNode) -> usize {
        let index = self.nodes.len();
        node.from.retain(|&from| from < index);
        self.nodes.push(node);
        index
    }

    /// The nodes, each after those it reads.
    pub fn nodes(&self) -> &[GraphNode] {
        &self.nodes
    }

    /// How many numbers a node learns; 0 if there is no such node.
    ///
    /// A variable belongs to the node with the longest name that it starts with, and among nodes of one name, which
    /// share their variables, to the first.
    pub fn parameters(&self, node: usize, variables: &nn::VarStore) -> u64 {
        let owned = variables
            .variables()
            .into_iter()
            .filter(|(name, tensor)| tensor.requires_grad() && self.owner(name) == Some(node));
        owned.map(|(_, tensor)| tensor.numel() as u64).sum()
    }

    fn owner(&self, variable: &str) -> Option<usize> {
        let owns = |node: &GraphNode| {
            !node.name.is_empty()
                && variable.strip_prefix(&node.name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let mut owner: Option<usize> = None;
        for (index, node) in self.nodes.iter().enumerate().filter(|(_, node)| owns(node)) {
            if owner.is_none_or(|owner| self.nodes[owner].name.len() < node.name.len()) {
                owner = Some(index);
            }
        }
        owner
    }
}

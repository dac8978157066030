//! The graphs of the models.

use fain_models::{GraphRole, ModelGraph, parameter_count};

use crate::support::{MODELS, build, settings};

fn reads(graph: &ModelGraph, node: usize) -> Vec<String> {
    graph.nodes()[node].from.iter().map(|&from| graph.nodes()[from].kind.clone()).collect()
}

#[test]
fn every_variable_belongs_to_a_layer_and_every_feature_leads_to_the_logit() {
    for (name, _) in MODELS {
        let (model, variables) = build(&settings(name));
        let graph = model.graph();
        let nodes = graph.nodes();
        let owned: u64 = (0..nodes.len()).map(|node| graph.parameters(node, &variables)).sum();
        assert_eq!(owned, parameter_count(&variables), "{name}");
        let output = nodes.len() - 1;
        assert_eq!((nodes[output].role, nodes[output].output.as_str()), (GraphRole::Output, "[B]"), "{name}");
        let mut leads = vec![false; nodes.len()];
        leads[output] = true;
        for node in (0..nodes.len()).rev() {
            if leads[node] {
                for &from in &nodes[node].from {
                    leads[from] = true;
                }
            }
        }
        assert!(leads.iter().all(|&leads| leads), "{name}: {leads:?}");
    }
}

/// Which terms the logit is the sum of, and what the network reads.
#[test]
fn the_terms_of_the_logit_are_drawn() {
    for (name, terms, columns) in [
        ("wide_deep", vec!["MLP", "linear part", "cross", "cross"], "[B, 19]"),
        ("deepfm", vec!["MLP", "factorisation machine", "linear part"], "[B, 19]"),
        ("ipnn", vec!["MLP"], "[B, 34]"),
        ("opnn", vec!["MLP"], "[B, 21]"),
        ("dsin", vec!["MLP"], "[B, 25]"),
        ("bst", vec!["MLP"], "[B, 45]"),
    ] {
        let graph = build(&settings(name)).0.graph();
        assert_eq!(reads(&graph, graph.nodes().len() - 1), terms, "{name}");
        let mlp = graph.nodes().iter().find(|node| node.name == "mlp");
        assert_eq!(mlp.map(|node| node.input.as_str()), Some(columns), "{name}");
    }
}

#[test]
fn products_read_the_fields_and_crosses_their_categories() {
    let fields = ["user: category", "item: category", "shop: category", "pooling", "pooling", "pooling"];
    for (name, kind, expected) in [
        ("deepfm", "factorisation machine", &fields[..]),
        ("ipnn", "product layer", &fields[..]),
        ("wide_deep", "cross", &fields[..2]),
    ] {
        let graph = build(&settings(name)).0.graph();
        let node = graph.nodes().iter().position(|node| node.kind == kind);
        assert_eq!(
            node.map(|node| reads(&graph, node)),
            Some(expected.iter().map(|kind| (*kind).to_owned()).collect())
        );
    }
}

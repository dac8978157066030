//! Graphs of models: who owns a variable, and the drawing.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use fain_models::{GraphNode, GraphRole, ModelGraph};
use tch::{Device, nn};

fn node(role: GraphRole, [name, kind, input, output]: [&str; 4], from: &[usize]) -> GraphNode {
    GraphNode {
        name: name.to_owned(),
        kind: kind.to_owned(),
        input: input.to_owned(),
        output: output.to_owned(),
        from: from.to_vec(),
        role,
    }
}

/// Like DIEN with two interests.
fn dien() -> ModelGraph {
    use GraphRole::{Input, Layer, Loss, Output};
    let mut graph = ModelGraph::new();
    let mut add = |role, text: [&str; 4], from: &[usize]| graph.add(node(role, text, from));
    let age = add(Input, ["", "age: number", "[B]", "[B, 1]"], &[]);
    let item = add(Input, ["embedding.item", "item: category", "[B]", "[B, 16]"], &[]);
    let category = add(Input, ["embedding.category", "category: category", "[B]", "[B, 16]"], &[]);
    let histories = [("item", item), ("category", category)].map(|(name, candidate)| {
        let table = format!("embedding.{name}");
        let history = add(Input, [&table, &format!("{name} history: sequence"), "[N]", "[N, 16]"], &[]);
        let negative = add(Input, [&table, &format!("{name} not clicked: sequence"), "[N]", "[N, 16]"], &[]);
        (candidate, history, negative)
    });
    let mut flat = vec![age, item, category];
    for (index, (candidate, history, negative)) in histories.into_iter().enumerate() {
        let name = |part: &str| format!("interest{index}.{part}");
        let extractor = add(Layer, [&name("extractor"), "GRU", "[N, 16]", "[N, 16]"], &[history]);
        add(Loss, [&name("auxiliary"), "auxiliary loss", "[N, 32]", "[]"], &[extractor, history, negative]);
        let scores = add(Layer, [&name("attention"), "target attention", "[N, 64]", "[N, 1]"], &[candidate, extractor]);
        let text = [&name("evolution"), "AUGRU", "[N, 16], [N, 1]", "[B, 16]"];
        flat.push(add(Layer, text, &[extractor, scores]));
    }
    let all = add(Layer, ["", "concatenation", "", "[B, 65]"], &flat);
    let hidden = add(Layer, ["mlp", "MLP 200-80, Dice", "[B, 65]", "[B, 80]"], &[all]);
    add(Output, ["output", "linear", "[B, 80]", "[B]"], &[hidden]);
    graph
}

#[test]
fn a_drawing_is_as_committed() {
    let graph = dien();
    let numbers = [0, 16_000, 320, 0, 0, 0, 0, 1632];
    let note = |node: usize| numbers.get(node).filter(|&&count| count > 0).map(|count| format!("{count} parameters"));
    let dot = graph.to_dot("DIEN & two <interests>", |node| note(node).unwrap_or_default());
    assert_eq!(dot, include_str!("graph/dien.dot"));
}

#[test]
fn text_of_a_label_cannot_end_it() {
    let mut graph = ModelGraph::new();
    let text = ["a\"b", "<i>&</i>\u{7}\n", "", "]; x -> y ["];
    graph.add(node(GraphRole::Layer, text, &[]));
    let dot = graph.to_dot("\"", |_| "</font>".to_owned());
    assert!(dot.contains("label=<<b>&quot;</b>>;"), "{dot}");
    let small = |text: &str| format!("<br/><font point-size=\"9\">{text}</font>");
    let parts = ["a&quot;b", "]; x -&gt; y [", "&lt;/font&gt;"].map(small).concat();
    assert!(dot.contains(&format!("label=<<b>&lt;i&gt;&amp;&lt;/i&gt;  </b>{parts}>];")), "{dot}");
}

#[test]
fn a_graph_without_nodes_is_a_drawing() {
    let dot = ModelGraph::new().to_dot("none", |_| String::new());
    assert!(dot.starts_with("digraph model {\n  label=<<b>none</b>>;\n") && dot.ends_with("arrowsize=0.7];\n}\n"));
}

#[test]
fn a_node_reads_what_comes_before_it() {
    let mut graph = ModelGraph::new();
    let first = graph.add(node(GraphRole::Layer, ["a", "a", "", ""], &[0, 7]));
    let second = graph.add(node(GraphRole::Output, ["b", "b", "", ""], &[first, 1]));
    assert_eq!((first, second), (0, 1));
    assert!(graph.nodes()[0].from.is_empty());
    assert_eq!(graph.nodes()[1].from, [0]);
}

#[test]
fn a_variable_belongs_to_one_node() {
    let variables = nn::VarStore::new(Device::Cpu);
    let root = variables.root();
    for (name, size) in [("interest1", 1), ("interest10", 10), ("table", 100)] {
        let _ = (&root / name).zeros("weight", &[size]);
    }
    let _ = (&root / "interest1" / "score").zeros("weight", &[1000, 2]);
    let _ = (&root / "interest1" / "score").zeros_no_train("mean", &[5]);
    let _ = root.zeros("alone", &[7]);
    let mut graph = ModelGraph::new();
    for name in ["interest1", "interest1.score", "table", "table", "", "alone", "interest1.scor", "none"] {
        graph.add(node(GraphRole::Layer, [name, "layer", "", ""], &[]));
    }
    let numbers: Vec<u64> = (0..9).map(|index| graph.parameters(index, &variables)).collect();
    assert_eq!(numbers, [1, 2000, 100, 0, 0, 7, 0, 0, 0]);
}

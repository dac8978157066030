//! A graph as a drawing in the language of Graphviz.

use std::fmt::Write as _;

use super::{GraphNode, GraphRole, ModelGraph};

/// What holds for the whole drawing. Data goes down.
const HEAD: &str = "  rankdir=TB; nodesep=0.25; ranksep=0.4; labelloc=t; fontname=\"Helvetica\"; fontsize=16;
  node [shape=box, style=\"rounded,filled\", color=\"#5b6770\", fontname=\"Helvetica\", fontsize=11, margin=\"0.12,0.06\"];
  edge [color=\"#5b6770\", arrowsize=0.7];
";

impl ModelGraph {
    /// The graph in the DOT language of Graphviz: features at the top, data goes down, layers whose names start with
    /// the same word stand together in a frame, and what belongs to a [`GraphRole::Loss`] is dashed.
    ///
    /// `note` gives one more line for the node with an index, such as its number of parameters; empty for none. The
    /// same graph gives the same text.
    pub fn to_dot(&self, title: &str, note: impl Fn(usize) -> String) -> String {
        let mut dot = format!("digraph model {{\n  label=<<b>{}</b>>;\n{HEAD}", escape(title));
        let inputs: Vec<usize> = (0..self.nodes().len()).filter(|&node| self.is(node, GraphRole::Input)).collect();
        if !inputs.is_empty() {
            line(&mut dot, "  ", &format!("{{ rank=source; {} }}", list(&inputs)));
        }
        let mut framed = vec![false; self.nodes().len()];
        for (frame, nodes) in self.frames() {
            line(&mut dot, "  ", &format!("subgraph cluster_{} {{", list(&nodes[..1])));
            line(&mut dot, "    ", &format!("label=<{}>; labelloc=b; labeljust=r; fontsize=12;", escape(frame)));
            line(&mut dot, "    ", "style=\"rounded,filled\"; color=\"#b8c4cc\"; fillcolor=\"#f4f7f9\";");
            for &node in &nodes {
                framed[node] = true;
                line(&mut dot, "    ", &self.node(node, &note(node)));
            }
            line(&mut dot, "  ", "}");
        }
        for node in (0..self.nodes().len()).filter(|&node| !framed[node]) {
            line(&mut dot, "  ", &self.node(node, &note(node)));
        }
        for (to, node) in self.nodes().iter().enumerate() {
            let style = if node.role == GraphRole::Loss { " [style=dashed]" } else { "" };
            for from in &node.from {
                line(&mut dot, "  ", &format!("n{from} -> n{to}{style};"));
            }
        }
        dot.push_str("}\n");
        dot
    }

    fn is(&self, node: usize, role: GraphRole) -> bool {
        self.nodes()[node].role == role
    }

    /// The layers and losses whose names start with the same word, where there are several, in the order of the graph.
    fn frames(&self) -> Vec<(&str, Vec<usize>)> {
        let mut frames: Vec<(&str, Vec<usize>)> = Vec::new();
        for (index, node) in self.nodes().iter().enumerate() {
            let word = node.name.split('.').next().unwrap_or_default();
            if word.is_empty() || !matches!(node.role, GraphRole::Layer | GraphRole::Loss) {
                continue;
            }
            match frames.iter_mut().find(|(known, _)| *known == word) {
                Some((_, nodes)) => nodes.push(index),
                None => frames.push((word, vec![index])),
            }
        }
        frames.retain(|(_, nodes)| nodes.len() > 1);
        frames
    }

    fn node(&self, index: usize, extra: &str) -> String {
        let node = &self.nodes()[index];
        let (fill, dashed) = match node.role {
            GraphRole::Input => ("#dcebd8", ""),
            GraphRole::Layer => ("#ffffff", ""),
            GraphRole::Loss => ("#fbe9dd", ", style=\"rounded,filled,dashed\""),
            GraphRole::Output => ("#d8e6f3", ""),
        };
        format!("n{index} [fillcolor=\"{fill}\"{dashed}, label=<{}>];", label(node, extra))
    }
}

/// The lines of a node: what it is, its name, its shapes, what is said besides. Empty ones are left out.
fn label(node: &GraphNode, extra: &str) -> String {
    let shapes = match (node.input.as_str(), node.output.as_str()) {
        ("", shape) | (shape, "") => shape.to_owned(),
        (input, output) => format!("{input} → {output}"),
    };
    let mut lines = Vec::with_capacity(4);
    if !node.kind.is_empty() {
        lines.push(format!("<b>{}</b>", escape(&node.kind)));
    }
    for text in [node.name.as_str(), &shapes, extra] {
        if !text.is_empty() {
            lines.push(format!("<font point-size=\"9\">{}</font>", escape(text)));
        }
    }
    lines.join("<br/>")
}

/// Text inside a label, where `&`, `<`, `>` and `"` have a meaning and control characters have no place.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            letter if letter.is_control() => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}

fn list(nodes: &[usize]) -> String {
    let names: Vec<String> = nodes.iter().map(|node| format!("n{node}")).collect();
    names.join("; ")
}

fn line(dot: &mut String, indent: &str, text: &str) {
    // A String takes whatever is written to it.
    let _ = writeln!(dot, "{indent}{text}");
}

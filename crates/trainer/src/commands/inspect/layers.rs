//! The layers of a model, one line each.

use fain_models::{GraphNode, ModelGraph};
use serde::Serialize;

use crate::text::{Align, count, table};

/// How many numbers are learned. The tables of a model whose vocabularies are not known yet have `per_id` numbers for
/// each id, or, `combined` of them, a row for each combination of ids.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Numbers {
    pub(super) fixed: u64,
    pub(super) per_id: u64,
    pub(super) combined: u64,
}

impl Numbers {
    pub(super) fn fixed(fixed: u64) -> Self {
        Self { fixed, ..Self::default() }
    }

    /// What is known from counts with tables of one, two and three ids.
    pub(super) fn growing([one, two, three]: [u64; 3]) -> Self {
        let per_id = two.saturating_sub(one);
        if three.saturating_sub(two) != per_id {
            return Self { combined: 1, ..Self::default() };
        }
        Self { fixed: one.saturating_sub(per_id), per_id, combined: 0 }
    }

    fn depend_on_data(self) -> bool {
        self.per_id > 0 || self.combined > 0
    }

    /// `1,234`, `16 V` for a table of V ids, or nothing for no numbers.
    fn text(self) -> String {
        match (self.fixed, self.per_id) {
            _ if self.combined > 0 => "by V".to_owned(),
            (0, 0) => String::new(),
            (fixed, 0) => count(fixed),
            (0, per_id) => format!("{} V", count(per_id)),
            (fixed, per_id) => format!("{} V + {}", count(per_id), count(fixed)),
        }
    }

    /// As [`Numbers::text`], of several layers: each table has a V of its own, so they do not add up.
    fn text_of_several(self) -> String {
        match self.fixed {
            _ if !self.depend_on_data() => self.text(),
            0 => "tables".to_owned(),
            fixed => format!("tables + {}", count(fixed)),
        }
    }
}

impl std::iter::Sum for Numbers {
    fn sum<I: Iterator<Item = Self>>(numbers: I) -> Self {
        numbers.fold(Self::default(), |sum, more| Self {
            fixed: sum.fixed + more.fixed,
            per_id: sum.per_id + more.per_id,
            combined: sum.combined + more.combined,
        })
    }
}

/// The layers of a model with what they learn.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Layers {
    lines: Vec<LayerLine>,
    #[serde(skip)]
    graph: ModelGraph,
    #[serde(skip)]
    total: Numbers,
}

#[derive(Debug, Serialize)]
struct LayerLine {
    #[serde(flatten)]
    node: GraphNode,
    /// Numbers that the layer learns, without those of tables whose number of ids is not known.
    parameters: u64,
    /// Numbers that it learns for each id of such a table; `null` for one whose rows are combinations of ids.
    parameters_per_id: Option<u64>,
}

impl Layers {
    /// The layers of a graph. `numbers` counts what a node learns, `total` is what the model learns.
    pub(super) fn new(graph: ModelGraph, numbers: impl Fn(&ModelGraph, usize) -> Numbers, total: Numbers) -> Self {
        let line = |(index, node): (usize, &GraphNode)| {
            let Numbers { fixed, per_id, combined } = numbers(&graph, index);
            LayerLine { node: node.clone(), parameters: fixed, parameters_per_id: (combined == 0).then_some(per_id) }
        };
        let lines = graph.nodes().iter().enumerate().map(line).collect();
        Self { lines, graph, total }
    }

    /// What the model learns.
    pub(super) fn total(&self) -> Numbers {
        self.total
    }

    /// The drawing, in the language of Graphviz.
    pub(super) fn to_dot(&self, title: &str) -> String {
        self.graph.to_dot(title, |node| match self.lines[node].numbers().text() {
            text if text.is_empty() => text,
            text => format!("{text} parameters"),
        })
    }

    /// A table of layers. What belongs to no layer is a line of its own, so that the lines add up.
    pub(super) fn text(&self) -> String {
        let heading = ["layer", "kind", "in", "out", "parameters", "share"].map(str::to_owned);
        let mut rows = vec![heading];
        let mut rest = self.total;
        for line in &self.lines {
            let numbers = line.numbers();
            rest.fixed = rest.fixed.saturating_sub(numbers.fixed);
            rest.per_id = rest.per_id.saturating_sub(numbers.per_id);
            rest.combined = rest.combined.saturating_sub(numbers.combined);
            let GraphNode { name, kind, input, output, .. } = &line.node;
            rows.push(self.row([name, kind, input, output], numbers, numbers.text()));
        }
        if rest != Numbers::default() {
            rows.push(self.row(["other", "", "", ""], rest, rest.text_of_several()));
        }
        rows.push(self.row(["total", "", "", ""], self.total, self.total.text_of_several()));
        let (left, right) = (Align::Left, Align::Right);
        let mut text = table([left, left, left, left, right, right], &rows);
        if self.total.depend_on_data() {
            text.push_str("V, the rows of a table, is known when the data is read; the shares are without it\n");
        }
        text
    }

    fn row(&self, [name, kind, input, output]: [&str; 4], numbers: Numbers, text: String) -> [String; 6] {
        let share = match (numbers.fixed, self.total.fixed) {
            (0, _) | (_, 0) => String::new(),
            (fixed, total) => format!("{:.1}%", 100.0 * fixed as f64 / total as f64),
        };
        [name.to_owned(), kind.to_owned(), input.to_owned(), output.to_owned(), text, share]
    }
}

impl LayerLine {
    fn numbers(&self) -> Numbers {
        Numbers {
            fixed: self.parameters,
            per_id: self.parameters_per_id.unwrap_or_default(),
            combined: u64::from(self.parameters_per_id.is_none()),
        }
    }
}

#[cfg(test)]
mod tests {
    use fain_models::GraphRole;

    use super::*;

    fn layers(total: Numbers) -> Layers {
        let mut graph = ModelGraph::new();
        for (name, kind, role) in [
            ("", "age: number", GraphRole::Input),
            ("table", "item: category", GraphRole::Input),
            ("mlp", "MLP", GraphRole::Output),
        ] {
            let text = |text: &str| text.to_owned();
            let from = (0..graph.nodes().len()).collect();
            graph.add(GraphNode {
                name: text(name),
                kind: text(kind),
                input: text("[B]"),
                output: text("[B, 4]"),
                from,
                role,
            });
        }
        let numbers = [Numbers::default(), Numbers::growing([4, 8, 12]), Numbers::growing([1500; 3])];
        Layers::new(graph, |_, node| numbers[node], total)
    }

    #[test]
    fn lines_add_up() {
        let expected = "\
layer  kind            in   out         parameters   share
       age: number     [B]  [B, 4]
table  item: category  [B]  [B, 4]             4 V
mlp    MLP             [B]  [B, 4]           1,500   75.0%
other                                 tables + 500   25.0%
total                               tables + 2,000  100.0%
V, the rows of a table, is known when the data is read; the shares are without it
";
        assert_eq!(layers(Numbers { fixed: 2000, per_id: 6, combined: 1 }).text(), expected);
        let known = layers(Numbers { fixed: 1500, per_id: 4, combined: 0 }).text();
        assert!(!known.contains("other"), "{known}");
    }

    /// Such as the crossed categories of Wide & Deep: with one, two and three ids 1, 4 and 9 rows, or as many as there are
    /// buckets.
    #[test]
    fn a_table_of_combinations_has_no_number_for_each_id() {
        for counts in [[1, 4, 9], [1, 3, 3], [2, 2, 3]] {
            let numbers = Numbers::growing(counts);
            assert_eq!(numbers, Numbers { combined: 1, ..Numbers::default() });
            assert_eq!((numbers.text().as_str(), numbers.text_of_several().as_str()), ("by V", "tables"));
        }
        let several: Numbers = [[1, 4, 9], [5, 7, 9], [6; 3]].map(Numbers::growing).into_iter().sum();
        assert_eq!(several, Numbers { fixed: 9, per_id: 2, combined: 1 });
        assert_eq!(several.text_of_several(), "tables + 9");
    }

    #[test]
    fn a_drawing_says_what_layers_learn() {
        let dot = layers(Numbers::default()).to_dot("din");
        assert!(dot.contains(">4 V parameters<") && dot.contains(">1,500 parameters<"), "{dot}");
        assert_eq!(dot.matches(" parameters<").count(), 2);
    }
}

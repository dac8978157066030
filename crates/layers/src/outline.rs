//! A layer from the inside, for tables and drawings.

/// The parts of an interest layer and how data goes through them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// The parts, each after those it reads.
    pub parts: Vec<Part>,
    /// Which part gives the interest's vector.
    pub vector: usize,
}

/// One part of an [`Outline`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The name its parameters have below the layer, empty for the layer itself.
    pub name: String,
    /// What it is, in a few words: `GRU`, `auxiliary loss`.
    pub kind: String,
    /// The shape of what goes in, in the letters of the crate: `[N, 16]`.
    pub input: String,
    /// The shape of what comes out.
    pub output: String,
    /// Where its inputs come from.
    pub from: Vec<Source>,
}

/// Where an input comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The candidate.
    Candidate,
    /// The history.
    History,
    /// The events that did not happen.
    Negative,
    /// The times of the history's events.
    Times,
    /// The part with this index.
    Part(usize),
}

impl Outline {
    /// A layer of one part that reads candidate and history and gives a vector of width `outputs`.
    pub fn single(kind: &str, outputs: i64) -> Self {
        let part = Part {
            name: String::new(),
            kind: kind.to_owned(),
            input: "candidate, history".to_owned(),
            output: format!("[B, {outputs}]"),
            from: vec![Source::Candidate, Source::History],
        };
        Self { parts: vec![part], vector: 0 }
    }
}

//! What an audit finds.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One of the splits of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitName {
    /// The training rows.
    Train,
    /// The validation rows.
    Validation,
    /// The test rows.
    Test,
}

impl fmt::Display for SplitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        })
    }
}

/// How grave a finding is, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// What is measured on this dataset says nothing about rows that come later.
    Fault,
    /// Likely a mistake; whoever made the data should look.
    Warning,
    /// A property of the data that is worth knowing.
    Note,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fault => "fault",
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FindingKind {
    /// Validation and test have the same rows.
    ValidationEqualsTest,
    /// Rows of one split stand in another one, too, with the same label.
    DuplicatesAcrossSplits,
    /// Rows of one split stand in another one, too, with the other label only.
    ContradictionsAcrossSplits,
    /// Rows stand more than once in their split.
    DuplicatesWithinSplit,
    /// Rows stand with both labels in their split.
    ContradictionsWithinSplit,
    /// A split in which all labels are the same.
    OneClass,
    /// A history holds its own candidate, and mostly with one label.
    CandidateInHistory,
    /// The newest event of a history is its own candidate, far above chance.
    CandidateIsNewestEvent,
    /// Events of a history happened after the sample.
    EventsAfterSample,
    /// Negatives hold the candidate of a positive row.
    NegativesHoldCandidate,
    /// Negatives hold items of the row's own history.
    NegativesHoldHistory,
    /// One column alone ranks the rows by their label.
    LabelLeakage,
    /// A feature that says nothing: one value in all rows of a split.
    ConstantFeature,
    /// A list feature that is empty in all rows of a split.
    EmptySequence,
    /// The share of positives differs between training and another split.
    ClassBalance,
    /// Terms that training did not teach.
    UnknownTerms,
    /// A vocabulary of terms that training hardly shows.
    RareTerms,
    /// Groups that training does not have.
    UnseenGroups,
    /// Candidates that stand in their own history, with either label: things that are taken again.
    RepeatedCandidate,
    /// Training rows are later than the first test row.
    SplitsOverlapInTime,
    /// A split too small for what is measured on single columns.
    TooFewRows,
}

impl fmt::Display for FindingKind {
    /// As JSON names it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// A row that shows what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Its split.
    pub split: SplitName,
    /// Its place in the split, counted from 0.
    pub row: u64,
    /// The file and row it came from, where the dataset knows them.
    pub origin: Option<String>,
}

/// Something found in a dataset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// How grave it is.
    pub severity: Severity,
    /// What it is.
    pub kind: FindingKind,
    /// Where it is. For rows that stand in two splits, both of them; `count` is of the second one then.
    pub splits: Vec<SplitName>,
    /// The features concerned, by name; none where whole rows are.
    pub features: Vec<String>,
    /// How many were found; the message says of what.
    pub count: u64,
    /// Their share of those looked at, 0 to 1.
    pub share: f64,
    /// The AUC of a column taken as a score, where that is the finding: 0.5 to 1.
    pub auc: Option<f64>,
    /// The first row that shows it.
    pub example: Option<Example>,
    /// What it means and what to do.
    pub message: String,
}

/// What one split contributes to a finding.
pub(super) struct Sighting {
    pub(super) split: SplitName,
    pub(super) severity: Severity,
    pub(super) count: u64,
    /// How many were looked at.
    pub(super) of: u64,
    pub(super) row: Option<u64>,
    /// What was seen, to stand behind the split's name.
    pub(super) detail: String,
}

impl Finding {
    /// One finding out of what the splits show; `None` where none shows anything. `meaning` is a sentence.
    pub(super) fn new(
        kind: FindingKind,
        features: &[&str],
        sightings: &[Sighting],
        meaning: impl fmt::Display,
    ) -> Option<Self> {
        let severity = sightings.iter().map(|sighting| sighting.severity).min()?;
        let (count, of) = sightings.iter().fold((0, 0), |(count, of), one| (count + one.count, of + one.of));
        let details: Vec<String> = sightings.iter().map(|one| format!("{}: {}", one.split, one.detail)).collect();
        Some(Self {
            severity,
            kind,
            splits: sightings.iter().map(|sighting| sighting.split).collect(),
            features: features.iter().map(|&name| name.to_owned()).collect(),
            count,
            share: share(count, of),
            auc: None,
            example: sightings
                .iter()
                .find_map(|sighting| sighting.row.map(|row| Example { split: sighting.split, row, origin: None })),
            message: format!("{meaning} {}.", details.join("; ")),
        })
    }

    pub(super) fn with_auc(mut self, auc: f64) -> Self {
        self.auc = Some(auc);
        self
    }

    /// What findings are sorted by.
    pub(super) fn rank(&self) -> (Severity, FindingKind, &[String], &[SplitName]) {
        (self.severity, self.kind, &self.features, &self.splits)
    }
}

/// `count / of`; 0 of nothing.
pub(super) fn share(count: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { count as f64 / of as f64 }
}

/// A share in words.
pub(super) fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    if percent > 0.0 && percent < 0.01 { "<0.01 %".to_owned() } else { format!("{percent:.2} %") }
}

impl Finding {
    /// How grave it is, what it is, and where.
    pub(super) fn heading(&self) -> String {
        let of = if self.features.is_empty() { String::new() } else { format!(" of {}", self.features.join(", ")) };
        let splits: Vec<String> = self.splits.iter().map(SplitName::to_string).collect();
        format!("{}: {}{of} in {}", self.severity, self.kind, splits.join(", "))
    }
}

impl fmt::Display for Finding {
    /// One line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.heading(), self.message)
    }
}

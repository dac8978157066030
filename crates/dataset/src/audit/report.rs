//! The result of an audit, as data and as text.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::config::AuditMode;
use super::finding::{Finding, Severity, SplitName, percent, share};
use super::plan::Plan;
use super::tally::Tally;
use super::terms::unseen_share;

/// The result of an audit.
///
/// It is shown as a table of the splits, then the findings, the gravest first; [`Serialize`] gives all of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// What was found, the gravest first.
    pub findings: Vec<Finding>,
    /// The splits, training first.
    pub splits: Vec<SplitStatistics>,
}

/// A split in numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitStatistics {
    /// The split.
    pub split: SplitName,
    /// Its rows.
    pub rows: u64,
    /// Its rows with label 1.
    pub positives: u64,
    /// Its groups, where the schema names a column for them; an estimate beyond some four million.
    pub groups: Option<u64>,
    /// Share of its rows that are of groups which training does not have; `None` for training, and without groups.
    pub unseen_groups: Option<f64>,
    /// Its rows that were compared with others to find equal ones: not those with an unknown term in a category, and of a
    /// large split those drawn by their hash.
    pub compared: u64,
    /// Share of unknown terms by feature, for the features with terms, in the order of the schema.
    pub unknown: Vec<UnknownShare>,
}

/// Unknown terms of a feature in one split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnknownShare {
    /// The feature.
    pub feature: String,
    /// Share of its terms that are unknown; 0 where it has none.
    pub share: f64,
}

impl SplitStatistics {
    pub(super) fn new(plan: &Plan<'_>, tally: &Tally, training: Option<&Tally>) -> Self {
        let unknown = tally.columns.iter().enumerate().filter_map(|(place, column)| {
            let unknown = column.unknown()?;
            Some(UnknownShare { feature: plan.name(place).to_owned(), share: share(unknown.count, unknown.of) })
        });
        let training = training.filter(|training| training.split != tally.split);
        Self {
            split: tally.split,
            rows: tally.rows,
            positives: tally.positives,
            groups: tally.groups.as_ref().map(super::hash_sample::GroupSample::count),
            unseen_groups: training.and_then(|training| unseen_share(tally, training)),
            compared: tally.content.compared(),
            unknown: unknown.collect(),
        }
    }
}

impl Audit {
    /// The findings of one severity.
    pub fn of(&self, severity: Severity) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.severity == severity)
    }

    /// Whether a training in this mode must not begin.
    pub fn forbids(&self, mode: AuditMode) -> bool {
        mode == AuditMode::Error && self.of(Severity::Fault).next().is_some()
    }
}

impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = vec![["split", "rows", "positives", "groups", "in unseen groups"].map(str::to_owned)];
        let or_none = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        rows.extend(self.splits.iter().map(|split| {
            [
                split.split.to_string(),
                split.rows.to_string(),
                percent(share(split.positives, split.rows)),
                or_none(split.groups.map(|groups| groups.to_string())),
                or_none(split.unseen_groups.map(percent)),
            ]
        }));
        table(f, &rows)?;
        let features = self.splits.first().map_or(0, |split| split.unknown.len());
        if features > 0 {
            let mut rows = vec![vec!["unknown terms of".to_owned()]];
            rows[0].extend(self.splits.iter().map(|split| split.split.to_string()));
            for place in 0..features {
                let mut row: Vec<String> = self
                    .splits
                    .first()
                    .and_then(|split| split.unknown.get(place))
                    .map(|one| one.feature.clone())
                    .into_iter()
                    .collect();
                row.extend(
                    self.splits.iter().map(|split| or_none(split.unknown.get(place).map(|one| percent(one.share)))),
                );
                rows.push(row);
            }
            writeln!(f)?;
            table(f, &rows)?;
        }
        writeln!(f)?;
        if self.findings.is_empty() {
            return writeln!(f, "nothing was found");
        }
        for finding in &self.findings {
            writeln!(f, "{}\n    {}", finding.heading(), finding.message)?;
            if let Some(example) = &finding.example {
                write!(f, "    for example row {} of {}", example.row, example.split)?;
                match &example.origin {
                    Some(origin) => writeln!(f, ": {origin}")?,
                    None => writeln!(f)?,
                }
            }
        }
        let count = |severity| self.of(severity).count();
        let [faults, warnings, notes] = [Severity::Fault, Severity::Warning, Severity::Note].map(count);
        writeln!(f, "faults: {faults}, warnings: {warnings}, notes: {notes}")
    }
}

/// Cells in columns, the first one to the left and the others to the right.
fn table<R: AsRef<[String]>>(f: &mut fmt::Formatter<'_>, rows: &[R]) -> fmt::Result {
    let columns = rows.iter().map(|row| row.as_ref().len()).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.as_ref().get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        for (column, (cell, width)) in row.as_ref().iter().zip(&widths).enumerate() {
            if column == 0 { write!(f, "{cell:width$}")? } else { write!(f, "  {cell:>width$}")? }
        }
        writeln!(f)?;
    }
    Ok(())
}

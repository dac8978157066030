//! The candidate in its own history.

use fain_features::{Column, Keep, Samples, Vocabulary};

use super::auc::{ByLabel, ValueCounts};
use super::config::AuditConfig;
use super::finding::{Finding, FindingKind, Severity, Sighting, percent, share};
use super::plan::{History, Plan};
use super::tally::Tally;

/// Candidates and their histories in one split. Unknown terms are not looked at: two of them may differ.
pub(super) struct HistoryTally {
    /// Share of the candidate among the events.
    pub(super) shares: ValueCounts,
    /// Rows with a known candidate and at least one event.
    eligible: ByLabel,
    /// Those whose history holds the candidate.
    inside: ByLabel,
    first_inside: [Option<u64>; 2],
    /// Those whose newest event is the candidate.
    newest: u64,
    first_newest: Option<u64>,
    /// Eligible rows by candidate and by newest event: what they would have in common by chance.
    by_candidate: Vec<u32>,
    by_newest: Vec<u32>,
}

impl HistoryTally {
    pub(super) fn new(size: usize) -> Self {
        Self {
            shares: ValueCounts::default(),
            eligible: [0; 2],
            inside: [0; 2],
            first_inside: [None; 2],
            newest: 0,
            first_newest: None,
            by_candidate: vec![0; size],
            by_newest: vec![0; size],
        }
    }

    pub(super) fn observe(&mut self, history: &History, samples: &Samples, labels: &[usize], first: u64) {
        let (Some(Column::Category(candidates)), Some(Column::Sequence(lists))) =
            (samples.columns.get(history.candidate), samples.columns.get(history.sequence))
        else {
            return;
        };
        for ((row, &candidate), &label) in candidates.iter().enumerate().zip(labels) {
            let events = lists.get(row).unwrap_or_default();
            let newest = match history.keep {
                Keep::Last => events.last(),
                Keep::First => events.first(),
            };
            let Some(&newest) = newest.filter(|_| candidate != Vocabulary::UNKNOWN) else {
                self.shares.add(0.0, label);
                continue;
            };
            let found = events.iter().filter(|event| **event == candidate).count();
            self.shares.add(found as f32 / events.len() as f32, label);
            let row = first + row as u64;
            self.eligible[label] += 1;
            if found > 0 {
                self.inside[label] += 1;
                self.first_inside[label].get_or_insert(row);
            }
            if newest == candidate {
                self.newest += 1;
                self.first_newest.get_or_insert(row);
            }
            count(&mut self.by_candidate, candidate);
            if newest != Vocabulary::UNKNOWN {
                count(&mut self.by_newest, newest);
            }
        }
    }

    fn rows(&self) -> u64 {
        self.eligible[0] + self.eligible[1]
    }

    /// Share of the rows whose newest event would be the candidate if the two had nothing to do with each other.
    fn chance(&self) -> f64 {
        let both: u128 =
            self.by_candidate.iter().zip(&self.by_newest).map(|(a, b)| u128::from(*a) * u128::from(*b)).sum();
        let rows = self.rows() as f64;
        if rows == 0.0 { 0.0 } else { both as f64 / rows / rows }
    }

    /// Whether the candidate's presence tells the label, and how grave that is.
    fn one_sided(&self, config: &AuditConfig) -> Option<(Severity, usize)> {
        let shares = [0, 1].map(|label| share(self.inside[label], self.eligible[label]));
        let more = usize::from(shares[1] >= shares[0]);
        let fewer = 1 - more;
        // A class without histories tells nothing about the other one.
        let comparable = self.eligible.iter().all(|rows| *rows >= config.smallest_class);
        if !comparable || shares[fewer] > config.one_sided * shares[more] {
            return None;
        }
        graded(shares[more], config.history_fault, config.history_warning).map(|severity| (severity, more))
    }

    fn newest(&self, config: &AuditConfig) -> Option<Severity> {
        let found = share(self.newest, self.rows());
        let above = self.rows() >= config.smallest_class && found >= config.newest_lift * self.chance();
        above.then(|| graded(found, config.newest_fault, config.newest_warning)).flatten()
    }
}

fn count(counts: &mut [u32], id: u32) {
    if let Some(count) = counts.get_mut(id as usize) {
        *count = count.saturating_add(1);
    }
}

/// How grave a share is.
pub(super) fn graded(share: f64, fault: f64, warning: f64) -> Option<Severity> {
    if share >= fault {
        Some(Severity::Fault)
    } else if share >= warning {
        Some(Severity::Warning)
    } else {
        None
    }
}

/// What an attribute's history shows may be interest: whoever likes a category takes from it again.
fn tempered(severity: Severity, history: &History) -> Severity {
    if history.finest { severity } else { severity.max(Severity::Warning) }
}

/// What the histories show, one by one. The second part says which of them tell the label.
pub(super) fn find(plan: &Plan<'_>, tallies: &[Tally], findings: &mut Vec<Finding>) -> Vec<bool> {
    let mut telling = Vec::with_capacity(plan.histories.len());
    for (place, history) in plan.histories.iter().enumerate() {
        let names = [plan.name(history.candidate), plan.name(history.sequence)];
        let each = || tallies.iter().map(|tally| (tally.split, &tally.histories[place]));

        let sided: Vec<Sighting> = each().filter_map(|(split, tally)| one_sided(plan, history, split, tally)).collect();
        let newest: Vec<Sighting> =
            each().filter_map(|(split, tally)| newest_is(plan, history, split, tally)).collect();
        telling.push(!sided.is_empty());
        let quiet = sided.is_empty() && newest.is_empty() && history.finest;
        findings.extend(Finding::new(
            FindingKind::CandidateInHistory,
            &names,
            &sided,
            format!(
                "Whether `{}` stands in its own history `{}` tells the label: a model learns that instead of interest, \
                 and cannot know it when it serves. Cut each history before its sample, and draw negatives by the same \
                 rule for things taken before. Rows with the candidate in their history, of those with events:",
                names[0], names[1]
            ),
        ));
        findings.extend(Finding::new(
            FindingKind::CandidateIsNewestEvent,
            &names,
            &newest,
            format!(
                "The newest event of `{}` is the candidate `{}` itself, far above chance: the history reaches one event \
                 too far. Cut each history before its sample. Rows, of those with events:",
                names[1], names[0]
            ),
        ));
        if quiet {
            let repeated: Vec<Sighting> = each().filter_map(|(split, tally)| repeated(plan, split, tally)).collect();
            findings.extend(Finding::new(
                FindingKind::RepeatedCandidate,
                &names,
                &repeated,
                format!(
                    "Things that were taken before are offered again: `{}` stands in its own history `{}`, with either \
                     label. That is no fault. Rows, of those with events:",
                    names[0], names[1]
                ),
            ));
        }
    }
    telling
}

fn one_sided(
    plan: &Plan<'_>,
    history: &History,
    split: super::finding::SplitName,
    tally: &HistoryTally,
) -> Option<Sighting> {
    let (severity, more) = tally.one_sided(plan.config)?;
    let shares = [0, 1].map(|label| percent(share(tally.inside[label], tally.eligible[label])));
    Some(Sighting {
        split,
        severity: tempered(severity, history),
        count: tally.inside[more],
        of: tally.eligible[more],
        row: tally.first_inside[more],
        detail: format!("{} with label 1, {} with label 0", shares[1], shares[0]),
    })
}

fn newest_is(
    plan: &Plan<'_>,
    history: &History,
    split: super::finding::SplitName,
    tally: &HistoryTally,
) -> Option<Sighting> {
    let severity = tally.newest(plan.config)?;
    Some(Sighting {
        split,
        severity: tempered(severity, history),
        count: tally.newest,
        of: tally.rows(),
        row: tally.first_newest,
        detail: format!("{}, by chance {}", percent(share(tally.newest, tally.rows())), percent(tally.chance())),
    })
}

fn repeated(plan: &Plan<'_>, split: super::finding::SplitName, tally: &HistoryTally) -> Option<Sighting> {
    let count = tally.inside[0] + tally.inside[1];
    let found = share(count, tally.rows());
    (found > 0.0 && found >= plan.config.history_warning).then(|| Sighting {
        split,
        severity: Severity::Note,
        count,
        of: tally.rows(),
        row: tally.first_inside.into_iter().flatten().min(),
        detail: percent(found),
    })
}

//! Single columns that tell the label.

use super::auc::{ByLabel, Cells, auc};
use super::columns::{CategoryTally, ColumnTally};
use super::finding::{Finding, FindingKind, Severity, Sighting, SplitName};
use super::history::graded;
use super::plan::Plan;
use super::tally::Tally;

/// `telling` says which histories were found to tell the label already.
pub(super) fn find(plan: &Plan<'_>, tallies: &[Tally], telling: &[bool], findings: &mut Vec<Finding>) {
    let Some(training) = tallies.iter().find(|tally| tally.split == SplitName::Train) else { return };
    for place in 0..plan.features().len() {
        let what = match &training.columns[place] {
            ColumnTally::Category(_) => "the share of positives that training has for each term",
            ColumnTally::List(_) | ColumnTally::Times(_) => "the length of the list",
            ColumnTally::Numeric(_) => "its value",
        };
        let cells = |tally: &Tally| cells(training, tally, place);
        findings.extend(measured(plan, tallies, &[plan.name(place)], what, cells));
    }
    for (place, history) in plan.histories.iter().enumerate().filter(|(place, _)| !telling[*place]) {
        let names = [plan.name(history.candidate), plan.name(history.sequence)];
        let what = "the share of the candidate among the events of its history";
        let cells = |tally: &Tally| Some(tally.histories[place].shares.cells());
        findings.extend(measured(plan, tallies, &names, what, cells));
    }
}

/// A feature's values as scores. Training cannot measure what was fitted on it.
fn cells(training: &Tally, tally: &Tally, place: usize) -> Option<Cells> {
    match (&training.columns[place], &tally.columns[place]) {
        (ColumnTally::Category(_), _) if tally.split == SplitName::Train => None,
        (ColumnTally::Category(fitted), ColumnTally::Category(found)) => {
            Some(means(fitted, training.classes()).zip(found.by_id()).collect())
        }
        (_, ColumnTally::Numeric(values)) => Some(values.cells()),
        (_, lists) => lists.lengths().map(|lengths| lengths.counts.cells()),
    }
}

/// The share of positives of each id in training, drawn towards that of all rows by one row's weight.
fn means(category: &CategoryTally, [zeros, ones]: ByLabel) -> impl Iterator<Item = f64> + '_ {
    let prior = ones as f64 / (zeros + ones).max(1) as f64;
    category.by_id().map(move |[zeros, ones]| (ones as f64 + prior) / ((zeros + ones) as f64 + 1.0))
}

fn measured(
    plan: &Plan<'_>,
    tallies: &[Tally],
    names: &[&str],
    what: &str,
    cells: impl Fn(&Tally) -> Option<Cells>,
) -> Option<Finding> {
    let config = plan.config;
    let mut highest: f64 = 0.0;
    let mut sightings = Vec::new();
    for tally in tallies {
        if tally.classes().iter().any(|rows| *rows < config.smallest_class) {
            continue;
        }
        let Some(auc) = cells(tally).and_then(auc) else { continue };
        // A column that ranks the rows backwards tells as much.
        let auc = auc.max(1.0 - auc);
        let Some(severity) = graded(auc, config.auc_fault, config.auc_warning) else { continue };
        highest = highest.max(auc);
        sightings.push(Sighting {
            split: tally.split,
            severity,
            count: tally.rows,
            of: tally.rows,
            row: None,
            detail: format!("{auc:.4}"),
        });
    }
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let meaning = match sightings.iter().map(|sighting| sighting.severity).min()? {
        Severity::Fault => {
            "it knows the answer. Leave the column out, or make it from what was known before the sample."
        }
        _ => "that is more than most columns know. Make sure that it was known before the sample.",
    };
    let meaning = format!("{} alone ranks the rows by {what}: {meaning} AUC in", quoted.join(" with "));
    Finding::new(FindingKind::LabelLeakage, names, &sightings, meaning).map(|finding| finding.with_auc(highest))
}

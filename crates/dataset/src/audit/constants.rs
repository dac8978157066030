//! Features that say nothing.

use super::finding::{Finding, FindingKind, Severity, Sighting, SplitName, share};
use super::plan::Plan;
use super::tally::Tally;

/// Natural logarithm of one in a million: what chance alone hardly does.
const HARDLY: f64 = -13.8;

pub(super) fn find(plan: &Plan<'_>, tallies: &[Tally], findings: &mut Vec<Finding>) {
    let Some(training) = tallies.iter().find(|tally| tally.split == SplitName::Train) else { return };
    for place in 0..plan.features().len() {
        let name = plan.name(place);
        let known = training.columns[place].is_constant(training.rows);
        // What training never varies is one finding, wherever else it is so.
        let where_constant: Vec<&Tally> = if known {
            vec![training]
        } else {
            tallies
                .iter()
                .filter(|tally| tally.split != SplitName::Train && surprising(training, tally, place))
                .collect()
        };
        let empty = |tally: &Tally| tally.columns[place].is_empty(tally.rows);
        for (kind, wanted) in [(FindingKind::EmptySequence, true), (FindingKind::ConstantFeature, false)] {
            let sightings: Vec<Sighting> = where_constant
                .iter()
                .filter(|tally| empty(tally) == wanted)
                .map(|tally| Sighting {
                    split: tally.split,
                    severity: Severity::Warning,
                    count: tally.rows,
                    of: tally.rows,
                    row: None,
                    detail: format!("{} rows", tally.rows),
                })
                .collect();
            let what = if wanted { "is empty in every row" } else { "has the same value in every row" };
            let remedy = if known {
                "a model learns nothing from it. Look whether its column is the right one, or leave it out."
            } else {
                "in training it has others: what a model learnt from it is of no use there. Look how that file was made."
            };
            findings.extend(Finding::new(kind, &[name], &sightings, format!("`{name}` {what}: {remedy} In")));
        }
    }
}

/// Whether a column is constant in a split although it varies in training, and chance hardly does that to so many rows.
fn surprising(training: &Tally, tally: &Tally, place: usize) -> bool {
    // One more row than was seen, so that nothing is impossible; the first row of a split may have any value.
    let usual = share(training.columns[place].commonest() + 1, training.rows + 1);
    tally.columns[place].is_constant(tally.rows) && tally.rows.saturating_sub(1) as f64 * usual.ln() < HARDLY
}

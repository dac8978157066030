//! Drawn negatives that are positives.

use fain_features::{Column, Samples, Vocabulary};

use super::finding::{Finding, FindingKind, Severity, Sighting, percent, share};
use super::plan::{Negatives, Plan};
use super::tally::Tally;

/// What the negatives of one feature hold in one split.
pub(super) struct NegativesTally {
    /// The row, counted from 1, in whose history an id stood last: no list has to be searched.
    seen: Vec<u64>,
    /// Positive rows with negatives.
    positives: Overlap,
    /// Rows with negatives and a history.
    histories: Overlap,
}

/// Rows looked at, and those with something that must not be there.
#[derive(Default)]
struct Overlap {
    rows: u64,
    count: u64,
    first: Option<u64>,
}

impl Overlap {
    fn add(&mut self, overlaps: bool, row: u64) {
        self.rows += 1;
        if overlaps {
            self.count += 1;
            self.first.get_or_insert(row);
        }
    }
}

impl NegativesTally {
    pub(super) fn new(size: usize) -> Self {
        Self { seen: vec![0; size], positives: Overlap::default(), histories: Overlap::default() }
    }

    pub(super) fn observe(&mut self, plan: &Negatives, samples: &Samples, labels: &[usize], first: u64) {
        for (row, &label) in labels.iter().enumerate() {
            let list = |place: usize| match samples.columns.get(place) {
                Some(Column::Sequence(lists)) => lists.get(row).unwrap_or_default(),
                _ => &[],
            };
            let negatives = list(plan.sequence);
            if negatives.is_empty() {
                continue;
            }
            let number = first + row as u64;
            if label == 1 {
                let is_candidate = |id: u32| {
                    let mut columns = plan.candidates.iter().filter_map(|place| samples.columns.get(*place));
                    columns.any(|column| matches!(column, Column::Category(ids) if ids[row] == id))
                };
                let known = |id: &&u32| **id != Vocabulary::UNKNOWN;
                self.positives.add(negatives.iter().filter(known).any(|id| is_candidate(*id)), number);
            }
            let mut events = 0;
            for id in plan.histories.iter().flat_map(|place| list(*place)) {
                events += 1;
                if let Some(seen) = self.seen.get_mut(*id as usize).filter(|_| *id != Vocabulary::UNKNOWN) {
                    *seen = number + 1;
                }
            }
            if events > 0 {
                let chosen = |id: &u32| self.seen.get(*id as usize) == Some(&(number + 1));
                self.histories.add(negatives.iter().any(chosen), number);
            }
        }
    }
}

pub(super) fn find(plan: &Plan<'_>, tallies: &[Tally], findings: &mut Vec<Finding>) {
    for (place, negatives) in plan.negatives.iter().enumerate() {
        let name = plan.name(negatives.sequence);
        let sightings = |overlap: fn(&NegativesTally) -> &Overlap| -> Vec<Sighting> {
            tallies.iter().filter_map(|tally| sighting(plan, tally, overlap(&tally.negatives[place]))).collect()
        };
        let names = |others: &[usize]| -> Vec<&str> {
            std::iter::once(name).chain(others.iter().map(|place| plan.name(*place))).collect()
        };
        findings.extend(Finding::new(
            FindingKind::NegativesHoldCandidate,
            &names(&negatives.candidates),
            &sightings(|tally| &tally.positives),
            format!(
                "`{name}` are negatives and hold the candidate of their own row, which is a positive: the model is \
                 taught both. Draw them again without it. Positive rows:"
            ),
        ));
        findings.extend(Finding::new(
            FindingKind::NegativesHoldHistory,
            &names(&negatives.histories),
            &sightings(|tally| &tally.histories),
            format!(
                "`{name}` are negatives and hold items of their row's own history, which were chosen. Draw them again \
                 from what the user had not chosen. Rows:"
            ),
        ));
    }
}

fn sighting(plan: &Plan<'_>, tally: &Tally, overlap: &Overlap) -> Option<Sighting> {
    let found = share(overlap.count, overlap.rows);
    let severity = if found >= plan.config.negatives_fault { Severity::Fault } else { Severity::Warning };
    (overlap.count > 0).then(|| Sighting {
        split: tally.split,
        severity,
        count: overlap.count,
        of: overlap.rows,
        row: overlap.first,
        detail: percent(found),
    })
}

//! Events after their sample, and training rows after the test's.

use fain_features::{Column, FeatureKind, Samples};

use super::finding::{Finding, FindingKind, Severity, Sighting, SplitName, percent, share};
use super::plan::Plan;
use super::tally::Tally;

/// The times of a split's rows, where the schema names a column for them.
pub(super) struct TimesTally {
    pub(super) earliest: Option<i64>,
    /// Rows later than this are counted.
    limit: Option<i64>,
    later: u64,
    first_later: Option<u64>,
    /// One for each list of times.
    lists: Vec<Future>,
}

/// Rows with an event after their own time, by the list of the events' times.
struct Future {
    place: usize,
    /// Rows with events.
    rows: u64,
    count: u64,
    first: Option<u64>,
}

impl TimesTally {
    pub(super) fn new(plan: &Plan<'_>, limit: Option<i64>) -> Self {
        let features = plan.features().iter().enumerate();
        let lists = features
            .filter(|(_, feature)| matches!(feature.kind, FeatureKind::Times { .. }))
            .map(|(place, _)| Future { place, rows: 0, count: 0, first: None });
        Self { earliest: None, limit, later: 0, first_later: None, lists: lists.collect() }
    }

    pub(super) fn observe(&mut self, samples: &Samples, times: &[i64], first: u64) {
        self.earliest = self.earliest.iter().chain(times).min().copied();
        for (&time, row) in times.iter().zip(first..) {
            if self.limit.is_some_and(|limit| time > limit) {
                self.later += 1;
                self.first_later.get_or_insert(row);
            }
        }
        for future in &mut self.lists {
            let Some(Column::Times(lists)) = samples.columns.get(future.place) else { continue };
            for (row, &time) in times.iter().enumerate() {
                let events = lists.get(row).unwrap_or_default();
                future.rows += u64::from(!events.is_empty());
                if events.iter().any(|event| *event > time) {
                    future.count += 1;
                    future.first.get_or_insert(first + row as u64);
                }
            }
        }
    }
}

pub(super) fn find(plan: &Plan<'_>, tallies: &[Tally], findings: &mut Vec<Finding>) {
    let timed = || tallies.iter().filter_map(|tally| tally.times.as_ref().map(|times| (tally, times)));
    let lists = timed().map(|(_, times)| times.lists.len()).max().unwrap_or(0);
    for list in 0..lists {
        let each = || timed().map(|(tally, times)| (tally.split, &times.lists[list]));
        let sightings: Vec<Sighting> = each().filter_map(|(split, future)| too_late(plan, split, future)).collect();
        let Some(name) = each().next().map(|(_, future)| plan.name(future.place)) else { continue };
        findings.extend(Finding::new(
            FindingKind::EventsAfterSample,
            &[name],
            &sightings,
            format!(
                "Events in `{name}` happened after the sample whose history they are in: a model sees what it is to \
                 predict. Cut each history before the time of its sample. Rows, of those with events:"
            ),
        ));
    }
    let training = timed().find(|(tally, times)| tally.split == SplitName::Train && times.later > 0);
    let sightings: Vec<Sighting> = training
        .map(|(tally, times)| Sighting {
            split: tally.split,
            severity: Severity::Note,
            count: times.later,
            of: tally.rows,
            row: times.first_later,
            detail: format!("{} of {} ({})", times.later, tally.rows, percent(share(times.later, tally.rows))),
        })
        .into_iter()
        .collect();
    let finding = Finding::new(
        FindingKind::SplitsOverlapInTime,
        &[],
        &sightings,
        "Training rows are later than the first test row: a model knows what became popular afterwards. That is so where \
         each user's last rows are the test; to measure what a model is worth from day to day, part the log by time. \
         Later rows, in",
    );
    findings.extend(finding.map(|finding| Finding { splits: vec![SplitName::Train, SplitName::Test], ..finding }));
}

fn too_late(plan: &Plan<'_>, split: SplitName, future: &Future) -> Option<Sighting> {
    let found = share(future.count, future.rows);
    let severity = if found >= plan.config.future_fault { Severity::Fault } else { Severity::Warning };
    (future.count > 0).then(|| Sighting {
        split,
        severity,
        count: future.count,
        of: future.rows,
        row: future.first,
        detail: percent(found),
    })
}

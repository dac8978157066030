//! Rows that are the same, in one split and in two.

use std::cmp::Ordering;
use std::iter::Peekable;

use fain_features::{Column, Samples, Vocabulary};

use super::finding::{Finding, FindingKind, Severity, Sighting, SplitName, percent, share};
use super::hash_sample::{Entry, HashSample};
use super::history::graded;
use super::plan::Plan;
use super::row_hash::RowHasher;
use super::tally::Tally;

/// The rows of a split by their hashes.
pub(super) struct RowTally {
    /// Sum of the hashes of all rows with their labels: equal for equal rows in any order.
    sum: u128,
    sample: HashSample,
    hasher: RowHasher,
}

impl RowTally {
    pub(super) fn new(most: usize, rows: u64) -> Self {
        Self { sum: 0, sample: HashSample::new(most, rows), hasher: RowHasher::default() }
    }

    /// A row with an unknown term counts for the sum only: two rows that look the same may be of different terms.
    pub(super) fn observe(&mut self, plan: &Plan<'_>, samples: &Samples, labels: &[usize], first: u64) {
        for (row, &label) in labels.iter().enumerate() {
            let hash = self.hasher.hash(samples, row);
            self.sum = self.sum.wrapping_add(hash ^ label as u128);
            let unknown = |place: &usize| match samples.columns.get(*place) {
                Some(Column::Category(ids)) => ids[row] == Vocabulary::UNKNOWN,
                _ => false,
            };
            if !plan.telling.iter().any(unknown) {
                self.sample.add(hash, label == 1, first + row as u64);
            }
        }
    }

    /// Rows that are compared.
    pub(super) fn compared(&self) -> u64 {
        self.sample.len() as u64
    }
}

/// How many rows of a split stand elsewhere, and the first of them.
#[derive(Default)]
struct Found {
    count: u64,
    first: Option<u64>,
}

impl Found {
    fn add(&mut self, entries: &[Entry]) {
        self.count += entries.len() as u64;
        let first = entries.iter().map(|entry| entry.row).min();
        self.first = self.first.into_iter().chain(first).min();
    }

    fn sighting(self, split: SplitName, severity: Severity, of: u64, detail: &str) -> Sighting {
        let detail = format!("{} of {of} ({}){detail}", self.count, percent(share(self.count, of)));
        Sighting { split, severity, count: self.count, of, row: self.first, detail }
    }
}

pub(super) fn find(plan: &Plan<'_>, tallies: &mut [Tally], findings: &mut Vec<Finding>) {
    // All splits are narrowed to the same hashes, so that rows of one meet their like in the others.
    let mask = tallies.iter().fold(0, |mask, tally| mask | tally.content.sample.mask());
    for tally in tallies.iter_mut() {
        tally.content.sample.sort(mask);
    }
    let drawn = match mask.count_ones() {
        0 => String::new(),
        bits => format!(", on one row in {} drawn by hash", 1_u128 << bits),
    };
    for tally in tallies.iter() {
        within(plan, tally, &drawn, findings);
    }
    for (place, later) in tallies.iter().enumerate() {
        for earlier in &tallies[..place] {
            if !equal(earlier, later, findings) {
                across(plan, earlier, later, &drawn, findings);
            }
        }
    }
}

/// Rows that stand more than once in their split.
fn within(plan: &Plan<'_>, tally: &Tally, drawn: &str, findings: &mut Vec<Finding>) {
    let (mut repeated, mut both) = (Found::default(), Found::default());
    let mut entries = tally.content.sample.entries().peekable();
    let mut alike = Vec::new();
    while next_alike(&mut entries, &mut alike) {
        let ones = alike.partition_point(|entry| !entry.label);
        for class in [&alike[..ones], &alike[ones..]] {
            repeated.add(class.get(1..).unwrap_or_default());
        }
        if ones > 0 && ones < alike.len() {
            both.add(&alike);
        }
    }
    let of = tally.content.compared();
    let mut note = |kind, found: Found, meaning: &str| {
        if found.count > 0 && share(found.count, of) >= plan.config.duplicates_warning {
            let sighting = found.sighting(tally.split, Severity::Note, of, drawn);
            findings.extend(Finding::new(kind, &[], &[sighting], meaning));
        }
    };
    note(
        FindingKind::DuplicatesWithinSplit,
        repeated,
        "Rows stand more than once, all features and the label alike; they weigh more than others. If the log was read \
         twice, drop the copies. Rows beyond the first of their kind, in",
    );
    note(
        FindingKind::ContradictionsWithinSplit,
        both,
        "Rows with the same features have both labels; no model can tell them apart. If they are several looks at one \
         event, keep one of them. Rows, in",
    );
}

/// Whether two splits have the same rows.
fn equal(earlier: &Tally, later: &Tally, findings: &mut Vec<Finding>) -> bool {
    let fingerprint = |tally: &Tally| (tally.rows, tally.positives, tally.content.sum);
    if fingerprint(earlier) != fingerprint(later) || earlier.split != SplitName::Validation {
        return false;
    }
    let sightings = [earlier, later].map(|tally| Sighting {
        split: tally.split,
        severity: Severity::Fault,
        count: tally.rows,
        of: tally.rows,
        row: (tally.rows > 0).then_some(0),
        detail: format!("{} rows", tally.rows),
    });
    findings.extend(Finding::new(
        FindingKind::ValidationEqualsTest,
        &[],
        &sightings,
        "Validation and test have the same rows: the epoch is chosen on the rows that the result is measured on. Give \
         validation rows of its own.",
    ));
    true
}

/// Rows of the later split that stand in the earlier one, too.
fn across(plan: &Plan<'_>, earlier: &Tally, later: &Tally, drawn: &str, findings: &mut Vec<Finding>) {
    let (mut same, mut other) = (Found::default(), Found::default());
    let mut entries = [earlier, later].map(|tally| tally.content.sample.entries().peekable());
    let mut alike = [Vec::new(), Vec::new()];
    let [a, b] = &mut entries;
    let (mut more, mut found) = (next_alike(a, &mut alike[0]), next_alike(b, &mut alike[1]));
    while more && found {
        match alike[0][0].hash.cmp(&alike[1][0].hash) {
            Ordering::Less => more = next_alike(a, &mut alike[0]),
            Ordering::Greater => found = next_alike(b, &mut alike[1]),
            Ordering::Equal => {
                for class in alike[1].chunk_by(|x, y| x.label == y.label) {
                    let known = alike[0].iter().any(|entry| entry.label == class[0].label);
                    if known { same.add(class) } else { other.add(class) }
                }
                (more, found) = (next_alike(a, &mut alike[0]), next_alike(b, &mut alike[1]));
            }
        }
    }
    let of = later.content.compared();
    let config = plan.config;
    let mut report = |kind, found: Found, gravest: Severity, meaning: String| {
        if found.count == 0 {
            return;
        }
        let severity = graded(share(found.count, of), config.duplicates_fault, config.duplicates_warning);
        let severity = severity.unwrap_or(Severity::Note).max(gravest);
        let sighting = found.sighting(later.split, severity, of, drawn);
        let finding = Finding::new(kind, &[], &[sighting], meaning);
        findings.extend(finding.map(|finding| Finding { splits: vec![earlier.split, later.split], ..finding }));
    };
    let remedy = "Part the log so that each row is in one split only; if rows of different users look alike, name their \
                  column as schema.group, and that of their times as schema.time.";
    report(
        FindingKind::DuplicatesAcrossSplits,
        same,
        Severity::Fault,
        format!(
            "Rows stand in {} as well, all features and the label alike: what is measured on them was learnt by heart. \
             {remedy} Rows, in",
            earlier.split
        ),
    );
    report(
        FindingKind::ContradictionsAcrossSplits,
        other,
        Severity::Warning,
        format!(
            "Rows stand in {} as well, all features alike but with the other label: what was learnt there is wrong here. \
             {remedy} Rows, in",
            earlier.split
        ),
    );
}

/// Replaces `alike` by the next rows with one hash; false at the end.
fn next_alike(entries: &mut Peekable<impl Iterator<Item = Entry>>, alike: &mut Vec<Entry>) -> bool {
    alike.clear();
    let Some(first) = entries.next() else { return false };
    alike.push(first);
    while let Some(entry) = entries.next_if(|entry| entry.hash == first.hash) {
        alike.push(entry);
    }
    true
}

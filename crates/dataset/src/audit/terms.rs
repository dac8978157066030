//! Terms and groups that training does not teach.

use super::finding::{Finding, FindingKind, Severity, Sighting, SplitName, percent, share};
use super::hash_sample::GroupSample;
use super::plan::{Plan, vocabulary_of};
use super::tally::Tally;

pub(super) fn find(plan: &Plan<'_>, tallies: &[Tally], findings: &mut Vec<Finding>) {
    let Some(training) = tallies.iter().find(|tally| tally.split == SplitName::Train) else { return };
    let later: Vec<&Tally> = tallies.iter().filter(|tally| tally.split != SplitName::Train).collect();
    for place in 0..plan.features().len() {
        findings.extend(unknown(plan, training, &later, place));
    }
    rare(plan, training, findings);
    if let Some(known) = &training.groups {
        let sightings: Vec<Sighting> =
            later.iter().filter_map(|tally| unseen(tally, known)).filter(|one| enough(plan, one)).collect();
        let column = plan.encoders.schema().group().unwrap_or_default();
        findings.extend(Finding::new(
            FindingKind::UnseenGroups,
            &[],
            &sightings,
            format!(
                "Rows are of groups (`{column}`) that training does not have: the result is one for newcomers. If that \
                 is not meant, part the log by time or by each user's last rows. Rows, in"
            ),
        ));
    }
}

fn enough(plan: &Plan<'_>, sighting: &Sighting) -> bool {
    share(sighting.count, sighting.of) >= plan.config.unknown_note
}

/// Terms of the other splits that training does not have, beyond its own share of rare and missing ones.
fn unknown(plan: &Plan<'_>, training: &Tally, later: &[&Tally], place: usize) -> Option<Finding> {
    let config = plan.config;
    let usual = training.columns[place].unknown()?;
    let usual = share(usual.count, usual.of);
    let sighting = |tally: &&Tally| -> Option<Sighting> {
        let unknown = tally.columns[place].unknown()?;
        let found = share(unknown.count, unknown.of);
        let beyond = found - usual;
        let severity = if beyond >= config.unknown_warning { Severity::Warning } else { Severity::Note };
        (beyond > 0.0 && beyond >= config.unknown_note).then(|| Sighting {
            split: tally.split,
            severity,
            count: unknown.count,
            of: unknown.of,
            row: unknown.first,
            detail: format!("{}, in training {}", percent(found), percent(usual)),
        })
    };
    let sightings: Vec<Sighting> = later.iter().filter_map(sighting).collect();
    let name = plan.name(place);
    Finding::new(
        FindingKind::UnknownTerms,
        &[name],
        &sightings,
        format!(
            "`{name}` has terms that training does not teach; they are all one to a model. Look whether the files write \
             terms alike; if these are new things, features that old and new ones share help. Unknown, of all terms:"
        ),
    )
}

/// Vocabularies of which training shows most terms a few times only.
fn rare(plan: &Plan<'_>, training: &Tally, findings: &mut Vec<Finding>) {
    let schema = plan.encoders.schema();
    for (vocabulary, owner) in schema.vocabularies().iter().enumerate() {
        let mut counts = vec![0_u32; plan.encoders.vocabulary(vocabulary).size()];
        for (feature, column) in schema.features().iter().zip(&training.columns) {
            if vocabulary_of(&feature.kind) == Some(vocabulary) {
                counts.iter_mut().zip(column.shown()).for_each(|(count, shown)| *count = count.saturating_add(shown));
            }
        }
        // Id 0 is no term.
        let terms = counts.get(1..).unwrap_or_default();
        let rare = terms.iter().filter(|count| **count < plan.config.rare_below).count() as u64;
        let of = terms.len() as u64;
        if rare == 0 || share(rare, of) < plan.config.rare_note {
            continue;
        }
        let sighting = Sighting {
            split: SplitName::Train,
            severity: Severity::Note,
            count: rare,
            of,
            row: None,
            detail: format!("{rare} of {of} ({})", percent(share(rare, of))),
        };
        let below = plan.config.rare_below;
        findings.extend(Finding::new(
            FindingKind::RareTerms,
            &[owner],
            &[sighting],
            format!(
                "Training shows most terms of `{owner}` fewer than {below} times, too few to learn a vector for each; \
                 `min_count` makes them one unknown term. Rare terms, of the vocabulary, in"
            ),
        ));
    }
}

/// Rows of groups that training does not have.
fn unseen(tally: &Tally, known: &GroupSample) -> Option<Sighting> {
    let (mut count, mut of, mut groups, mut first) = (0, 0, 0_u64, None::<u64>);
    for (group, found) in tally.groups.as_ref()?.common(known) {
        of += found.rows;
        if !known.has(group) {
            count += found.rows;
            groups += 1;
            first = first.into_iter().chain([found.first]).min();
        }
    }
    (count > 0).then(|| Sighting {
        split: tally.split,
        severity: Severity::Note,
        count,
        of,
        row: first,
        detail: format!("{count} of {of} ({}), of {groups} groups", percent(share(count, of))),
    })
}

/// Share of a split's rows that are of groups that training does not have.
pub(super) fn unseen_share(tally: &Tally, training: &Tally) -> Option<f64> {
    tally.groups.as_ref()?;
    Some(unseen(tally, training.groups.as_ref()?).map_or(0.0, |sighting| share(sighting.count, sighting.of)))
}

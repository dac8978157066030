//! The classes of each split.

use super::finding::{Finding, FindingKind, Severity, Sighting, SplitName, percent, share};
use super::plan::Plan;
use super::tally::Tally;

/// Standard errors by which two shares must differ before the difference counts.
const CERTAIN: f64 = 4.0;

pub(super) fn find(plan: &Plan<'_>, tallies: &[Tally], findings: &mut Vec<Finding>) {
    let Some(training) = tallies.iter().find(|tally| tally.split == SplitName::Train) else { return };
    let (mut one_class, mut few, mut different) = (Vec::new(), Vec::new(), Vec::new());
    for tally in tallies {
        let [zeros, ones] = tally.classes();
        let sighting = |list: &mut Vec<Sighting>, severity, count, detail| {
            list.push(Sighting { split: tally.split, severity, count, of: tally.rows, row: None, detail });
        };
        let fewer = zeros.min(ones);
        if fewer == 0 {
            let label = u8::from(zeros == 0);
            sighting(&mut one_class, Severity::Fault, tally.rows, format!("{} rows, all {label}", tally.rows));
            continue;
        }
        if fewer < plan.config.smallest_class {
            sighting(&mut few, Severity::Note, fewer, format!("{ones} with label 1, {zeros} with label 0"));
        }
        if let Some(severity) = differs(plan, training, tally) {
            let rates = [tally, training].map(|tally| percent(share(tally.positives, tally.rows)));
            sighting(&mut different, severity, ones, format!("{}, in training {}", rates[0], rates[1]));
        }
    }
    findings.extend(Finding::new(
        FindingKind::OneClass,
        &[],
        &one_class,
        "All labels of a split are the same: AUC is undefined on it. Part the log so that both come. In",
    ));
    findings.extend(Finding::new(
        FindingKind::TooFewRows,
        &[],
        &few,
        format!(
            "A class has fewer than {} rows: whether single columns tell the label was not measured there, and an AUC \
             has a wide margin. Rows, in",
            plan.config.smallest_class
        ),
    ));
    findings.extend(Finding::new(
        FindingKind::ClassBalance,
        &[],
        &different,
        "The share of positives is another one than in training: probabilities will be off, and the splits may have been \
         made by different rules. Positives, in",
    ));
}

/// How much the share of either class differs from that in training, if chance does not explain it.
fn differs(plan: &Plan<'_>, training: &Tally, tally: &Tally) -> Option<Severity> {
    let rate = |tally: &Tally| share(tally.positives, tally.rows);
    let (here, there) = (rate(tally), rate(training));
    let pooled = share(tally.positives + training.positives, tally.rows + training.rows);
    let error = (pooled * (1.0 - pooled) * (1.0 / tally.rows as f64 + 1.0 / training.rows as f64)).sqrt();
    if (here - there).abs() <= CERTAIN * error {
        return None;
    }
    let ratio = |a: f64, b: f64| (a / b).max(b / a);
    let ratio = ratio(here, there).max(ratio(1.0 - here, 1.0 - there));
    if ratio >= plan.config.balance_warning {
        Some(Severity::Warning)
    } else if ratio >= plan.config.balance_note {
        Some(Severity::Note)
    } else {
        None
    }
}

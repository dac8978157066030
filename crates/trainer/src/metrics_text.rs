//! Metrics as people read them.

use std::fmt::Write as _;
use std::path::Path;

use fain_metrics::{CeilingReport, Evaluation};
use fain_training::Report;

use crate::text::{Align, count, metric, table};

/// One line per evaluation, with a heading.
pub(crate) fn evaluations(rows: &[(&str, &Evaluation)]) -> String {
    let heading = ["", "AUC", "GAUC", "log loss", "PCOC", "samples", "clicks"].map(str::to_owned);
    let lines = rows.iter().map(|(name, evaluation)| {
        [
            (*name).to_owned(),
            metric(evaluation.auc),
            metric(evaluation.gauc),
            metric(evaluation.log_loss),
            metric(evaluation.pcoc),
            count(evaluation.samples),
            count(evaluation.positives),
        ]
    });
    let rows: Vec<_> = [heading].into_iter().chain(lines).collect();
    let right = Align::Right;
    table([Align::Left, right, right, right, right, right, right], &rows)
}

/// Where the model stands between the blind and the optimal AUC.
pub(crate) fn ceiling(ceiling: &CeilingReport) -> String {
    let share = ceiling.share.map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", share * 100.0));
    format!(
        "test AUC: blind {:.4}, model {:.4}, optimal {:.4}; share of the way from blind to optimal: {share}\n",
        ceiling.blind_auc, ceiling.auc, ceiling.optimal_auc
    )
}

/// The report of a run.
pub(crate) fn report(report: &Report, folder: &Path) -> String {
    let mut rows = vec![("train", &report.train), ("validation", &report.validation)];
    rows.extend(report.test.as_ref().map(|test| ("test", test)));
    let mut text = format!("{}\n{}", summary(report), evaluations(&rows));
    if let Some(known) = &report.ceiling {
        text.push('\n');
        text.push_str(&ceiling(known));
    }
    // A String takes whatever is written to it.
    let _ = writeln!(text, "\nrun: {}", folder.display());
    text
}

/// The report of a run without its metrics.
fn summary(report: &Report) -> String {
    format!(
        "{}: {} parameters, best epoch {} of {}, {} samples/s, {:.1} s on {}, seed {}\n",
        report.model,
        count(report.parameters),
        report.best_epoch,
        report.epochs,
        count(report.samples_per_second as u64),
        report.seconds,
        report.device,
        report.seed,
    )
}

//! Metrics as people read them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use fain_autograd::Precision;
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

/// Runs on the same test rows, a line for each, between what is known to be possible without the history and at all.
pub(crate) fn comparison(results: &[(Report, PathBuf)]) -> String {
    let heading = ["", "AUC", "of the way", "log loss", "samples/s", "seconds", "run"].map(str::to_owned);
    let known = |name: &str, auc: f64, way: &str| [name, &metric(Some(auc)), way, "", "", "", ""].map(str::to_owned);
    let ceiling = results.iter().find_map(|(report, _)| report.ceiling.as_ref());
    let mut rows = vec![heading];
    rows.extend(ceiling.map(|ceiling| known("blind", ceiling.blind_auc, &percent(Some(0.0)))));
    for (report, folder) in results {
        let test = report.test.as_ref();
        rows.push([
            report.model.clone(),
            metric(test.and_then(|test| test.auc)),
            percent(report.ceiling.as_ref().and_then(|ceiling| ceiling.share)),
            metric(test.and_then(|test| test.log_loss)),
            count(report.samples_per_second as u64),
            format!("{:.1}", report.seconds),
            folder.display().to_string(),
        ]);
    }
    rows.extend(ceiling.map(|ceiling| known("optimal", ceiling.optimal_auc, &percent(Some(1.0)))));
    let right = Align::Right;
    let mut text = table([Align::Left, right, right, right, right, right, Align::Left], &rows);
    if let Some(test) = results.first().and_then(|(report, _)| report.test.as_ref()) {
        // A String takes whatever is written to it.
        let _ = writeln!(
            text,
            "\n{} test rows, {} of them clicked. blind: the best that can be done without the history; optimal: the best \
             of all.",
            count(test.samples),
            count(test.positives)
        );
    }
    text
}

/// Where the model stands between the blind and the optimal AUC.
pub(crate) fn ceiling(ceiling: &CeilingReport) -> String {
    format!(
        "test AUC: blind {:.4}, model {:.4}, optimal {:.4}; share of the way from blind to optimal: {}\n",
        ceiling.blind_auc,
        ceiling.auc,
        ceiling.optimal_auc,
        percent(ceiling.share)
    )
}

/// A share in percent; an undefined one is a dash.
fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", share * 100.0))
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
        "{}: {} parameters, best epoch {} of {}, {} samples/s, {:.1} s on {}{}, seed {}\n",
        report.model,
        count(report.parameters),
        report.best_epoch,
        report.epochs,
        count(report.samples_per_second as u64),
        report.seconds,
        report.device,
        match report.precision {
            Precision::Float32 => "",
            Precision::BFloat16 => " in bfloat16",
        },
        report.seed,
    )
}

//! `fain evaluate`.

use std::path::{Path, PathBuf};

use fain_features::{DataError, Parts, TableReader};
use fain_metrics::{CeilingReport, Evaluation};
use fain_serving::{Bundle, BundleError};
use fain_training::Measured;
use serde::Serialize;

use crate::arguments::EvaluateArguments;
use crate::console::Console;
use crate::exit::Stop;
use crate::interrupt::Interrupt;
use crate::scoring::Place;
use crate::{metrics_text, output, scoring};

/// The JSON document.
#[derive(Debug, Serialize)]
struct Measurement {
    #[serde(flatten)]
    evaluation: Evaluation,
    #[serde(skip_serializing_if = "Option::is_none")]
    ceiling: Option<CeilingReport>,
}

pub(crate) fn run(arguments: &EvaluateArguments, interrupt: &Interrupt) -> anyhow::Result<()> {
    let (bundle, place) = scoring::open(&arguments.run, arguments.device)?;
    let file = match &arguments.data {
        Some(file) => file.clone(),
        None => test_file(&place, &arguments.run)?,
    };
    let mut console = Console::new();
    let parts = parts(&bundle, &file, &console)?;
    let mut measured = Measured::default();
    scoring::score(&bundle, &file, parts, &mut console, interrupt, &mut |run| {
        Ok(measured.update(run.samples, run.logits)?)
    })?;
    let (evaluation, ceiling) = measured.finish()?;
    if arguments.json {
        return output::print_json(&Measurement { evaluation, ceiling });
    }
    let mut text = metrics_text::evaluations(&[("", &evaluation)]);
    if let Some(ceiling) = &ceiling {
        text.push('\n');
        text.push_str(&metrics_text::ceiling(ceiling));
    }
    output::print(&text)
}

/// The test file of a run's configuration.
fn test_file(place: &Place, path: &Path) -> anyhow::Result<PathBuf> {
    let refuse = |problem: &str| Stop::Request(format!("{}: {problem}; give --data FILE", path.display()));
    let Place::Run(run) = place else {
        return Err(refuse("a bundle names no test file").into());
    };
    let data = run.read_config()?.data;
    let files = data.test.ok_or_else(|| refuse("the run's configuration has no data.test"))?;
    match files.names() {
        [file] => Ok(data.root.join(file)),
        _ => Err(refuse("the run's configuration names several files in data.test").into()),
    }
}

/// Everything that is measured needs labels. The groups are part of it where the model's schema has them; the known
/// probabilities only where the file has them too, as real clicks have none.
fn parts(bundle: &Bundle, file: &Path, console: &Console) -> anyhow::Result<Parts> {
    let mut parts = Parts::of(bundle.encoders().schema());
    if let Some(ceiling) = bundle.encoders().schema().ceiling() {
        let table = TableReader::open(file, &bundle.settings().csv)
            .map_err(|error| BundleError::from(DataError::from(error)))?;
        let has = |column: &String| table.header().contains(column);
        parts.ceiling = has(&ceiling.blind) && has(&ceiling.optimal);
        if !parts.ceiling {
            console.say(&format!(
                "{} lacks the column {} or {}: how far the model is from the optimum is not known",
                file.display(),
                ceiling.blind,
                ceiling.optimal
            ));
        }
    }
    Ok(parts)
}

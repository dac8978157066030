//! `fain evaluate`.

use std::path::{Path, PathBuf};

use fain_dataset::{BatchPlan, Batches, Order, Tail};
use fain_features::{DataError, Parts, TableReader};
use fain_metrics::{CeilingReport, Evaluation};
use fain_serving::{Bundle, BundleError};
use fain_training::{Experiment, Measured};
use serde::Serialize;

use crate::arguments::EvaluateArguments;
use crate::console::Console;
use crate::exit::Stop;
use crate::interrupt::Interrupt;
use crate::scoring::Place;
use crate::{metrics_text, output, scoring, watch};

/// The JSON document.
#[derive(Debug, Serialize)]
struct Measurement {
    #[serde(flatten)]
    evaluation: Evaluation,
    #[serde(skip_serializing_if = "Option::is_none")]
    ceiling: Option<CeilingReport>,
}

/// The metrics, and how far the model went where that can be known.
type Measures = (Evaluation, Option<CeilingReport>);

pub(crate) fn run(arguments: &EvaluateArguments, interrupt: &Interrupt) -> anyhow::Result<()> {
    let (bundle, place) = scoring::open(&arguments.run, arguments.device)?;
    let mut console = Console::new();
    let (evaluation, ceiling) = match rows(arguments, &place)? {
        Rows::File(file) => measure_file(&bundle, &file, &mut console, interrupt)?,
        Rows::Samples(experiment) => measure_samples(&bundle, &experiment, &mut console, interrupt)?,
    };
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

/// What is measured.
enum Rows {
    /// The rows of a file.
    File(PathBuf),
    /// The test rows of the samples that the experiment names.
    Samples(Box<Experiment>),
}

/// The rows that were asked for, or the test rows of the run's configuration.
fn rows(arguments: &EvaluateArguments, place: &Place) -> anyhow::Result<Rows> {
    if let Some(file) = &arguments.data {
        return Ok(Rows::File(file.clone()));
    }
    let refuse = |problem: &str| Stop::Request(format!("{}: {problem}; give --data FILE", arguments.run.display()));
    let Place::Run(run) = place else {
        return Err(refuse("a bundle names no test file").into());
    };
    let experiment = run.read_config()?;
    if experiment.data.samples.is_some() {
        return Ok(Rows::Samples(Box::new(experiment)));
    }
    let Some(files) = &experiment.data.test else {
        return Err(refuse("the run's configuration has no data.test").into());
    };
    match files.names() {
        [name] => Ok(Rows::File(experiment.data.root.join(name))),
        _ => Err(refuse("data.test names several files").into()),
    }
}

fn measure_file(
    bundle: &Bundle,
    file: &Path,
    console: &mut Console,
    interrupt: &Interrupt,
) -> anyhow::Result<Measures> {
    let parts = parts(bundle, file, console)?;
    let mut measured = Measured::default();
    scoring::score(bundle, file, parts, console, interrupt, &mut |run| Ok(measured.update(run.samples, run.logits)?))?;
    Ok(measured.finish()?)
}

/// The samples must be those that the run learnt from: others would be encoded otherwise.
fn measure_samples(
    bundle: &Bundle,
    experiment: &Experiment,
    console: &mut Console,
    interrupt: &Interrupt,
) -> anyhow::Result<Measures> {
    let dataset = watch::prepare(&experiment.data, &experiment.check()?, console, interrupt)?;
    let samples = experiment.data.samples.as_deref().unwrap_or_default();
    if dataset.encoders().digest() != bundle.encoders().digest() {
        let problem = "holds other samples than those that the run learnt from";
        return Err(Stop::Data(format!("{samples}: {problem}")).into());
    }
    let split = dataset.test().ok_or_else(|| Stop::Data(format!("{samples}: has no test rows")))?;
    let plan = BatchPlan {
        batch_size: bundle.settings().batch_size,
        order: Order::Sequential,
        tail: Tail::Keep,
        start: 0,
        prefetch: 4,
    };
    let mut measured = Measured::default();
    let mut batches = Batches::new(split, plan)?;
    while let Some(batch) = batches.next().transpose()? {
        measured.update(&batch, &bundle.score(&batch)?)?;
        batches.recycle(batch);
        if interrupt.flow().is_break() {
            return Err(Stop::Interrupted("the rows were not all scored; no result was written".to_owned()).into());
        }
    }
    Ok(measured.finish()?)
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

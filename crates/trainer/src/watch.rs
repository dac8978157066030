//! From the libraries' progress to the console, and from Ctrl-C back to the libraries.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use fain_dataset::{Audit, AuditConfig, DataConfig, Dataset, Phase};
use fain_features::Schema;
use fain_prepare::{PrepareConfig, PrepareError, Summary};
use fain_samples::SamplesFolder;
use fain_simulator::{LogFiles, SampleFiles, Shop, SimulatorError};
use fain_training::{EvaluationEvent, Progress};

use crate::console::{Console, Unit};
use crate::exit::Stop;
use crate::interrupt::Interrupt;
use crate::text::{count, metric};

/// Finds or builds the encoded data.
pub(crate) fn prepare(
    data: &DataConfig,
    schema: &Schema,
    console: &mut Console,
    interrupt: &Interrupt,
) -> anyhow::Result<Dataset> {
    let started = Instant::now();
    let mut running = None;
    let prepared = Dataset::prepare(data, schema, &mut |progress| {
        if running != Some(progress.phase) {
            running = Some(progress.phase);
            console.begin(phase_name(progress.phase), Unit::Bytes, progress.bytes_done, progress.bytes_total);
        }
        console.at(progress.bytes_done);
        interrupt.flow()
    });
    console.clear();
    let dataset = prepared.map_err(|error| match error {
        fain_dataset::DatasetError::Interrupted => {
            Stop::Interrupted("the data was not yet encoded, and nothing is left behind".to_owned()).into()
        }
        error => anyhow::Error::from(error),
    })?;
    let folder = dataset.folder().display();
    console.say(&match running {
        Some(_) => format!("encoded data built in {:.1} s: {folder}", started.elapsed().as_secs_f64()),
        None => format!("encoded data found: {folder}"),
    });
    Ok(dataset)
}

/// Looks for what makes a measured quality a lie. `negatives` are features that the model reads as such.
pub(crate) fn audit(
    dataset: &Dataset,
    config: &AuditConfig,
    negatives: Vec<String>,
    console: &mut Console,
    interrupt: &Interrupt,
) -> anyhow::Result<Audit> {
    let mut config = config.clone();
    for name in negatives {
        if !config.negatives.contains(&name) {
            config.negatives.push(name);
        }
    }
    let mut begun = false;
    let audited = fain_dataset::audit(dataset, &config, &mut |progress| {
        if !begun {
            begun = true;
            console.begin("auditing the encoded rows", Unit::Rows, progress.rows_done, progress.rows_total);
        }
        console.at(progress.rows_done);
        interrupt.flow()
    });
    console.clear();
    audited.map_err(|error| match error {
        fain_dataset::DatasetError::Interrupted => Stop::Interrupted("the audit was not finished".to_owned()).into(),
        error => error.into(),
    })
}

/// Makes samples of a raw log.
pub(crate) fn prepare_samples(
    config: &PrepareConfig,
    output: &Path,
    console: &mut Console,
    interrupt: &Interrupt,
) -> anyhow::Result<SamplesFolder> {
    let started = Instant::now();
    let mut running = None;
    let prepared = fain_prepare::prepare(config, output, &mut |progress| {
        if running != Some(progress.phase) {
            running = Some(progress.phase);
            let (what, unit) = preparing(progress.phase);
            console.begin(what, unit, progress.done, progress.total);
        }
        console.at(progress.done);
        interrupt.flow()
    });
    console.clear();
    let prepared = prepared.map_err(|error| match error {
        PrepareError::Interrupted => {
            Stop::Interrupted("the samples were not all made, and nothing is left behind".to_owned()).into()
        }
        error => anyhow::Error::from(error),
    })?;
    let Summary { rows, counted_rows, .. } = prepared.summary;
    let Summary { undescribed_users, undescribed_items, contradicted_users, contradicted_items, .. } = prepared.summary;
    console.say(&format!("{} rows of the log in {:.1} s", count(rows), started.elapsed().as_secs_f64()));
    if counted_rows < rows {
        console.say(&format!("{} of them count (log.only)", count(counted_rows)));
    }
    for (missing, table) in [(undescribed_users, "users"), (undescribed_items, "items")] {
        if missing > 0 {
            let (missing, key) = (count(missing), &table[..table.len() - 1]);
            console.say(&format!(
                "{missing} {table} of the log are not in the table of {table}: what a {key} has is missing"
            ));
        }
    }
    for (several, table) in [(contradicted_users, "users"), (contradicted_items, "items")] {
        if several > 0 {
            let several = count(several);
            console.say(&format!(
                "{several} {table} have rows with different values ({table}.columns): the first one counts"
            ));
        }
    }
    Ok(prepared.samples)
}

fn preparing(phase: fain_prepare::Phase) -> (&'static str, Unit) {
    match phase {
        fain_prepare::Phase::Examine => ("examining the files", Unit::Bytes),
        fain_prepare::Phase::ReadUsers => ("reading the users", Unit::Bytes),
        fain_prepare::Phase::ReadItems => ("reading the items", Unit::Bytes),
        fain_prepare::Phase::ReadLog => ("reading the log", Unit::Bytes),
        _ => ("writing samples", Unit::Rows),
    }
}

fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Fit => "fitting the encoders",
        Phase::EncodeTables => "encoding users, items and events",
        Phase::EncodeTrain => "encoding the training rows",
        Phase::EncodeValidation => "encoding the validation rows",
        Phase::EncodeTest => "encoding the test rows",
    }
}

/// Shows a training on the console.
pub(crate) struct TrainingWatch<'a> {
    console: &'a mut Console,
    interrupt: &'a Interrupt,
    train_rows: u64,
    epochs: u64,
    running: Running,
    /// Rows and seconds of training at the last evaluation.
    last: (u64, f64),
}

#[derive(Debug, PartialEq, Eq)]
enum Running {
    Nothing,
    Epoch(u64),
    Scoring(&'static str),
}

impl<'a> TrainingWatch<'a> {
    pub(crate) fn new(console: &'a mut Console, interrupt: &'a Interrupt) -> Self {
        Self { console, interrupt, train_rows: 0, epochs: 0, running: Running::Nothing, last: (0, 0.0) }
    }

    /// The observer of a training.
    pub(crate) fn observe(&mut self, progress: &Progress<'_>) -> ControlFlow<()> {
        match *progress {
            Progress::Started { parameters, train_rows, validation_rows, epochs } => {
                self.train_rows = train_rows;
                self.epochs = epochs;
                self.console.say(&format!(
                    "training {} parameters on {} rows, validating on {}",
                    count(parameters),
                    count(train_rows),
                    count(validation_rows)
                ));
            }
            Progress::Step { epoch, epoch_rows, .. } => {
                if self.running != Running::Epoch(epoch) {
                    self.running = Running::Epoch(epoch);
                    let what = format!("epoch {epoch} of {}", self.epochs);
                    self.console.begin(&what, Unit::Samples, epoch_rows, self.train_rows);
                }
                self.console.at(epoch_rows);
            }
            Progress::Scoring { split, rows, of } => {
                if self.running != Running::Scoring(split) {
                    self.running = Running::Scoring(split);
                    self.console.begin(&format!("scoring {split} rows"), Unit::Samples, rows, of);
                }
                self.console.at(rows);
            }
            Progress::Evaluated(event) => {
                self.console.clear();
                self.running = Running::Nothing;
                self.console.say(&self.evaluation_line(event));
                self.last = (event.samples, event.train_seconds);
            }
            // Later versions of the library may tell more; there is nothing to show for it here.
            _ => {}
        }
        self.interrupt.flow()
    }

    fn evaluation_line(&self, event: &EvaluationEvent) -> String {
        let (samples, seconds) = (event.samples - self.last.0, event.train_seconds - self.last.1);
        let validation = &event.validation;
        let auxiliary = event.auxiliary_loss.map(|loss| format!(" + {loss:.4}")).unwrap_or_default();
        let group = validation.gauc.map(|gauc| format!(", GAUC {gauc:.4}")).unwrap_or_default();
        format!(
            "epoch {}, step {}: training loss {:.4}{auxiliary}, validation AUC {}{group}, log loss {}, {} samples/s{}",
            event.epoch,
            count(event.step),
            event.train_loss,
            metric(validation.auc),
            metric(validation.log_loss),
            count((samples as f64 / seconds) as u64),
            if event.best { ", best so far" } else { "" },
        )
    }
}

/// Writes a shop's samples.
pub(crate) fn write_samples(
    shop: &Shop,
    folder: &Path,
    console: &mut Console,
    interrupt: &Interrupt,
) -> anyhow::Result<SampleFiles> {
    let mut watch = ShopWatch::new(console, interrupt, "writing samples");
    shop.write_samples(folder, &mut |progress| watch.observe(progress)).map_err(stopped)
}

/// Writes a shop's raw log.
pub(crate) fn write_log(
    shop: &Shop,
    folder: &Path,
    console: &mut Console,
    interrupt: &Interrupt,
) -> anyhow::Result<LogFiles> {
    let mut watch = ShopWatch::new(console, interrupt, "writing the raw log");
    shop.write_log(folder, &mut |progress| watch.observe(progress)).map_err(stopped)
}

fn stopped(error: SimulatorError) -> anyhow::Error {
    match error {
        SimulatorError::Interrupted => Stop::Interrupted("no file was written".to_owned()).into(),
        error => error.into(),
    }
}

struct ShopWatch<'a> {
    console: &'a mut Console,
    interrupt: &'a Interrupt,
    writing: &'static str,
    running: Option<fain_simulator::Phase>,
}

impl<'a> ShopWatch<'a> {
    fn new(console: &'a mut Console, interrupt: &'a Interrupt, writing: &'static str) -> Self {
        Self { console, interrupt, writing, running: None }
    }

    fn observe(&mut self, progress: &fain_simulator::Progress) -> ControlFlow<()> {
        if self.running != Some(progress.phase) {
            self.running = Some(progress.phase);
            let what = match progress.phase {
                fain_simulator::Phase::Calibrate => "finding the blind probabilities",
                fain_simulator::Phase::Write => self.writing,
            };
            self.console.begin(what, Unit::Samples, progress.done, progress.total);
        }
        self.console.at(progress.done);
        self.interrupt.flow()
    }
}

impl Drop for ShopWatch<'_> {
    fn drop(&mut self) {
        self.console.clear();
    }
}

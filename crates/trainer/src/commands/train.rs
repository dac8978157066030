//! `fain train`.

use std::path::{Path, PathBuf};

use anyhow::Context;
use fain_dataset::{AuditMode, Dataset, Severity};
use fain_training::{Experiment, TrainingError};

use crate::arguments::TrainArguments;
use crate::console::Console;
use crate::exit::Stop;
use crate::interrupt::Interrupt;
use crate::run::{NewRun, Run};
use crate::{metrics_text, output, resume, watch};

pub(crate) fn run(arguments: &TrainArguments, interrupt: &Interrupt) -> anyhow::Result<()> {
    let experiment = Experiment::read(&arguments.config, &arguments.settings)?;
    let schema = experiment.check()?;
    let experiment = experiment.resolve()?;
    let path = match &arguments.output {
        Some(path) => path.clone(),
        None => default_output(&arguments.config)?,
    };
    // All that can be refused is refused before data is read, which may take long.
    let begun = if arguments.resume {
        Some(resume::open(&path, &experiment)?)
    } else if path.symlink_metadata().is_ok() {
        return Err(TrainingError::RunExists(path).into());
    } else {
        None
    };
    let device = arguments.device.open()?;

    let mut console = Console::new();
    if let tch::Device::Cuda(_) = device
        && let Err(error) = fain_layers::cuda_recurrences(device)
    {
        console.say(&format!("recurrences have no kernels on this device and are slow: {error}"));
    }
    let dataset = watch::prepare(&experiment.data, &schema, &mut console, interrupt)?;
    if begun.is_none() {
        audit(&experiment, &dataset, &mut console, interrupt)?;
    }
    let mut go = |folder, resume| {
        let run = Run { experiment: &experiment, dataset: &dataset, device, folder, resume };
        run.go(&mut console, interrupt)
    };
    let report = match &begun {
        Some(folder) => go(folder, true)?,
        None => go(NewRun::create(&path)?.folder(), false)?,
    };
    if arguments.json {
        return output::print_json(&report);
    }
    output::print(&metrics_text::report(&report, &path))
}

/// Tells what an audit of the rows finds, and stops where the configuration wants that.
fn audit(
    experiment: &Experiment,
    dataset: &Dataset,
    console: &mut Console,
    interrupt: &Interrupt,
) -> anyhow::Result<()> {
    let config = &experiment.data.audit;
    if config.mode == AuditMode::Off {
        return Ok(());
    }
    let audit = watch::audit(dataset, config, experiment.model.training_only(), console, interrupt)?;
    for finding in audit.of(Severity::Fault).chain(audit.of(Severity::Warning)) {
        console.say(&format!("audit: {finding}"));
    }
    match audit.of(Severity::Fault).next() {
        Some(fault) if audit.forbids(config.mode) => {
            let problem = format!("{fault}; data.audit.mode = \"error\" lets no training begin with a fault");
            Err(Stop::Data(problem)).context(dataset.folder().display().to_string())
        }
        _ => Ok(()),
    }
}

/// `runs/<name of the configuration file>`.
fn default_output(config: &Path) -> anyhow::Result<PathBuf> {
    let stem = config.file_stem().ok_or_else(|| {
        Stop::Request(format!("{}: the file has no name to call the run by; give --output", config.display()))
    })?;
    Ok(Path::new("runs").join(stem))
}

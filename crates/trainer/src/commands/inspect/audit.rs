//! `fain inspect --audit`.

use fain_dataset::{AuditConfig, Dataset};
use fain_training::Experiment;

use crate::arguments::InspectArguments;
use crate::console::Console;
use crate::exit::Stop;
use crate::interrupt::Interrupt;
use crate::scoring::Place;
use crate::{output, watch};

pub(super) fn run(arguments: &InspectArguments) -> anyhow::Result<()> {
    let interrupt = Interrupt::listen()?;
    let mut console = Console::new();
    let (dataset, config, negatives) = find(arguments, &mut console, &interrupt)?;
    let audit = watch::audit(&dataset, &config, negatives, &mut console, &interrupt)?;
    if arguments.json { output::print_json(&audit) } else { output::print(&audit.to_string()) }
}

/// The encoded rows, how to audit them, and the features that their model reads as negatives.
fn find(
    arguments: &InspectArguments,
    console: &mut Console,
    interrupt: &Interrupt,
) -> anyhow::Result<(Dataset, AuditConfig, Vec<String>)> {
    let path = arguments.path.as_path();
    let experiment = if path.is_file() {
        Experiment::read(path, &arguments.settings)?
    } else if path.join("manifest.json").is_file() && !super::samples::is_samples(path) {
        return Ok((Dataset::open(path)?, AuditConfig::default(), Vec::new()));
    } else if let Some(Place::Run(run)) = Place::of(path) {
        run.read_config()?
    } else {
        let problem = "--audit needs encoded rows: a configuration, or the folder of a dataset or of a run";
        return Err(Stop::Request(format!("{}: {problem}", path.display())).into());
    };
    let schema = experiment.check()?;
    let experiment = experiment.resolve()?;
    let dataset = watch::prepare(&experiment.data, &schema, console, interrupt)?;
    Ok((dataset, experiment.data.audit.clone(), experiment.model.training_only()))
}

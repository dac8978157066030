//! `fain demo`.

use std::path::{Path, PathBuf};

use fain_training::{Experiment, Report, TrainingError};
use serde::Serialize;

use crate::arguments::DemoArguments;
use crate::commands::simulate;
use crate::console::Console;
use crate::interrupt::Interrupt;
use crate::run::{NewRun, Run};
use crate::{metrics_text, output, watch};

/// The generator's configuration.
const SHOP: &str = include_str!("../../../../datasets/shop/demo.toml");

/// The text of a configuration, and its name in messages.
macro_rules! config {
    ($file:literal) => {
        (include_str!(concat!("../../../../configs/", $file)), concat!("configs/", $file))
    };
}

/// The experiments, in the order in which they are trained. The last one is the demo's own: its run is the folder
/// itself. The others are beside it, to be compared with.
const EXPERIMENTS: [(&str, &str); 3] = [config!("demo_base.toml"), config!("demo_din.toml"), config!("demo_dien.toml")];

/// The JSON document: the report of the demo's own model, and those of the others.
#[derive(Debug, Serialize)]
struct Compared<'a> {
    #[serde(flatten)]
    report: &'a Report,
    beside: Vec<&'a Report>,
}

pub(crate) fn run(arguments: &DemoArguments, interrupt: &Interrupt) -> anyhow::Result<()> {
    let mut shop = simulate::parse(SHOP)?;
    shop.impressions = arguments.impressions.unwrap_or(shop.impressions);
    shop.seed = arguments.seed.unwrap_or(shop.seed);
    let shop = shop.check()?;
    let mut experiments = Vec::new();
    for (text, name) in EXPERIMENTS {
        let mut experiment = Experiment::parse(text, name, &[])?;
        experiment.training.seed = arguments.seed.unwrap_or(experiment.training.seed);
        let schema = experiment.check()?;
        experiments.push((experiment, schema));
    }

    let demo = match &arguments.output {
        Some(path) => NewRun::create(path)?,
        None => first_free(Path::new("runs"))?,
    };
    let path = demo.folder().path().to_owned();
    let data = path.join("data");
    let mut console = Console::new();
    let files = watch::write_samples(&shop, &data, &mut console, interrupt)?;
    console.say(&format!("{} and {} written", files.train.display(), files.test.display()));

    // All data is encoded before the first training: an interruption until then leaves nothing. Experiments of one
    // schema find the same encoded data.
    let mut prepared = Vec::new();
    for (mut experiment, schema) in experiments {
        experiment.data.root.clone_from(&data);
        experiment.data.cache = path.join("encoded");
        let experiment = experiment.resolve()?;
        let dataset = watch::prepare(&experiment.data, &schema, &mut console, interrupt)?;
        prepared.push((experiment, dataset));
    }
    let mut results: Vec<(Report, PathBuf)> = Vec::new();
    for (number, (experiment, dataset)) in (1..).zip(&prepared) {
        let name = experiment.model.name();
        console.say(&format!("model {number} of {}: {name}", EXPERIMENTS.len()));
        let beside = if number < EXPERIMENTS.len() { Some(NewRun::create(&path.join(name))?) } else { None };
        let folder = beside.as_ref().unwrap_or(&demo).folder();
        let run = Run { experiment, dataset, device: tch::Device::Cpu, folder, resume: false };
        results.push((run.go(&mut console, interrupt)?, folder.path().to_owned()));
    }
    show(arguments.json, &results)
}

fn show(json: bool, results: &[(Report, PathBuf)]) -> anyhow::Result<()> {
    match results.split_last() {
        Some(((report, _), others)) if json => {
            let beside = others.iter().map(|(report, _)| report).collect();
            output::print_json(&Compared { report, beside })
        }
        _ => output::print(&metrics_text::comparison(results)),
    }
}

/// Makes `demo`, or the first of `demo-2`, `demo-3`, … that is not there yet.
fn first_free(folder: &Path) -> Result<NewRun, TrainingError> {
    let mut number = 1;
    loop {
        let name = if number == 1 { "demo".to_owned() } else { format!("demo-{number}") };
        let path: PathBuf = folder.join(name);
        match NewRun::create(&path) {
            Err(TrainingError::RunExists(_)) => number += 1,
            made => return made,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn the_first_free_folder_is_taken() {
        let root = tempfile::tempdir().unwrap();
        for taken in ["demo", "demo-2"] {
            std::fs::create_dir(root.path().join(taken)).unwrap();
        }
        let run = first_free(root.path()).unwrap();
        assert_eq!(run.folder().path(), root.path().join("demo-3"));
        // Nothing was trained in it.
        drop(run);
        assert!(!root.path().join("demo-3").exists());
        assert!(root.path().join("demo-2").exists());
    }
}

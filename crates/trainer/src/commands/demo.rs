//! `fain demo`.

use std::path::{Path, PathBuf};

use fain_training::{Experiment, TrainingError};

use crate::arguments::DemoArguments;
use crate::commands::simulate;
use crate::console::Console;
use crate::interrupt::Interrupt;
use crate::run::{NewRun, Run};
use crate::{metrics_text, output, watch};

/// The generator's configuration.
const SHOP: &str = include_str!("../../../../datasets/shop/demo.toml");
/// The experiment, and its name in messages.
const EXPERIMENT: (&str, &str) = (include_str!("../../../../configs/demo_din.toml"), "configs/demo_din.toml");

pub(crate) fn run(arguments: &DemoArguments, interrupt: &Interrupt) -> anyhow::Result<()> {
    let mut shop = simulate::parse(SHOP)?;
    let mut experiment = Experiment::parse(EXPERIMENT.0, EXPERIMENT.1, &[])?;
    shop.impressions = arguments.impressions.unwrap_or(shop.impressions);
    shop.seed = arguments.seed.unwrap_or(shop.seed);
    experiment.training.seed = arguments.seed.unwrap_or(experiment.training.seed);
    let shop = shop.check()?;
    let schema = experiment.check()?;

    let run = match &arguments.output {
        Some(path) => NewRun::create(path)?,
        None => first_free(Path::new("runs"))?,
    };
    let path = run.folder().path().to_owned();
    experiment.data.root = path.join("data");
    experiment.data.cache = path.join("encoded");
    let experiment = experiment.resolve()?;

    let mut console = Console::new();
    let files = watch::write_samples(&shop, &experiment.data.root, &mut console, interrupt)?;
    console.say(&format!("{} and {} written", files.train.display(), files.test.display()));
    let dataset = watch::prepare(&experiment.data, &schema, &mut console, interrupt)?;
    let run = Run {
        experiment: &experiment,
        dataset: &dataset,
        device: tch::Device::Cpu,
        folder: run.folder(),
        resume: false,
    };
    let report = run.go(&mut console, interrupt)?;
    if arguments.json {
        return output::print_json(&report);
    }
    output::print(&metrics_text::report(&report, &path))
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

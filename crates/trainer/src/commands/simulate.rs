//! `fain simulate`.

use std::fs;
use std::path::Path;

use anyhow::Context;
use fain_simulator::ShopConfig;

use crate::arguments::SimulateArguments;
use crate::console::Console;
use crate::exit::Stop;
use crate::interrupt::Interrupt;
use crate::text::count;
use crate::{output, watch};

pub(crate) fn run(arguments: &SimulateArguments, interrupt: &Interrupt) -> anyhow::Result<()> {
    let mut config = match &arguments.config {
        Some(file) => read(file)?,
        None => ShopConfig::default(),
    };
    config.impressions = arguments.impressions.unwrap_or(config.impressions);
    config.seed = arguments.seed.unwrap_or(config.seed);
    let shop = config.check()?;
    let (samples, log) = (!arguments.log_only, arguments.log || arguments.log_only);
    refuse_to_replace(&arguments.output, samples, log)?;
    let mut console = Console::new();
    let mut lines = Vec::new();
    if samples {
        let files = watch::write_samples(&shop, &arguments.output, &mut console, interrupt)?;
        lines.extend([rows(&files.train, files.train_samples), rows(&files.test, files.test_samples)]);
    }
    if log {
        let log = watch::write_log(&shop, &arguments.output, &mut console, interrupt)?;
        lines.extend([
            rows(&log.events, log.event_count),
            rows(&log.users, shop.users()),
            rows(&log.items, u64::from(shop.items())),
        ]);
    }
    output::print(&lines.concat())
}

fn rows(file: &Path, rows: u64) -> String {
    format!("{}: {} rows\n", file.display(), count(rows))
}

fn read(file: &Path) -> anyhow::Result<ShopConfig> {
    let refuse = |problem: String| Stop::Request(format!("{}: {problem}", file.display()));
    let text = fs::read_to_string(file).map_err(|error| refuse(error.to_string()))?;
    parse(&text).map_err(|error| refuse(format!("{error:#}")).into())
}

/// Reads the text of a generator's configuration.
pub(crate) fn parse(text: &str) -> anyhow::Result<ShopConfig> {
    toml::from_str(text).context("the generator's configuration")
}

/// The generator replaces files of its names; the user may have other data there.
fn refuse_to_replace(folder: &Path, samples: bool, log: bool) -> Result<(), Stop> {
    let samples: &[&str] = if samples { &["train.csv", "test.csv"] } else { &[] };
    let log: &[&str] = if log { &["events.csv", "users.csv", "items.csv"] } else { &[] };
    for name in samples.iter().chain(log) {
        let file = folder.join(name);
        if file.symlink_metadata().is_ok() {
            return Err(Stop::Request(format!("{} exists; choose another folder with --output", file.display())));
        }
    }
    Ok(())
}

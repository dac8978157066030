//! `fain inspect`: what a configuration, a dataset, a run or a bundle is made of.

mod bundle;
mod config;
mod dataset;
mod features;
mod run;
mod tensors;

use std::path::Path;

use serde::Serialize;

use crate::arguments::InspectArguments;
use crate::exit::Stop;
use crate::output;
use crate::scoring::Place;

/// Something that was looked at: a JSON document, and a text for people.
trait View: Serialize {
    /// The text.
    fn text(&self) -> anyhow::Result<String>;
}

pub(crate) fn run(arguments: &InspectArguments) -> anyhow::Result<()> {
    let (path, json) = (arguments.path.as_path(), arguments.json);
    if path.is_file() {
        return show(&config::ConfigView::read(path)?, json);
    }
    if path.join("manifest.json").is_file() {
        return show(&dataset::DatasetView::open(path)?, json);
    }
    match Place::of(path) {
        Some(Place::Bundle) => show(&bundle::BundleView::open(path)?, json),
        Some(Place::Run(folder)) => show(&run::RunView::open(&folder)?, json),
        None => Err(Stop::Request(format!("{}: {}", path.display(), unknown(path))).into()),
    }
}

fn show(view: &impl View, json: bool) -> anyhow::Result<()> {
    if json { output::print_json(view) } else { output::print(&view.text()?) }
}

fn unknown(path: &Path) -> &'static str {
    if path.exists() {
        "is neither a configuration file nor the folder of a dataset, a run or a bundle"
    } else {
        "does not exist"
    }
}

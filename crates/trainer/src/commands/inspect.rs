//! `fain inspect`: what a configuration, samples, a dataset, a run or a bundle is made of.

mod audit;
mod bundle;
mod config;
mod dataset;
mod drawing;
mod features;
mod layers;
mod parts;
mod run;
mod samples;
mod tensors;

use std::path::Path;

use serde::Serialize;

use crate::arguments::InspectArguments;
use crate::exit::Stop;
use crate::output;
use crate::scoring::Place;

pub(crate) use samples::SamplesView;

use drawing::Drawing;
use parts::ModelParts;

/// Something that was looked at: a JSON document, and a text for people.
trait View: Serialize {
    /// The text.
    fn text(&self) -> anyhow::Result<String>;

    /// The model that can be drawn, and its name.
    fn model(&self) -> Option<(&'static str, &ModelParts)>;
}

pub(crate) fn run(arguments: &InspectArguments) -> anyhow::Result<()> {
    let path = arguments.path.as_path();
    if !arguments.settings.is_empty() && path.exists() && !path.is_file() {
        let problem = "is no configuration file; --set replaces settings of one";
        return Err(Stop::Request(format!("{}: {problem}", path.display())).into());
    }
    if arguments.audit && path.exists() {
        return audit::run(arguments);
    }
    if path.is_file() {
        return show(&config::ConfigView::read(path, &arguments.settings)?, arguments);
    }
    if samples::is_samples(path) {
        return show(&SamplesView::open(path)?, arguments);
    }
    if path.join("manifest.json").is_file() {
        return show(&dataset::DatasetView::open(path)?, arguments);
    }
    match Place::of(path) {
        Some(Place::Bundle) => show(&bundle::BundleView::open(path)?, arguments),
        Some(Place::Run(folder)) => show(&run::RunView::open(&folder)?, arguments),
        None => Err(Stop::Request(format!("{}: {}", path.display(), unknown(path))).into()),
    }
}

fn show(view: &impl View, arguments: &InspectArguments) -> anyhow::Result<()> {
    if let Some(file) = &arguments.graph {
        let path = arguments.path.display();
        let Some((model, parts)) = view.model() else {
            return Err(Stop::Request(format!("{path}: data has no model that --graph could draw")).into());
        };
        Drawing::create(file, arguments.force)?.write(&parts.layers.to_dot(&format!("{model}: {path}")))?;
    }
    if arguments.json { output::print_json(view) } else { output::print(&view.text()?) }
}

fn unknown(path: &Path) -> &'static str {
    if path.exists() {
        "is neither a configuration file nor the folder of samples, a dataset, a run or a bundle"
    } else {
        "does not exist"
    }
}

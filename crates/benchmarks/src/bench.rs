//! One call: the machine, the lines, the table.

use anyhow::{Context, Result, ensure};
use tch::Device;

use fain_autograd::{DeviceChoice, Precision};

use crate::arguments::{Arguments, Peers};
use crate::lines::{Products, report_memory};
use crate::machine::Machine;
use crate::python::{Places, Python};
use crate::results::{Results, Section};
use crate::rows::Source;
use crate::runs::Place;
use crate::{check, console, document, pictures, table, workspace};

/// What every line needs.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) machine: Machine,
    /// Where models and recurrences are trained.
    pub(crate) device: Device,
    pub(crate) source: Source,
    pub(crate) python: Option<Python>,
    pub(crate) rounds: u16,
    pub(crate) threads: u16,
    pub(crate) quick: bool,
    /// What trainings and recurrences are measured in, one row after the other.
    pub(crate) precisions: &'static [Precision],
}

impl Bench {
    /// Where our side trains, in float32.
    pub(crate) fn place(&self) -> Place {
        Place { device: self.device, threads: self.threads, precision: Precision::Float32 }
    }

    /// How long one side is measured in one round.
    pub(crate) fn seconds(&self) -> f64 {
        if self.quick { 0.5 } else { 4.0 }
    }

    /// Where our side trains in each of the precisions, and what `title` is called in it.
    pub(crate) fn ways(&self, title: &str) -> Vec<(Place, String)> {
        let way = |&precision: &Precision| {
            let title =
                if precision == Precision::Float32 { title.to_owned() } else { format!("{title}, {precision}") };
            (Place { precision, ..self.place() }, title)
        };
        self.precisions.iter().map(way).collect()
    }

    /// What bounds work that needs so many operations of matrix products for one of its unit: known in float32 alone.
    pub(crate) fn limit(&self, operations: f64, precision: Precision) -> Option<Products> {
        let seconds = self.seconds() / 4.0;
        (precision == Precision::Float32).then_some(Products { device: self.device, seconds, operations })
    }

    /// Sizes of a batch: on a GPU those that can fill it.
    pub(crate) fn batch_sizes(&self, usual: &'static [usize]) -> &'static [usize] {
        if matches!(self.device, Device::Cuda(_)) { &[1024, 8192] } else { usual }
    }
}

/// Measures what was asked for, prints the table and writes it down. False when a line failed; the others are told.
///
/// # Errors
/// The machine, the rows or the peers cannot be got ready, or a result cannot be written.
pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    if let Some(rows) = arguments.table_memory {
        return report_memory(rows, arguments.threads).map(|()| true);
    }
    if arguments.device != DeviceChoice::Cpu {
        let other = arguments.lines.iter().find(|line| !line.is_on_gpus());
        ensure!(
            other.is_none(),
            "{} is measured on the processor only",
            other.map(|line| line.name()).unwrap_or_default()
        );
    }
    let device = arguments.device.open()?;
    if matches!(device, Device::Cuda(_)) {
        fain_layers::cuda_recurrences(device).context("the recurrences have no kernels on this device")?;
    }
    let precisions: &[Precision] =
        if arguments.bfloat16 { &[Precision::Float32, Precision::BFloat16] } else { &[Precision::Float32] };
    if arguments.check {
        for &precision in precisions {
            let most = check::recurrences(device, precision)?;
            console::say(format_args!("{precision}: kernels and plain operations differ by at most {most:.1e}"));
        }
    }
    let data = arguments.data.as_deref().map(std::path::absolute).transpose().context("the path of --data")?;
    let places = Places { threads: arguments.threads, device: arguments.device, compiled: arguments.compiled };
    let python = match &arguments.peers {
        None => None,
        Some(Peers::OfRepository) => Some(Python::of_repository(places)?),
        Some(Peers::Installed(program)) => Some(Python::installed(program, places)?),
    };
    console::say("measuring the machine");
    let bench = Bench {
        machine: Machine::measure(arguments.threads, device)?,
        device,
        source: Source::open(data.as_deref())?,
        python,
        rounds: if arguments.quick { arguments.rounds.min(2) } else { arguments.rounds },
        threads: arguments.threads,
        quick: arguments.quick,
        precisions,
    };
    let mut results = Results {
        machine: bench.machine.clone(),
        rows: bench.source.name.clone(),
        rounds: bench.rounds,
        peers: bench.python.is_some(),
        quick: bench.quick,
        sections: Vec::new(),
    };
    console::print(table::head(&results));
    let mut whole = true;
    for line in arguments.chosen() {
        console::say(line.name());
        match line.measure(&bench) {
            Ok(rows) => {
                let section = Section { line: line.name(), about: line.about().to_owned(), rows };
                console::print(format_args!("\n{}", table::section(&section)));
                results.sections.push(section);
            }
            Err(error) => {
                console::error(format_args!("{}: {error:#}", line.name()));
                whole = false;
            }
        }
    }
    let output = arguments.output.clone().unwrap_or_else(|| workspace::work().join("results.json"));
    results.write(&output)?;
    let file = workspace::document();
    if whole
        && arguments.device == DeviceChoice::Cpu
        && !arguments.compiled
        && !arguments.bfloat16
        && arguments.lines.is_empty()
        && results.peers
        && !results.quick
    {
        document::rewrite(&file, &table::markdown(&results))?;
        pictures::write(&results)?;
        console::say(format_args!("{} is written anew", file.display()));
    } else {
        console::say(
            "docs/performance.md is as before: it takes the whole table of the processor, with --peers, without --quick",
        );
    }
    Ok(whole)
}

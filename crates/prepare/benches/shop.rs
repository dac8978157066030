//! How time and memory grow with the log: shops of several sizes are generated, prepared by the recipe in `datasets/shop`,
//! and encoded for a model with a history of items and one of categories.
//!
//! `cargo xtask bench -p fain-prepare -- 5 15 50` takes sizes in millions of impressions; without them, they are 0.25, 0.5
//! and 1. A million needs 350 MB of the folder for temporary files, which `TMPDIR` names. `RAYON_NUM_THREADS` sets the
//! threads. Each step is a process of its own, so that its peak of memory is its own; mapped files count, too.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark fails by panicking, and prints what it measured"
)]

use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use fain_dataset::{DataConfig, Dataset, Split};
use fain_features::SchemaConfig;
use fain_prepare::{PrepareConfig, prepare};
use fain_samples::Part;
use fain_simulator::ShopConfig;

const RECIPE: &str = include_str!("../../../datasets/shop/prepare.toml");

const SCHEMA: &str = "
    label = 'label'
    group = 'user'
    ceiling = { blind = 'blind_probability', optimal = 'true_probability' }
    [features]
    age_group = { kind = 'category' }
    gender = { kind = 'category' }
    city_tier = { kind = 'category' }
    item = { kind = 'category', min_count = 5 }
    category = { kind = 'category' }
    price = { kind = 'numeric', scale = 'quantile' }
    items = { kind = 'sequence', column = 'history.item', max_length = 50, vocabulary = 'item' }
    categories = { kind = 'sequence', column = 'history.category', max_length = 50, vocabulary = 'category' }
";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let step = |name: &str| arguments.iter().position(|argument| argument == name).map(|place| &arguments[place + 1]);
    match (step("--prepare"), step("--encode")) {
        (Some(folder), _) => prepare_log(Path::new(folder)),
        (_, Some(folder)) => encode(Path::new(folder)),
        (None, None) => {
            let sizes: Vec<f64> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
            let sizes = if sizes.is_empty() { vec![0.25, 0.5, 1.0] } else { sizes };
            sizes.into_iter().for_each(measure);
        }
    }
}

/// One size, in millions of impressions.
fn measure(millions: f64) {
    let place = tempfile::tempdir().unwrap();
    let impressions = (millions * 1e6).round() as u64;
    let shop = ShopConfig { impressions, ..ShopConfig::default() }.check().unwrap();
    let log = shop.write_log(place.path(), &mut |_| ControlFlow::Continue(())).unwrap();
    let bytes = std::fs::metadata(&log.events).unwrap().len();
    println!("{impressions} impressions: a log of {} rows, {:.0} MB", log.event_count, bytes as f64 / 1e6);
    for name in ["--prepare", "--encode"] {
        let mut child = Command::new(std::env::current_exe().unwrap());
        let output = child.arg(name).arg(place.path()).stderr(Stdio::inherit()).output().unwrap();
        assert!(output.status.success(), "{name} failed");
        print!("{}", String::from_utf8(output.stdout).unwrap());
        if name == "--prepare" {
            std::fs::remove_file(&log.events).unwrap();
        }
    }
}

fn prepare_log(folder: &Path) {
    let recipe: PrepareConfig = toml::from_str(RECIPE).unwrap();
    let config = PrepareConfig { root: folder.to_owned(), ..recipe };
    let started = Instant::now();
    let prepared = prepare(&config, &folder.join("samples"), &mut |_| ControlFlow::Continue(())).unwrap();
    let samples = Part::ALL.map(|part| prepared.samples.rows(part).rows).iter().sum();
    report("prepared", prepared.summary.rows, samples, started);
}

fn encode(folder: &Path) {
    let mut data: DataConfig = toml::from_str("samples = 'samples'").unwrap();
    (data.root, data.cache) = (folder.to_owned(), folder.join("cache"));
    let schema: SchemaConfig = toml::from_str(SCHEMA).unwrap();
    let started = Instant::now();
    let dataset = Dataset::prepare(&data, &schema.check().unwrap(), &mut |_| ControlFlow::Continue(())).unwrap();
    let rows = [Some(dataset.train()), Some(dataset.validation()), dataset.test()];
    let rows = rows.into_iter().flatten().map(Split::rows).sum();
    report("encoded", rows, rows, started);
}

fn report(what: &str, rows: u64, samples: u64, started: Instant) {
    let seconds = started.elapsed().as_secs_f64();
    let memory = peak().map_or_else(|| "peak of memory unknown".to_owned(), |peak| per_million(peak, samples));
    println!("  {what}: {rows} rows in {seconds:.1} s, {:.0} rows/s, {memory}", rows as f64 / seconds);
}

fn per_million(peak: f64, samples: u64) -> String {
    format!("peak {peak:.0} MiB, {:.1} MiB per million samples", peak / (samples as f64 / 1e6))
}

/// The most memory that this process had, in MiB; where the system tells.
fn peak() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse::<f64>().ok().map(|kib| kib / 1024.0)
}

//! Layers against published numbers.
//!
//! The fixtures are those of `tests/golden`, or of the folder that `FAIN_GOLDEN` names (a relative path starts at
//! `tests`). A layer is added by a file here and a line in [`LAYERS`].

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod activation_unit;
mod attention;
mod attention_group;
mod auxiliary;
mod dice;
mod dien;
mod din_000;
mod din_001;
mod din_003;
mod din_rechub;
mod interest;
mod mlp;
mod model;
mod optim;
mod pooling;
mod recurrent;
mod recurrent_cells;
mod trajectory;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use fain_tests::{BATCH_COUNT, Exclusion, Fixture, Report};

/// How a fixture is checked.
type Check = fn(&Fixture, &mut Report);

/// The fixtures that are checked here.
const LAYERS: &[(&str, Check)] = &[
    ("activation_unit_rechub", activation_unit::check),
    ("agru_cell", recurrent_cells::check_agru),
    ("aigru", recurrent::check_aigru),
    ("attention_din", attention::check),
    ("attention_din_variants", attention::check),
    ("augru_cell", recurrent_cells::check_augru),
    ("aux_loss", auxiliary::check_loss),
    ("auxiliary_net", auxiliary::check_net),
    ("dice_2d", dice::check),
    ("dice_3d", dice::check),
    ("dice_rechub", dice::check_per_sample),
    ("dien", dien::check),
    ("din_000", din_000::check),
    ("din_001", din_001::check),
    ("din_003", din_003::check),
    ("din_rechub", din_rechub::check),
    ("dynamic_gru", recurrent::check_attentional),
    ("gru_packed", recurrent::check_gru),
    ("interest", interest::check),
    ("mlp", mlp::check),
    ("optim", optim::check),
    ("pooling", pooling::check),
    ("train_trajectory_dien_bnvalid", trajectory::check),
];

/// Fixtures that the crate of their subject reads in its own tests.
const TESTED_ELSEWHERE: &[&str] =
    &["auc", "category_encoder", "gauc", "logloss", "quantile_transformer", "sequence_encoder"];

/// What the layers are not held to.
const EXCLUSIONS: &[&Exclusion] = &[
    &BATCH_COUNT,
    &attention::PADDING_IN_STATISTICS,
    &activation_unit::SINGLE_EVENT,
    &auxiliary::SATURATED,
    &din_003::PADDING_FOR_EMPTY,
];

/// The fixtures of this repository.
fn own_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// The fixtures of this run.
fn folder() -> PathBuf {
    std::env::var_os("FAIN_GOLDEN").map_or_else(own_folder, PathBuf::from)
}

/// Names of the fixtures in a folder. Text for people (`.md`) is none.
fn fixtures(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names = BTreeSet::new();
    for entry in entries {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "md") {
            continue;
        }
        let known = path.extension().is_some_and(|ending| ending == "json" || ending == "safetensors");
        assert!(known, "{}: not a fixture", path.display());
        names.insert(path.file_stem().unwrap().to_string_lossy().into_owned());
    }
    names
}

/// Checks the fixtures of a folder that belong to a layer here.
fn run(folder: &Path) -> Report {
    // Tensors are small here: threads would only wait for each other.
    tch::set_num_threads(1);
    let names = fixtures(folder);
    let mut report = Report::default();
    for &(name, check) in LAYERS {
        if names.contains(name) {
            match Fixture::read(folder, name) {
                Ok(fixture) => check(&fixture, &mut report),
                Err(error) => report.fail(error.to_string()),
            }
        }
    }
    report
}

/// The report of this repository's fixtures, which two tests read.
static OWN: LazyLock<Report> = LazyLock::new(|| run(&own_folder()));

#[test]
fn every_layer_equals_its_golden_values() {
    let other = (folder() != own_folder()).then(|| run(&folder()));
    let report = other.as_ref().unwrap_or(&OWN);
    // Past the test harness, which shows the output of failing tests only.
    let mut output = std::io::stdout();
    write!(output, "\n{report}").unwrap();
    for exclusion in EXCLUSIONS {
        writeln!(output, "{}: {}", exclusion.name, exclusion.reason).unwrap();
    }
    let failures = report.failures();
    assert!(failures.is_empty(), "{} differences:\n{}", failures.len(), failures.join("\n"));
    assert!(report.compared() > 0, "no fixture in {:?}", folder());
}

#[test]
fn every_file_is_known() {
    let unknown: Vec<String> = fixtures(&folder())
        .into_iter()
        .filter(|name| LAYERS.iter().all(|(layer, _)| layer != name))
        .filter(|name| !TESTED_ELSEWHERE.contains(&name.as_str()) && name != attention_group::NAME)
        .collect();
    assert!(unknown.is_empty(), "no test reads {unknown:?} of {:?}", folder());
}

#[test]
fn no_layer_lacks_its_fixture() {
    let present = fixtures(&own_folder());
    for &(name, _) in LAYERS {
        assert!(present.contains(name), "{name} is not in tests/golden");
    }
}

#[test]
fn every_exclusion_is_present_and_needed() {
    let report = &OWN;
    let used: BTreeSet<&str> = report.kept_out().keys().map(|(name, _)| *name).collect();
    let listed: BTreeSet<&str> = EXCLUSIONS.iter().map(|exclusion| exclusion.name).collect();
    assert_eq!(used, listed);
    for ((name, place), kept) in report.kept_out() {
        assert!(kept.differing > 0, "{name} keeps {} tensors of {place} out, but all of them agree", kept.tensors);
    }
}

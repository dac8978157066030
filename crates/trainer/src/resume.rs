//! Whether a run may go on: it was begun, is not done, and the configuration is still the same.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use fain_training::{Experiment, RunFolder};
use toml::{Table, Value};

use crate::exit::Stop;

/// Settings that a run may be given anew: they say when to stop, not what a step does.
const FREE: [&str; 2] = ["training.epochs", "training.patience"];

/// The command that goes on with a run. The run's own configuration has every setting that the run was begun with.
pub(crate) fn command(folder: &RunFolder) -> String {
    format!("fain train {} --output {} --resume", folder.config().display(), folder.path().display())
}

/// Opens the folder of a run that is to go on as `experiment` (resolved) says.
pub(crate) fn open(output: &Path, experiment: &Experiment) -> anyhow::Result<RunFolder> {
    let folder = RunFolder::open(output)?;
    if folder.report().exists() {
        let problem = "the run is done, as its report.json says; there is nothing to go on with";
        return Err(Stop::Request(format!("{}: {problem}", output.display())).into());
    }
    let differences = differences(&folder.read_config()?.to_toml()?, &experiment.to_toml()?)?;
    if differences.is_empty() {
        return Ok(folder);
    }
    Err(Stop::Request(format!(
        "{}: the run was begun with other settings: {}; only {} may change",
        folder.config().display(),
        differences.join(", "),
        FREE.join(" and ")
    ))
    .into())
}

/// The settings that differ, in words and in the order of their keys.
fn differences(begun: &str, asked: &str) -> anyhow::Result<Vec<String>> {
    let (begun, asked) = (settings(begun)?, settings(asked)?);
    let keys: Vec<&String> = begun.keys().chain(asked.keys().filter(|key| !begun.contains_key(*key))).collect();
    let shown = |value: Option<&Value>| value.map_or_else(|| "not set".to_owned(), Value::to_string);
    let mut differences: Vec<String> = keys
        .into_iter()
        .filter(|key| !FREE.contains(&key.as_str()) && begun.get(*key) != asked.get(*key))
        .map(|key| format!("{key} was {} and is {}", shown(begun.get(key)), shown(asked.get(key))))
        .collect();
    differences.sort();
    Ok(differences)
}

/// Every setting under its full key.
fn settings(text: &str) -> anyhow::Result<BTreeMap<String, Value>> {
    let table: Table = text.parse().context("a configuration that was just written")?;
    let mut flat = BTreeMap::new();
    flatten("", table, &mut flat);
    Ok(flat)
}

fn flatten(prefix: &str, table: Table, flat: &mut BTreeMap<String, Value>) {
    for (key, value) in table {
        let key = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
        match value {
            Value::Table(table) => flatten(&key, table, flat),
            value => {
                flat.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn what_differs_is_named_with_both_values() {
        let begun = "[a]\nx = 1\nlist = [1, 2]\n[a.b]\ngone = \"g\"\n[training]\nepochs = 1\n";
        let asked = "[a]\nx = 2\nlist = [1, 3]\nnew = true\n[training]\nepochs = 9\npatience = 3\n";
        assert_eq!(
            differences(begun, asked).unwrap(),
            [
                "a.b.gone was \"g\" and is not set",
                "a.list was [1, 2] and is [1, 3]",
                "a.new was not set and is true",
                "a.x was 1 and is 2",
            ]
        );
        assert!(differences(begun, begun).unwrap().is_empty());
    }
}

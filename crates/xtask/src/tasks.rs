//! The tasks that run the workspace: demo, test, bench.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;

use anyhow::{Context, Result};

use crate::cargo::{self, Cargo, shown};
use crate::console;

/// Replaces this process by the demo: its exit code and its handling of Ctrl-C are fain's own.
///
/// # Errors
/// cargo cannot be started.
pub(crate) fn demo(cargo: &Cargo<'_>, arguments: &[OsString]) -> Result<()> {
    let mut command = cargo.command(["run", "--release", "-p", "fain", "--", "demo"]);
    command.args(arguments);
    let line = shown(&command);
    console::say(&line);
    // `exec` returns only when it failed.
    Err(command.exec()).with_context(|| format!("`{line}` cannot be started"))
}

/// Runs the tests of the workspace, or of the crates that the arguments name.
///
/// # Errors
/// A test fails, or a crate does not build.
pub(crate) fn test(cargo: &Cargo<'_>, arguments: &[OsString]) -> Result<()> {
    let mut command = cargo.command(["test", "--release"]);
    command.args(whole_workspace(arguments)).args(arguments);
    cargo::step(command)
}

/// Measures the table of benchmarks.
///
/// # Errors
/// A line fails, or a crate does not build.
pub(crate) fn bench(cargo: &Cargo<'_>, arguments: &[OsString]) -> Result<()> {
    let mut command = cargo.command(["run", "--release", "-p", "fain-benchmarks", "--"]);
    command.args(arguments);
    cargo::step(command)
}

/// Runs the benchmarks of the workspace, or of the crates that the arguments name. The profile `bench` is `release`.
///
/// # Errors
/// A benchmark fails, or a crate does not build.
pub(crate) fn kernels(cargo: &Cargo<'_>, arguments: &[OsString]) -> Result<()> {
    let mut command = cargo.command(["bench"]);
    command.args(whole_workspace(arguments)).args(arguments);
    cargo::step(command)
}

/// Runs the tests that read files with wrong bytes, with this many cases for each kind of file.
///
/// # Errors
/// A case fails, or a crate does not build.
pub(crate) fn fuzz(cargo: &Cargo<'_>, cases: u64) -> Result<()> {
    let mut command = cargo.command(["test", "--release", "-p", "fain-dataset", "--test", "mutation"]);
    // One kind of file after the other, each on all threads; each says how many cases were refused and how many accepted.
    command.args(["--", "--test-threads", "1", "--nocapture"]);
    command.env("FAIN_CASES", cases.to_string());
    cargo::step(command)
}

/// `--workspace`, unless the arguments name crates: cargo would take both and ignore the names.
fn whole_workspace(arguments: &[OsString]) -> Option<&'static str> {
    let names_a_crate =
        arguments.iter().take_while(|argument| *argument != "--").map(|argument| argument.to_string_lossy()).any(
            |argument| {
                (argument.starts_with("-p") && !argument.starts_with("--"))
                    || argument == "--package"
                    || argument.starts_with("--package=")
            },
        );
    (!names_a_crate).then_some("--workspace")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flag(line: &str) -> Option<&'static str> {
        let arguments: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        whole_workspace(&arguments)
    }

    #[test]
    fn the_whole_workspace_is_meant_unless_a_crate_is_named() {
        assert_eq!(flag(""), Some("--workspace"));
        assert_eq!(flag("--profile release auc"), Some("--workspace"));
        assert_eq!(flag("-- -p"), Some("--workspace"), "that is an argument of the test program");
        for line in ["-p fain", "-pfain", "--lib -p fain", "--package fain", "--package=fain"] {
            assert_eq!(flag(line), None, "{line}");
        }
    }
}

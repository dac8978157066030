//! Runs cargo as the tasks need it.

use std::ffi::{OsStr, OsString};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::console;
use crate::environment::Environment;

/// The cargo that started this program, with the variables that lead to `.libtorch`.
pub(crate) struct Cargo<'a> {
    program: OsString,
    environment: &'a Environment,
}

impl<'a> Cargo<'a> {
    pub(crate) fn new(environment: &'a Environment) -> Self {
        Self { program: std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), environment }
    }

    /// A cargo command that has not started yet.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments);
        self.environment.apply(&mut command);
        command
    }
}

/// Runs a command as a step whose output the user sees.
///
/// # Errors
/// The command cannot be started, or it fails.
pub(crate) fn step(mut command: Command) -> Result<()> {
    let line = shown(&command);
    console::step(&line, || {
        let status = command.status().with_context(|| format!("`{line}` cannot be started"))?;
        if !status.success() {
            bail!("`{line}` failed ({status})");
        }
        Ok(())
    })
}

/// Runs a command and returns what it printed.
///
/// # Errors
/// The command cannot be started, or it fails; what it wrote to stderr is part of the error.
pub(crate) fn output(mut command: Command) -> Result<String> {
    let line = shown(&command);
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("`{line}` cannot be started"))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        bail!("`{line}` failed ({}):\n{}", output.status, text.trim_end());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The command as one would type it.
pub(crate) fn shown(command: &Command) -> String {
    let mut line = "cargo".to_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}

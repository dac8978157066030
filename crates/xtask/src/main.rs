//! Tasks of this repository: `cargo xtask setup | demo | test | bench | cuda-folder | fuzz | ci`.
//!
//! Every task first makes sure that libtorch is in `.libtorch/`, then runs cargo in the release profile, so that the
//! C++ half of `torch-sys`, minutes of work, is compiled once. The way of a call: [`arguments`] says what is wanted,
//! [`environment`] what the shell changes about the build, [`setup`] provides libtorch, [`tasks`] and [`checks`] run
//! cargo.

#[cfg(not(unix))]
compile_error!("cargo xtask sets links and replaces its process, which it can do on Linux only");

mod arguments;
mod cargo;
mod checks;
mod console;
mod cuda_folder;
mod encoding;
mod environment;
mod setup;
mod tasks;
mod workspace;

use std::process::ExitCode;

use anyhow::Context;

use crate::arguments::Request;
use crate::cargo::Cargo;
use crate::environment::Environment;
use crate::setup::Choice;
use crate::workspace::Workspace;

/// Why a call ended without its result.
enum Failure {
    /// The request contradicts itself or names nothing known: exit code 2.
    Request(String),
    /// The work could not be done: exit code 1.
    Work(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Work(error)
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Request(text)) => {
            console::error(text);
            ExitCode::from(2)
        }
        Err(Failure::Work(error)) => {
            // `{:#}` is the chain of reasons without the backtrace that RUST_BACKTRACE would add.
            console::error(format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    let request = arguments::parse(std::env::args_os().skip(1)).map_err(Failure::Request)?;
    if let Request::Help(text) = request {
        console::print(text);
        return Ok(());
    }
    let pytorch = std::env::var_os("FAIN_LIBTORCH").filter(|path| !path.is_empty());
    let cpu = matches!(request, Request::Setup { cpu: true });
    let choice = Choice::new(cpu, pytorch).map_err(Failure::Request)?;

    let folder = std::env::current_dir().context("the current folder cannot be read")?;
    let workspace = Workspace::above(&folder)?;
    let program = std::env::current_exe().context("the path of this program cannot be read")?;
    let environment = Environment::read(&workspace, &program, |name| std::env::var_os(name));
    for note in environment.notes() {
        console::warn(note);
    }
    let cargo = Cargo::new(&environment);
    setup::provide(&workspace, &choice, &environment, &cargo)?;
    match request {
        Request::Help(_) | Request::Setup { .. } => {}
        Request::Demo(arguments) => tasks::demo(&cargo, &arguments)?,
        Request::Test(arguments) => tasks::test(&cargo, &arguments)?,
        Request::Bench(arguments) => tasks::bench(&cargo, &arguments)?,
        Request::Kernels(arguments) => tasks::kernels(&cargo, &arguments)?,
        Request::BenchEncoding(encoding) => encoding::bench(&workspace, &environment, &cargo, &encoding)?,
        Request::CudaFolder { output } => cuda_folder::make(&workspace, &environment, &cargo, output.as_deref())?,
        Request::Fuzz { cases } => tasks::fuzz(&cargo, cases)?,
        Request::Ci { test } => {
            checks::components(&cargo)?;
            if test {
                tasks::test(&cargo, &[])?;
            }
            checks::run(&cargo)?;
        }
    }
    Ok(())
}

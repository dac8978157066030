//! The program `fain`: arguments, progress and exit codes. The work is done by the libraries.

mod arguments;
mod commands;
mod console;
mod exit;
mod interrupt;
mod metrics_text;
mod new_file;
mod output;
mod resume;
mod run;
mod scoring;
mod text;
mod watch;

use std::io::{Write, stderr};
use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Command};
use crate::interrupt::Interrupt;

fn main() -> ExitCode {
    // Before anything large is allocated. Where the allocator has no such setting, steps are somewhat slower.
    fain_autograd::keep_freed_memory();
    match dispatch(&Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // When standard error is closed, the exit code still tells.
            let _ = writeln!(stderr().lock(), "fain: error: {}", exit::line(&error));
            ExitCode::from(exit::code(&error))
        }
    }
}

fn dispatch(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Demo(arguments) => commands::demo::run(arguments, &Interrupt::listen()?),
        Command::Prepare(arguments) => commands::prepare::run(arguments, &Interrupt::listen()?),
        Command::Train(arguments) => commands::train::run(arguments, &Interrupt::listen()?),
        Command::Evaluate(arguments) => commands::evaluate::run(arguments, &Interrupt::listen()?),
        Command::Predict(arguments) => commands::predict::run(arguments, &Interrupt::listen()?),
        Command::Simulate(arguments) => commands::simulate::run(arguments, &Interrupt::listen()?),
        // These two are over at once and leave nothing: Ctrl-C may end them as it ends any program.
        Command::Inspect(arguments) => commands::inspect::run(arguments),
        Command::Completions(arguments) => commands::completions::run(arguments),
    }
}

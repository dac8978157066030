//! What the tasks say: steps, warnings and errors on stderr, help on stdout.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the one place where this program writes to its streams")]

use std::fmt::Display;
use std::time::Instant;

use anyhow::Result;

/// Prints a text that was asked for, such as the help.
pub(crate) fn print(text: impl Display) {
    print!("{text}");
}

/// Prints one line about what goes on.
pub(crate) fn say(text: impl Display) {
    eprintln!("xtask: {text}");
}

/// Prints what may go wrong, and what to do about it.
pub(crate) fn warn(text: impl Display) {
    eprintln!("xtask: warning: {text}");
}

/// Prints why the call failed.
pub(crate) fn error(text: impl Display) {
    eprintln!("xtask: error: {text}");
}

/// Does one step of a task, and says its name before and its seconds after.
pub(crate) fn step<T>(name: impl Display, work: impl FnOnce() -> Result<T>) -> Result<T> {
    say(&name);
    let start = Instant::now();
    let result = work();
    let seconds = start.elapsed().as_secs_f64();
    match &result {
        Ok(_) => say(format_args!("{name}: {seconds:.1} s")),
        Err(_) => say(format_args!("{name}: failed after {seconds:.1} s")),
    }
    result
}

//! What the program says: the table on stdout, what goes on and errors on stderr.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the one place where this program writes to its streams")]

use std::fmt::Display;

/// Prints the result.
pub(crate) fn print(text: impl Display) {
    print!("{text}");
}

/// Prints one line about what goes on.
pub(crate) fn say(text: impl Display) {
    eprintln!("bench: {text}");
}

/// Prints why a line or the call failed.
pub(crate) fn error(text: impl Display) {
    eprintln!("bench: error: {text}");
}

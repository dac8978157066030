//! The program from outside: arguments in, exit code, streams and files out.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod bad_input;
mod configs;
mod evaluate;
mod full_disk;
mod generate;
mod inspect;
mod kinds;
mod precision;
mod predict;
mod prepare;
mod resume;
mod support;
mod train;
mod training_only;

//! The program as a user meets it, in a repository of fake files and with fake programs: no network, no libtorch.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod commands;
mod pytorch;
mod refusals;
mod repository;
mod wheels;

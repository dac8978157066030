//! The table of benchmarks: `cargo xtask bench` runs this program.
//!
//! Each line of the table is the same work done by fain and by other programs, in alternating rounds of one call, beside
//! the limit of the machine: the arithmetic of the work over the rate of matrix products in the same rounds. How a call goes:
//! [`arguments`] says what is wanted, [`machine`] measures what the machine can do, [`lines`] do the work, [`table`] and
//! [`document`] write it down. Other programs are Python processes of [`python`] that answer one request at a time.

mod arguments;
mod bench;
mod check;
mod console;
mod document;
mod figures;
mod lines;
mod machine;
mod npy;
mod pictures;
mod python;
mod results;
mod rounds;
mod rows;
mod runs;
mod table;
mod work;
mod workspace;

use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::Arguments;

fn main() -> ExitCode {
    // As the program `fain` does, whose steps are measured here.
    fain_autograd::keep_freed_memory();
    match bench::run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            console::error(format_args!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

//! How fast samples are encoded, beside pandas and scikit-learn.

use std::ffi::OsString;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::arguments::Encoding;
use crate::cargo::{self, Cargo};
use crate::console;
use crate::environment::Environment;
use crate::workspace::Workspace;

/// Where the peer does the same work.
const PEER: &str = "crates/features/benches/encoding_peer.py";

/// Builds the program, runs it, and the peer in turns with it if there is one.
///
/// # Errors
/// A file cannot be read or written, the peer lacks its libraries, or the results differ.
pub(crate) fn bench(
    workspace: &Workspace,
    environment: &Environment,
    cargo: &Cargo<'_>,
    request: &Encoding,
) -> Result<()> {
    cargo::step(cargo.command(["build", "--release", "-p", "fain-features", "--example", "encoding_speed"]))?;
    let program = environment.target().join("release/examples/encoding_speed");
    let data = if let Some(data) = &request.data {
        data.clone()
    } else {
        let data = environment.target().join("encoding_samples.csv.gz");
        let mut generate = Command::new(&program);
        generate.arg("--generate").arg(&data);
        run("samples like those of MovieLens are generated", generate)?;
        data.into_os_string()
    };
    let rounds = OsString::from(request.rounds.to_string());
    if let Some(peer) = &request.peer {
        let mut compare = Command::new(peer);
        compare.arg(workspace.root().join(PEER)).args([&data, program.as_os_str(), &rounds]);
        run("fain and its peer encode in turns", compare)
    } else {
        let mut measure = Command::new(&program);
        measure.arg(&data).arg("--rounds").arg(&rounds);
        run("fain encodes", measure)
    }
}

/// Runs a program whose output the user sees.
fn run(step: &str, mut command: Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    console::step(step, || {
        let status = command.status().with_context(|| format!("`{program}` cannot be started"))?;
        if !status.success() {
            bail!("`{program}` failed ({status})");
        }
        Ok(())
    })
}

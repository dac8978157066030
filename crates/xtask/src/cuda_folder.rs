//! A folder that runs on a machine with a GPU: programs that were built here, which take libtorch from the PyTorch there.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::cargo::{self, Cargo};
use crate::console;
use crate::environment::Environment;
use crate::workspace::Workspace;

const PROGRAMS: [&str; 2] = ["fain", "fain-benchmarks"];

const RUN: &str = include_str!("cuda_folder/run.sh");
const README: &str = include_str!("cuda_folder/README.md");

/// The most bytes of the folder: it is to be sent to where the GPU is.
const MOST: u64 = 60_000_000;

/// Builds the programs and fills the folder.
///
/// # Errors
/// A program does not build, `strip` is missing, the folder has other things in it or cannot be written, or it gets too
/// large.
pub(crate) fn make(
    workspace: &Workspace,
    environment: &Environment,
    cargo: &Cargo<'_>,
    output: Option<&OsStr>,
) -> Result<()> {
    let folder = output.map_or_else(|| environment.target().join("cuda"), PathBuf::from);
    check_old(&folder)?;
    let packages = PROGRAMS.iter().flat_map(|program| ["-p", program]);
    cargo::step(cargo.command(["build", "--release"].into_iter().chain(packages)))?;
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("{} cannot be removed", folder.display()))?;
    }
    let bin = folder.join("bin");
    fs::create_dir_all(&bin).with_context(|| format!("{} cannot be made", bin.display()))?;
    for program in PROGRAMS {
        strip(&environment.target().join("release").join(program), &bin.join(program))?;
    }
    let root = workspace.root();
    copy_files(&root.join("configs"), &folder.join("configs"), |name| has_extension(name, "toml"))?;
    copy_files(&root.join("crates/benchmarks/peers"), &folder.join("peers"), |name| {
        // Reading text is no work of a GPU; the script needs others of the repository.
        name != "encoding.py" && (has_extension(name, "py") || has_extension(name, "txt"))
    })?;
    write(&folder.join("README.md"), README, 0o644)?;
    write(&folder.join("run.sh"), RUN, 0o755)?;
    let bytes = size(&folder)?;
    ensure!(bytes < MOST, "{} has {bytes} bytes; at most {MOST} are allowed", folder.display());
    console::say(format_args!("{} is ready, {:.1} MB", folder.display(), bytes as f64 / 1e6));
    Ok(())
}

/// Refuses to replace a folder that this task has not made.
fn check_old(folder: &Path) -> Result<()> {
    let Ok(mut entries) = fs::read_dir(folder) else { return Ok(()) };
    if entries.next().is_some() && fs::read_to_string(folder.join("run.sh")).ok().is_none_or(|run| !is_ours(&run)) {
        bail!("{} has other things in it; name another folder", folder.display());
    }
    Ok(())
}

/// Whether a script is of this task, of now or of before.
fn is_ours(run: &str) -> bool {
    run.lines().nth(1) == RUN.lines().nth(1)
}

/// A copy of a program without what only debuggers read.
fn strip(program: &Path, copy: &Path) -> Result<()> {
    let mut command = Command::new("strip");
    command.arg("-o").arg(copy).arg(program);
    let status = command.status().context("`strip` cannot be started; it comes with the C++ compiler")?;
    ensure!(status.success(), "`strip` failed on {} ({status})", program.display());
    Ok(())
}

fn has_extension(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|own| own == extension)
}

/// Copies the files of a folder whose names are wanted; what is in its folders is left out.
fn copy_files(from: &Path, to: &Path, wanted: impl Fn(&str) -> bool) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("{} cannot be made", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("{} cannot be read", from.display()))? {
        let file = entry?.path();
        let Some(name) = file.file_name().and_then(OsStr::to_str) else { continue };
        if file.is_file() && wanted(name) {
            fs::copy(&file, to.join(name)).with_context(|| format!("{} cannot be copied", file.display()))?;
        }
    }
    Ok(())
}

fn write(file: &Path, text: &str, mode: u32) -> Result<()> {
    fs::write(file, text)
        .and_then(|()| fs::set_permissions(file, fs::Permissions::from_mode(mode)))
        .with_context(|| format!("{} cannot be written", file.display()))
}

/// Bytes of all files below a folder.
fn size(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))? {
        let entry = entry?;
        let about = entry.metadata()?;
        bytes += if about.is_dir() { size(&entry.path())? } else { about.len() };
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_folder_of_somebody_else_is_left_alone() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("out");
        check_old(&folder).unwrap();
        fs::create_dir(&folder).unwrap();
        check_old(&folder).unwrap();
        fs::write(folder.join("run.sh"), "#!/bin/sh\n# Mine.\n").unwrap();
        assert!(check_old(&folder).unwrap_err().to_string().contains("has other things in it"));
        fs::write(folder.join("run.sh"), RUN).unwrap();
        check_old(&folder).unwrap();
    }

    #[test]
    fn wanted_files_are_copied_and_counted() {
        let place = tempfile::tempdir().unwrap();
        let [from, to] = ["from", "to"].map(|name| place.path().join(name));
        fs::create_dir_all(from.join("inner")).unwrap();
        for (name, text) in [("a.py", "1234"), ("b.md", "12"), ("inner/c.py", "1")] {
            fs::write(from.join(name), text).unwrap();
        }
        copy_files(&from, &to, |name| has_extension(name, "py")).unwrap();
        assert!(to.join("a.py").is_file() && !to.join("b.md").exists() && !to.join("inner").exists());
        assert_eq!((size(&from).unwrap(), size(&to).unwrap()), (7, 4));
    }

    #[test]
    fn the_scripts_start_as_they_say() {
        assert!(RUN.starts_with("#!/usr/bin/env bash\n"));
        assert!(README.contains("./run.sh --quick --device cpu"));
        let place = tempfile::tempdir().unwrap();
        let run = place.path().join("run.sh");
        write(&run, RUN, 0o755).unwrap();
        let help = Command::new(&run).arg("--help").output().unwrap();
        assert!(help.status.success());
        assert!(String::from_utf8_lossy(&help.stdout).starts_with("Usage: ./run.sh"));
    }
}

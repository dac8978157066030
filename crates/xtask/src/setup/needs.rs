//! What a set-up needs of the machine, looked for before anything is changed.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use super::wheels;
use crate::workspace::Workspace;

/// Disk space while a set-up runs, in kB: a wheel twice while pip stores it, then all wheels and the tree.
const SPACE: u64 = 1_300_000;

/// The end of each message about a missing way to the wheels.
const OTHERWISE: &str = "or set FAIN_LIBTORCH to an installed PyTorch 2.11";

/// A C++ compiler is there: `torch-sys` and `fain-autograd` compile C++.
///
/// # Errors
/// None is, or one is under a name that the build does not look for.
pub(super) fn compiler() -> Result<()> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let chosen = std::env::var("CXX").unwrap_or_default();
    // CXX may carry a wrapper or arguments, as in `ccache g++`.
    if let Some(program) = chosen.split_whitespace().next() {
        if !on_path(program, &path) {
            bail!("CXX={chosen} names a C++ compiler that is not there. Unset CXX, or set it to one that is");
        }
        return Ok(());
    }
    if on_path("c++", &path) {
        return Ok(());
    }
    for other in ["g++", "clang++"] {
        if on_path(other, &path) {
            bail!("the build looks for a C++ compiler named c++, and there is only {other}. Type: export CXX={other}");
        }
    }
    bail!(
        "there is no C++ compiler (c++, g++, clang++ or $CXX). The bindings to libtorch are C++ and compiled here. \
         On Debian or Ubuntu type: apt-get install g++"
    )
}

/// The pinned wheels run on this machine.
///
/// # Errors
/// It is not Linux on x86-64 with glibc.
pub(super) fn platform() -> Result<()> {
    let (system, processor) = (std::env::consts::OS, std::env::consts::ARCH);
    supported(system, processor, cfg!(target_env = "gnu"))
}

fn supported(system: &str, processor: &str, glibc: bool) -> Result<()> {
    if system == "linux" && processor == "x86_64" && glibc {
        return Ok(());
    }
    let without = if system == "linux" && !glibc { " without glibc" } else { "" };
    bail!(
        "the public CPU wheel is set up on Linux x86-64 with glibc only, and this is {system} {processor}{without}. \
         Install PyTorch 2.11 and set FAIN_LIBTORCH to its folder"
    )
}

/// Python and its pip are there: they fetch and unpack the wheels.
///
/// # Errors
/// One of them is not.
pub(super) fn pip() -> Result<()> {
    let runs = |arguments: &[&str]| {
        Command::new("python3")
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    if !runs(&["--version"]) {
        bail!(
            "python3 is missing. Its pip fetches libtorch from the public wheel. \
             On Debian or Ubuntu type: apt-get install python3-pip; {OTHERWISE}"
        );
    }
    if !runs(&["-m", "pip", "--version"]) {
        bail!(
            "python3 is there, but its pip is missing. It fetches libtorch from the public wheel. \
             On Debian or Ubuntu type: apt-get install python3-pip; {OTHERWISE}"
        );
    }
    Ok(())
}

/// There is room for the wheels and the tree; wheels kept from an interrupted call count as room.
///
/// # Errors
/// There is too little. Where `df` cannot say, this passes, and pip reports a full disk itself.
pub(super) fn space(workspace: &Workspace) -> Result<()> {
    let root = workspace.root();
    let Ok(output) = Command::new("df").arg("-Pk").arg(root).output() else {
        return Ok(());
    };
    let Some(free) = free(&String::from_utf8_lossy(&output.stdout)) else {
        return Ok(());
    };
    enough(root, free, SPACE.saturating_sub(wheels::kept(workspace) / 1000))
}

fn enough(root: &Path, free: u64, needed: u64) -> Result<()> {
    if free < needed {
        bail!(
            "the disk of {} has {} MB free, and the set-up needs {} MB (500 MB after it). Make room, {OTHERWISE}",
            root.display(),
            free / 1000,
            needed / 1000
        );
    }
    Ok(())
}

/// The available kB in what `df -Pk` prints for one file.
fn free(table: &str) -> Option<u64> {
    table.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()
}

/// Whether a program is there: by its path when it has one, else in a folder of `path`.
fn on_path(program: &str, path: &OsStr) -> bool {
    let executable =
        |file: &Path| file.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0);
    if program.contains('/') {
        return executable(Path::new(program));
    }
    std::env::split_paths(path).any(|folder| executable(&folder.join(program)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn other_systems_are_sent_to_the_variable() {
        assert!(supported("linux", "x86_64", true).is_ok());
        for (system, processor, glibc, shown) in [
            ("linux", "x86_64", false, "linux x86_64 without glibc"),
            ("linux", "aarch64", true, "linux aarch64"),
            ("macos", "aarch64", false, "macos aarch64"),
        ] {
            let error = supported(system, processor, glibc).err().unwrap().to_string();
            assert!(error.contains(&format!("this is {shown}. ")), "{error}");
            assert!(error.contains("set FAIN_LIBTORCH"), "{error}");
        }
    }

    #[test]
    fn the_free_space_is_the_fourth_column() {
        let table = "Filesystem     1024-blocks     Used Available Capacity Mounted on\n\
                     /dev/vda         264212084 13585116  81700772      15% /\n";
        assert_eq!(free(table), Some(81_700_772));
        assert_eq!(free("Filesystem\n"), None);
        assert_eq!(free(""), None);
        assert_eq!(free("Filesystem\nremote - - - - /mnt\n"), None);
    }

    #[test]
    fn too_little_space_is_said_in_megabytes() {
        assert!(enough(Path::new("/repo"), 1_300_000, 1_300_000).is_ok());
        let error = enough(Path::new("/repo"), 1_299_999, 1_300_000).err().unwrap().to_string();
        assert_eq!(
            error,
            "the disk of /repo has 1299 MB free, and the set-up needs 1300 MB (500 MB after it). Make room, or set \
             FAIN_LIBTORCH to an installed PyTorch 2.11"
        );
    }

    #[test]
    fn a_program_must_be_executable() {
        let folder = tempfile::tempdir().unwrap();
        let (program, note) = (folder.path().join("c++"), folder.path().join("note"));
        std::fs::write(&program, "").unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::write(&note, "").unwrap();
        let path = std::env::join_paths([Path::new("/nonexistent"), folder.path()]).unwrap();
        assert!(on_path("c++", &path));
        assert!(on_path(program.to_str().unwrap(), OsStr::new("")));
        assert!(!on_path("note", &path), "not executable");
        assert!(!on_path("g++", &path));
    }
}

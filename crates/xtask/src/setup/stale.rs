//! Finds builds of `torch-sys` that a change of libtorch made unusable.
//!
//! The build script of `torch-sys` asks the linker for `libtorch_cuda.so` when libtorch has one, and does not look
//! again when libtorch changes. After a change from a CUDA PyTorch to the CPU wheel, linking would fail. (The other
//! way round works: the CUDA half is loaded when a program starts.)

use std::fs;
use std::path::Path;

use anyhow::Result;

use crate::cargo::{self, Cargo};
use crate::environment::Environment;
use crate::workspace::Workspace;

/// Has cargo forget such builds.
///
/// # Errors
/// `cargo clean` fails.
pub(super) fn clean(workspace: &Workspace, environment: &Environment, cargo: &Cargo<'_>) -> Result<()> {
    if workspace.torch().join("lib/libtorch_cuda.so").exists() {
        return Ok(());
    }
    for (folder, profile) in [("release", "release"), ("debug", "dev")] {
        if links_cuda(&environment.target().join(folder)) {
            cargo::step(cargo.command(["clean", "--package", "torch-sys", "--profile", profile]))?;
        }
    }
    Ok(())
}

/// Whether a build script of `torch-sys` asked for the CUDA library; its output is kept next to its build.
fn links_cuda(profile: &Path) -> bool {
    let builds = fs::read_dir(profile.join("build")).into_iter().flatten().flatten();
    builds
        .filter(|build| build.file_name().to_string_lossy().starts_with("torch-sys-"))
        .filter_map(|build| fs::read_to_string(build.path().join("output")).ok())
        .any(|output| output.lines().any(|line| line == "cargo:rustc-link-lib=torch_cuda"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_build_against_cuda_is_told_from_one_without() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!links_cuda(folder.path()), "nothing is built");
        let output = |build: &str, text: &str| {
            let build = folder.path().join("build").join(build);
            fs::create_dir_all(&build).unwrap();
            fs::write(build.join("output"), text).unwrap();
        };
        output("torch-sys-01", "cargo:rustc-link-lib=static=tch\ncargo:rustc-link-lib=torch_cpu\n");
        output("other-02", "cargo:rustc-link-lib=torch_cuda\n");
        fs::create_dir_all(folder.path().join("build/torch-sys-03")).unwrap();
        assert!(!links_cuda(folder.path()));
        output("torch-sys-04", "cargo:rustc-link-lib=static=tch\ncargo:rustc-link-lib=torch_cuda\n");
        assert!(links_cuda(folder.path()));
    }
}

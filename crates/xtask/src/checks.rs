//! What a change must pass besides the tests.

use anyhow::{Context, Result, bail};

use crate::cargo::{self, Cargo};
use crate::console;

/// The half of the workspace that builds and tests on a machine without libtorch.
const TORCH_FREE: [&str; 10] = [
    "fain-tables",
    "fain-storage",
    "fain-samples",
    "fain-prepare",
    "fain-features",
    "fain-dataset",
    "fain-simulator",
    "fain-metrics",
    "fain-kernels",
    "fain-cuda",
];

/// Packages that need libtorch to build.
const TORCH: [&str; 2] = ["tch", "torch-sys"];

/// Looks for rustfmt and clippy before anything long begins.
///
/// # Errors
/// One of them is not installed.
pub(crate) fn components(cargo: &Cargo<'_>) -> Result<()> {
    for (command, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        cargo::output(cargo.command([command, "--version"])).with_context(|| {
            format!("{component} is missing. The checks need it; type: rustup component add {component}")
        })?;
    }
    Ok(())
}

/// Runs the checks, from the quickest to the slowest.
///
/// # Errors
/// The first check that does not pass.
pub(crate) fn run(cargo: &Cargo<'_>) -> Result<()> {
    cargo::step(cargo.command(["fmt", "--all", "--check"]))?;
    console::step("no torch among the dependencies of the torch-free crates", || torch_free(cargo))?;
    lints(cargo)?;
    documents(cargo)?;
    tests_without_libtorch(cargo)
}

fn lints(cargo: &Cargo<'_>) -> Result<()> {
    let arguments = ["clippy", "--release", "--workspace", "--all-targets", "--", "-D", "warnings"];
    cargo::step(cargo.command(arguments))
}

/// The flag is added to those of `.cargo/config.toml`; `RUSTDOCFLAGS` would replace both.
fn documents(cargo: &Cargo<'_>) -> Result<()> {
    let mut command = cargo.command(["doc", "--release", "--workspace", "--no-deps"]);
    command
        .args(["--config", r#"build.rustdocflags=["-Dwarnings"]"#])
        .env_remove("RUSTDOCFLAGS")
        .env_remove("CARGO_ENCODED_RUSTDOCFLAGS");
    cargo::step(command)
}

fn torch_free(cargo: &Cargo<'_>) -> Result<()> {
    for package in TORCH_FREE {
        let arguments = ["tree", "--locked", "--package", package];
        let edges = ["--edges", "normal,build,dev", "--prefix", "none", "--format", "{p}"];
        let tree = cargo::output(cargo.command(arguments.into_iter().chain(edges)))?;
        if let Some(found) = torch_in(&tree) {
            bail!("{package} must build without libtorch, but {found} is among its dependencies");
        }
    }
    Ok(())
}

/// The first package of a `cargo tree` (one `name version` a line) that needs libtorch.
fn torch_in(tree: &str) -> Option<&str> {
    tree.lines().filter_map(|line| line.split_whitespace().next()).find(|name| TORCH.contains(name))
}

/// In the dev profile: there is no C++ to compile twice, and overflow and debug assertions are checked as well.
fn tests_without_libtorch(cargo: &Cargo<'_>) -> Result<()> {
    let packages = TORCH_FREE.into_iter().flat_map(|package| ["-p", package]);
    let mut command = cargo.command(["test"].into_iter().chain(packages));
    // A variable wins over the configuration: whatever needs libtorch after all finds none and fails.
    command.env("LIBTORCH", "/nonexistent");
    cargo::step(command)
}

#[cfg(test)]
mod tests {
    use super::torch_in;

    #[test]
    fn torch_is_found_by_its_whole_name() {
        let without =
            "fain-metrics v0.1.0 (/repo/crates/metrics)\nthiserror v2.0.17\n\nhatch v1.0.0\ntorchless v1.0.0\n";
        assert_eq!(torch_in(without), None);
        assert_eq!(torch_in(&format!("{without}tch v0.24.0\n")), Some("tch"));
        assert_eq!(torch_in(&format!("{without}torch-sys v0.24.0 (*)\n")), Some("torch-sys"));
    }
}

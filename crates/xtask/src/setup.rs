//! Provides libtorch in `.libtorch/`: from the public CPU wheel, or as links to an installed PyTorch.
//!
//! What stands in `.libtorch/` always has the layout of a site-packages folder (`torch/lib`, `torch/include`,
//! `nvidia/…`), because the libraries find each other along it. A new tree is made in `.libtorch.partial/` and moved in
//! place when it is whole; a stamp in it says what it is.

mod needs;
mod pytorch;
mod stale;
mod tree;
mod wheels;

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::cargo::Cargo;
use crate::console;
use crate::environment::Environment;
use crate::workspace::Workspace;

/// Which libtorch is wanted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// The PyTorch at this path.
    Pytorch(PathBuf),
    /// The public CPU wheel.
    Wheel,
    /// The PyTorch linked earlier, if any; else the public CPU wheel.
    AsBefore,
}

impl Choice {
    /// Combines the option `--cpu` with the value of `FAIN_LIBTORCH`.
    ///
    /// # Errors
    /// Both are given.
    pub(crate) fn new(cpu: bool, pytorch: Option<OsString>) -> Result<Self, String> {
        match (cpu, pytorch) {
            (true, Some(path)) => Err(format!(
                "--cpu asks for the public CPU wheel and FAIN_LIBTORCH for {}; leave one of them out",
                path.to_string_lossy()
            )),
            (false, Some(path)) => Ok(Self::Pytorch(path.into())),
            (true, None) => Ok(Self::Wheel),
            (false, None) => Ok(Self::AsBefore),
        }
    }
}

/// Makes sure that `.libtorch/` holds what was chosen. Returns at once when it does.
///
/// # Errors
/// Something needed is missing; the text says what, why, and what to type. `.libtorch/` is as before then.
pub(crate) fn provide(
    workspace: &Workspace,
    choice: &Choice,
    environment: &Environment,
    cargo: &Cargo<'_>,
) -> Result<()> {
    needs::compiler()?;
    let _lock = lock(workspace)?;
    match choice {
        Choice::Pytorch(path) => link(workspace, path)?,
        Choice::Wheel => from_wheels(workspace)?,
        Choice::AsBefore => match tree::linked(workspace) {
            Some(path) => keep(&path)?,
            None => from_wheels(workspace)?,
        },
    }
    stale::clean(workspace, environment, cargo)
}

/// Keeps two calls from working on `.libtorch` at once. The lock is on the root folder itself: nothing is left behind.
fn lock(workspace: &Workspace) -> Result<File> {
    let root = workspace.root();
    let folder = File::open(root).with_context(|| format!("{} cannot be read", root.display()))?;
    if let Err(TryLockError::WouldBlock) = folder.try_lock() {
        console::say("another call is setting up libtorch here; waiting for it");
        folder.lock().with_context(|| format!("waiting for the lock on {} failed", root.display()))?;
    }
    // Some network file systems lock no folders; a second call at the same time is then the user's care.
    Ok(folder)
}

fn link(workspace: &Workspace, path: &Path) -> Result<()> {
    let pytorch = pytorch::find(path).with_context(|| format!("FAIN_LIBTORCH={} cannot be used", path.display()))?;
    if pytorch.torch.starts_with(workspace.libtorch()) {
        bail!("FAIN_LIBTORCH={} is what this repository provides itself; unset FAIN_LIBTORCH", path.display());
    }
    let stamp = tree::link_stamp(&pytorch);
    if !tree::is_current(workspace, &stamp) {
        let work = tree::Work::begin(workspace)?;
        pytorch.link_into(&work.tree())?;
        work.finish(&stamp)?;
    }
    console::say(format_args!("libtorch {} is {}", pytorch.version, pytorch.torch.display()));
    Ok(())
}

fn keep(path: &Path) -> Result<()> {
    let pytorch = pytorch::find(path).with_context(|| {
        format!(
            ".libtorch links to {}, which cannot be used any more. Set FAIN_LIBTORCH to another PyTorch, or type \
             `cargo xtask setup --cpu` for the public CPU wheel",
            path.display()
        )
    })?;
    console::say(format_args!(
        "libtorch {} is {}, linked earlier (`cargo xtask setup --cpu` goes back to the CPU wheel)",
        pytorch.version,
        pytorch.torch.display()
    ));
    Ok(())
}

fn from_wheels(workspace: &Workspace) -> Result<()> {
    let stamp = tree::wheel_stamp();
    if !tree::is_current(workspace, &stamp) {
        needs::platform()?;
        needs::pip()?;
        needs::space(workspace)?;
        let work = tree::Work::begin(workspace)?;
        wheels::fetch(&work)?;
        wheels::unpack(&work)?;
        work.finish(&stamp)?;
    }
    console::say(format_args!("libtorch {} (CPU) is in .libtorch", wheels::VERSION));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Choice;

    #[test]
    fn the_variable_and_the_option_exclude_each_other() {
        assert_eq!(Choice::new(false, None), Ok(Choice::AsBefore));
        assert_eq!(Choice::new(true, None), Ok(Choice::Wheel));
        assert_eq!(Choice::new(false, Some("/opt/torch".into())), Ok(Choice::Pytorch("/opt/torch".into())));
        let error = Choice::new(true, Some("/opt/torch".into()));
        assert_eq!(
            error,
            Err("--cpu asks for the public CPU wheel and FAIN_LIBTORCH for /opt/torch; leave one of them out"
                .to_owned())
        );
    }
}

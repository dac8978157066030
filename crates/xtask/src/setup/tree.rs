//! The tree in `.libtorch/`: its stamp, and how a new one takes the place of an old one.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::pytorch::Pytorch;
use super::wheels;
use crate::console;
use crate::workspace::Workspace;

/// Counts up when the content of a tree changes for the same wheels, so that older trees are made anew.
const LAYOUT: u32 = 1;

/// What the stamp of a tree from the wheels says.
pub(super) fn wheel_stamp() -> String {
    let wheels: Vec<String> = wheels::WHEELS.iter().map(wheels::Wheel::requirement).collect();
    format!("layout {LAYOUT}\nlibtorch {} from {}\n", wheels::VERSION, wheels.join(", "))
}

/// What the stamp of a tree of links says.
pub(super) fn link_stamp(pytorch: &Pytorch) -> String {
    format!("layout {LAYOUT}\nlibtorch {} from {}\n", pytorch.version, pytorch.torch.display())
}

/// Whether `.libtorch/` is whole and is what the stamp says.
pub(super) fn is_current(workspace: &Workspace, stamp: &str) -> bool {
    fs::read_to_string(workspace.libtorch().join("stamp")).is_ok_and(|found| found == stamp)
        && workspace.torch().join("lib/libtorch_cpu.so").is_file()
}

/// The PyTorch that `.libtorch` links to, whether this program made the link or a person did; it may be gone.
pub(super) fn linked(workspace: &Workspace) -> Option<PathBuf> {
    let libtorch = workspace.libtorch();
    let target = |link: &Path| Some(link.parent()?.join(fs::read_link(link).ok()?));
    target(&libtorch).or_else(|| target(&libtorch.join("torch")))
}

/// A tree in the making. Nothing of it is seen in `.libtorch/` before it is whole.
pub(super) struct Work<'a> {
    workspace: &'a Workspace,
    folder: PathBuf,
}

impl<'a> Work<'a> {
    /// Starts with an empty tree, and removes what interrupted calls left except for their complete wheels.
    ///
    /// # Errors
    /// A folder cannot be made.
    pub(super) fn begin(workspace: &'a Workspace) -> Result<Self> {
        let partial = workspace.partial();
        create(&partial)?;
        let entries = fs::read_dir(&partial).with_context(|| format!("{} cannot be read", partial.display()))?;
        for entry in entries {
            let path = entry.with_context(|| format!("{} cannot be read", partial.display()))?.path();
            if path != wheels::folder(workspace) {
                clear(&path);
            }
        }
        // The number keeps a child process that outlived its interrupted parent from writing into this tree.
        let folder = partial.join(format!("work-{}", std::process::id()));
        let work = Self { workspace, folder };
        create(&work.tree())?;
        create(&work.scratch())?;
        create(&wheels::folder(workspace))?;
        Ok(work)
    }

    pub(super) fn workspace(&self) -> &Workspace {
        self.workspace
    }

    /// The new tree.
    pub(super) fn tree(&self) -> PathBuf {
        self.folder.join("tree")
    }

    /// A folder for files that nobody needs afterwards.
    pub(super) fn scratch(&self) -> PathBuf {
        self.folder.join("scratch")
    }

    /// Stamps the tree, puts it in the place of the old one, and removes everything else.
    ///
    /// # Errors
    /// A file cannot be written or moved.
    pub(super) fn finish(self, stamp: &str) -> Result<()> {
        let tree = self.tree();
        let stamp_file = tree.join("stamp");
        fs::write(&stamp_file, stamp).with_context(|| format!("{} cannot be written", stamp_file.display()))?;
        let libtorch = self.workspace.libtorch();
        if fs::symlink_metadata(&libtorch).is_ok() {
            rename(&libtorch, &self.folder.join("before"))?;
        }
        rename(&tree, &libtorch)?;
        clear(&self.workspace.partial());
        Ok(())
    }
}

/// Moves a file or folder within the repository's disk.
///
/// # Errors
/// It cannot be moved.
pub(super) fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).with_context(|| format!("{} cannot be moved to {}", from.display(), to.display()))
}

fn create(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("the folder {} cannot be made", folder.display()))
}

/// Removes what nobody needs: a file, a link (not what it leads to) or a folder with all in it. A failure is no reason
/// to stop: a child of a killed call may still be writing there, and the next call tries again.
fn clear(path: &Path) {
    let is_folder = fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
    let removed = if is_folder { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    if let Err(error) = removed {
        console::warn(format_args!("{} is not needed any more but cannot be removed: {error}", path.display()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stamps_say_what_a_tree_is() {
        assert_eq!(
            wheel_stamp(),
            "layout 1\nlibtorch 2.11.0 from torch==2.11.0, nvidia-cuda-runtime==13.0.96, nvidia-cuda-cupti==13.0.85\n"
        );
        let pytorch = Pytorch { torch: "/opt/venv/torch".into(), nvidia: None, version: "2.11.0+cu130".to_owned() };
        assert_eq!(link_stamp(&pytorch), "layout 1\nlibtorch 2.11.0+cu130 from /opt/venv/torch\n");
    }
}

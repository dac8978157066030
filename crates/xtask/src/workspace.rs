//! Where things lie in the repository.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The root of the repository and the paths that the tasks use below it.
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// Finds the repository that holds `folder`.
    ///
    /// # Errors
    /// No folder from `folder` upwards holds `crates/xtask/Cargo.toml`.
    pub(crate) fn above(folder: &Path) -> Result<Self> {
        let root = folder
            .ancestors()
            .find(|ancestor| ancestor.join("crates/xtask/Cargo.toml").is_file())
            .with_context(|| {
                format!(
                    "{} is not inside the fain repository (no crates/xtask/Cargo.toml from there upwards)",
                    folder.display()
                )
            })?;
        let root = root.canonicalize().with_context(|| format!("{} cannot be read", root.display()))?;
        Ok(Self { root })
    }

    /// The root of the repository, without symbolic links.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where libtorch is provided.
    pub(crate) fn libtorch(&self) -> PathBuf {
        self.root.join(".libtorch")
    }

    /// The folder that `LIBTORCH` names for `torch-sys`: it holds `lib` and `include`.
    pub(crate) fn torch(&self) -> PathBuf {
        self.root.join(".libtorch/torch")
    }

    /// What a set-up keeps while it is not finished; gone after success.
    pub(crate) fn partial(&self) -> PathBuf {
        self.root.join(".libtorch.partial")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::Workspace;

    #[test]
    fn the_nearest_repository_upwards_is_found() {
        let outer = tempfile::tempdir().unwrap();
        let inner = outer.path().join("clones/inner");
        for root in [outer.path(), inner.as_path()] {
            std::fs::create_dir_all(root.join("crates/xtask/src")).unwrap();
            std::fs::write(root.join("crates/xtask/Cargo.toml"), "").unwrap();
        }
        let found = Workspace::above(&inner.join("crates/xtask/src")).unwrap();
        assert_eq!(found.root(), inner.canonicalize().unwrap());
        assert_eq!(found.torch(), inner.canonicalize().unwrap().join(".libtorch/torch"));
    }

    #[test]
    fn a_folder_outside_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = Workspace::above(folder.path()).err().unwrap().to_string();
        assert!(error.contains(&folder.path().display().to_string()), "{error}");
        assert!(error.contains("not inside the fain repository"), "{error}");
    }
}

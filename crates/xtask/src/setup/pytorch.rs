//! An installed PyTorch: where it is, which version it is, and the links that make it ours.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// What every PyTorch that one can build against has, seen from its `torch` folder.
const PARTS: [&str; 3] = ["lib/libtorch_cpu.so", "lib/libc10.so", "include/torch/csrc/api/include/torch/torch.h"];

/// An installed PyTorch of the right version.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pytorch {
    /// The folder with `lib` and `include`.
    pub(super) torch: PathBuf,
    /// The CUDA libraries of the same site-packages folder.
    pub(super) nvidia: Option<PathBuf>,
    /// As PyTorch writes it: `2.11.0`, `2.11.0+cu130`.
    pub(super) version: String,
}

impl Pytorch {
    /// Makes the links in a new tree.
    ///
    /// # Errors
    /// A link cannot be made.
    pub(super) fn link_into(&self, tree: &Path) -> Result<()> {
        let links = [("torch", Some(&self.torch)), ("nvidia", self.nvidia.as_ref())];
        for (name, target) in links {
            if let Some(target) = target {
                let link = tree.join(name);
                symlink(target, &link).with_context(|| format!("the link {} cannot be made", link.display()))?;
            }
        }
        Ok(())
    }
}

/// Finds the PyTorch at a path: a site-packages folder, the torch folder in it, or an unpacked libtorch.
///
/// # Errors
/// The path is no folder, holds no PyTorch, holds half of one, or one of another version. The text says what was found
/// and what is needed.
pub(super) fn find(path: &Path) -> Result<Pytorch> {
    let folder = path.canonicalize().with_context(|| format!("{} cannot be read", path.display()))?;
    let torch = if folder.join("torch/lib").is_dir() {
        folder.join("torch")
    } else if folder.join("lib").is_dir() && folder.join("include").is_dir() {
        folder
    } else {
        bail!(
            "{} holds no PyTorch. Needed is a site-packages folder (with torch/lib in it), its torch folder, or an \
             unpacked libtorch (with lib and include in it)",
            folder.display()
        );
    };
    if let Some(missing) = PARTS.iter().find(|part| !torch.join(part).is_file()) {
        bail!(
            "{} is no whole PyTorch: {missing} is missing. Needed is one that was installed with pip or unpacked from \
             a libtorch archive, headers included",
            torch.display()
        );
    }
    let version = version(&torch)?;
    let nvidia = torch
        .parent()
        .filter(|_| torch.file_name().is_some_and(|name| name == "torch"))
        .map(|parent| parent.join("nvidia"))
        .filter(|nvidia| nvidia.is_dir());
    Ok(Pytorch { torch, nvidia, version })
}

/// Reads and checks the version. `build-version` comes first, because `torch-sys` reads it and takes exactly 2.11.0; a
/// pip install has none, and any 2.11 works.
fn version(torch: &Path) -> Result<String> {
    let refused = |found: &str, file: &Path, needed: &str| {
        format!("{} says this is PyTorch {found}, and needed is {needed}", file.display())
    };
    let file = torch.join("build-version");
    if let Ok(text) = fs::read_to_string(&file) {
        let found = text.trim();
        if release(found) != "2.11.0" {
            bail!(refused(found, &file, "2.11.0"));
        }
        return Ok(found.to_owned());
    }
    let file = torch.join("version.py");
    let text = fs::read_to_string(&file).with_context(|| {
        format!(
            "{} has neither build-version nor version.py, so its version is unknown; needed is PyTorch 2.11",
            torch.display()
        )
    })?;
    let Some(found) = in_python(&text) else {
        bail!("{} has no line `__version__ = '…'`; needed is PyTorch 2.11", file.display());
    };
    if !release(found).starts_with("2.11.") {
        bail!(refused(found, &file, "2.11"));
    }
    Ok(found.to_owned())
}

/// The version without the build after `+`.
fn release(version: &str) -> &str {
    version.split('+').next().unwrap_or(version)
}

/// The value of `__version__` in PyTorch's `version.py`.
fn in_python(text: &str) -> Option<&str> {
    let line = text.lines().find(|line| line.starts_with("__version__"))?;
    let value = line.split_once('=')?.1.trim();
    let quote = value.chars().next().filter(|&first| first == '\'' || first == '"')?;
    let (version, _) = value[1..].split_once(quote)?;
    Some(version).filter(|version| !version.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn the_version_is_read_from_python() {
        let text = "from typing import Optional\n\n__all__ = ['__version__', 'debug']\n__version__ = '2.11.0+cu130'\n\
                    debug = False\n";
        assert_eq!(in_python(text), Some("2.11.0+cu130"));
        assert_eq!(in_python("__version__: str = \"2.11.0\"  # set by the build\n"), Some("2.11.0"));
        for text in
            ["", "version = '2.11.0'", "__version__ = ''", "__version__ = 2.11", "__version__ =", "__version__ = '2"]
        {
            assert_eq!(in_python(text), None, "{text}");
        }
    }

    fn pytorch(folder: &Path, version_file: &str, text: &str) -> PathBuf {
        let torch = folder.join("torch");
        for part in PARTS {
            let file = torch.join(part);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
        }
        fs::write(torch.join(version_file), text).unwrap();
        torch.canonicalize().unwrap()
    }

    #[test]
    fn the_three_layouts_lead_to_the_torch_folder() {
        let packages = tempfile::tempdir().unwrap();
        let torch = pytorch(packages.path(), "version.py", "__version__ = '2.11.1+cu130'\n");
        let nvidia = torch.with_file_name("nvidia");
        fs::create_dir(&nvidia).unwrap();
        let expected = Pytorch { torch: torch.clone(), nvidia: Some(nvidia), version: "2.11.1+cu130".to_owned() };
        assert_eq!(find(packages.path()).unwrap(), expected);
        assert_eq!(find(&torch).unwrap(), expected);

        let unpacked = packages.path().join("libtorch");
        fs::rename(pytorch(&packages.path().join("archive"), "build-version", "2.11.0+cpu\n"), &unpacked).unwrap();
        let found = find(&unpacked).unwrap();
        assert_eq!(found.torch, unpacked.canonicalize().unwrap());
        assert_eq!(found.nvidia, None, "the neighbour of an unpacked libtorch is not its own");
        assert_eq!(found.version, "2.11.0+cpu");
    }

    #[test]
    fn another_version_is_named_with_the_one_that_is_needed() {
        for (file, text, message) in [
            (
                "version.py",
                "__version__ = '2.10.1+cpu'\n",
                "version.py says this is PyTorch 2.10.1+cpu, and needed is 2.11",
            ),
            ("version.py", "__version__ = '2.110.0'\n", "version.py says this is PyTorch 2.110.0, and needed is 2.11"),
            ("version.py", "nothing\n", "version.py has no line `__version__ = '…'`; needed is PyTorch 2.11"),
            ("build-version", "2.12.0+cpu\n", "build-version says this is PyTorch 2.12.0+cpu, and needed is 2.11.0"),
            ("build-version", "2.11.1\n", "build-version says this is PyTorch 2.11.1, and needed is 2.11.0"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let torch = pytorch(folder.path(), file, text);
            let error = find(&torch).err().unwrap().to_string();
            assert_eq!(error, format!("{}/{message}", torch.display()));
        }
    }

    #[test]
    fn half_a_pytorch_is_refused_with_what_is_missing() {
        for part in PARTS {
            let folder = tempfile::tempdir().unwrap();
            let torch = pytorch(folder.path(), "version.py", "__version__ = '2.11.0'\n");
            fs::remove_file(torch.join(part)).unwrap();
            let error = find(folder.path()).err().unwrap().to_string();
            assert!(error.contains(&format!("{part} is missing")), "{error}");
        }
        let folder = tempfile::tempdir().unwrap();
        let torch = pytorch(folder.path(), "version.py", "");
        fs::remove_file(torch.join("version.py")).unwrap();
        let error = find(&torch).err().unwrap().to_string();
        assert!(error.contains("neither build-version nor version.py"), "{error}");
    }
}

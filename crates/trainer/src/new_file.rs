//! A file that appears whole or not at all.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use tempfile::NamedTempFile;

use crate::exit::Stop;

/// A file that is being written beside its final name. Dropped before [`NewFile::publish`], it is gone.
#[derive(Debug)]
pub(crate) struct NewFile {
    name: PathBuf,
    writer: BufWriter<NamedTempFile>,
    replace: bool,
}

impl NewFile {
    /// Begins a file. One that exists is replaced only if `replace` says so.
    pub(crate) fn create(name: &Path, replace: bool) -> anyhow::Result<Self> {
        let refuse = |problem: &str| Stop::Request(format!("{}: {problem}", name.display()));
        if let Ok(found) = fs::metadata(name) {
            if !found.is_file() {
                return Err(refuse("is no file that could be replaced").into());
            }
            if !replace {
                return Err(refuse("exists; choose another name, or --force to replace it").into());
            }
        }
        let folder = name.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            return Err(refuse("its folder does not exist").into());
        }
        let file = temporary(folder).with_context(|| format!("cannot create a file in {}", folder.display()))?;
        Ok(Self { name: name.to_owned(), writer: BufWriter::new(file), replace })
    }

    pub(crate) fn write(&mut self, text: &str) -> anyhow::Result<()> {
        self.writer.write_all(text.as_bytes()).with_context(|| cannot_write(&self.name))
    }

    /// Gives the file its name once all of it is on the disk.
    pub(crate) fn publish(self) -> anyhow::Result<()> {
        let Self { name, writer, replace } = self;
        let publish = || -> io::Result<()> {
            let file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.as_file().sync_all()?;
            if replace {
                file.persist(&name)?
            } else {
                file.persist_noclobber(&name)?
            };
            Ok(())
        };
        publish().with_context(|| cannot_write(&name))
    }
}

fn cannot_write(name: &Path) -> String {
    format!("cannot write {}", name.display())
}

fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".fain-").suffix(".partial");
    // A temporary file is its owner's alone by default; this one becomes an ordinary file.
    #[cfg(unix)]
    let builder = builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_appears_when_it_is_published() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("a.csv");
        let mut file = NewFile::create(&name, false).unwrap();
        file.write("row\n1\n").unwrap();
        assert!(!name.exists());
        file.publish().unwrap();
        assert_eq!(fs::read_to_string(&name).unwrap(), "row\n1\n");
        drop(NewFile::create(&name, true).unwrap());
        assert_eq!(names(folder.path()), ["a.csv"]);
    }

    #[test]
    fn a_file_is_replaced_only_on_demand() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("a.csv");
        // Made by someone else while the file was written.
        let late = NewFile::create(&name, false).unwrap();
        fs::write(&name, "other").unwrap();
        assert!(late.publish().is_err());
        let error = NewFile::create(&name, false).unwrap_err().to_string();
        assert!(error.ends_with("a.csv: exists; choose another name, or --force to replace it"), "{error}");
        assert_eq!(fs::read_to_string(&name).unwrap(), "other");
        let mut file = NewFile::create(&name, true).unwrap();
        file.write("new").unwrap();
        file.publish().unwrap();
        assert_eq!(fs::read_to_string(&name).unwrap(), "new");
        assert_eq!(names(folder.path()), ["a.csv"]);
    }

    #[test]
    fn what_is_no_file_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let error = NewFile::create(folder.path(), true).unwrap_err().to_string();
        assert!(error.ends_with(": is no file that could be replaced"), "{error}");
        let error = NewFile::create(&folder.path().join("no/a.csv"), true).unwrap_err().to_string();
        assert!(error.ends_with("no/a.csv: its folder does not exist"), "{error}");
    }
}

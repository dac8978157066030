//! Files that appear whole or not at all.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::SimulatorError;

/// A file that is being written, under a temporary name beside its final one. Dropped, it is gone.
pub(crate) struct NewFile {
    name: PathBuf,
    writer: BufWriter<NamedTempFile>,
}

/// A file that is written and safely on disk, still under its temporary name. Dropped, it is gone.
pub(crate) struct CompleteFile {
    name: PathBuf,
    file: NamedTempFile,
}

impl NewFile {
    /// The folder is made if need be.
    pub(crate) fn create(folder: &Path, name: &str, header: &[u8]) -> Result<Self, SimulatorError> {
        fs::create_dir_all(folder).map_err(in_file(folder))?;
        let name = folder.join(name);
        // Found now, not after all the work.
        if name.is_dir() {
            return Err(in_file(&name)(io::ErrorKind::IsADirectory.into()));
        }
        let file = temporary(folder).map_err(in_file(&name))?;
        let mut new = Self { name, writer: BufWriter::new(file) };
        new.write(header)?;
        Ok(new)
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), SimulatorError> {
        self.writer.write_all(bytes).map_err(in_file(&self.name))
    }

    pub(crate) fn complete(self) -> Result<CompleteFile, SimulatorError> {
        let Self { name, writer } = self;
        let file = writer.into_inner().map_err(|error| in_file(&name)(error.into_error()))?;
        file.as_file().sync_all().map_err(in_file(&name))?;
        Ok(CompleteFile { name, file })
    }
}

impl CompleteFile {
    /// Gives the file its final name, which it returns.
    pub(crate) fn publish(self) -> Result<PathBuf, SimulatorError> {
        self.file.persist(&self.name).map_err(|error| in_file(&self.name)(error.error))?;
        Ok(self.name)
    }
}

fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".shop-").suffix(".partial");
    // A temporary file is private by default; this one becomes an ordinary file.
    #[cfg(unix)]
    let builder = builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

fn in_file(name: &Path) -> impl FnOnce(io::Error) -> SimulatorError + use<> {
    let file = name.to_owned();
    |source| SimulatorError::Write { file, source }
}

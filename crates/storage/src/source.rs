//! A file that something is made from, seen from outside: where it is, how large, when it last changed.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use xxhash_rust::xxh3::Xxh3Default;

use crate::checksum::hex;
use crate::error::StorageError;

/// Bytes read at once for a checksum.
const BLOCK: usize = 1 << 20;

/// A file that something is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    path: PathBuf,
    canonical: PathBuf,
    bytes: u64,
    /// Nanoseconds since 1970.
    modified: i128,
}

impl SourceFile {
    /// Looks at a file.
    ///
    /// # Errors
    /// The system's: the file is missing, or not permitted.
    pub fn examine(path: &Path) -> io::Result<Self> {
        let data = std::fs::metadata(path)?;
        let modified = data.modified()?;
        let modified = match modified.duration_since(UNIX_EPOCH) {
            Ok(after) => after.as_nanos() as i128,
            Err(before) => -(before.duration().as_nanos() as i128),
        };
        Ok(Self { path: path.to_owned(), canonical: path.canonicalize()?, bytes: data.len(), modified })
    }

    /// The path as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Absolute, without links: the same file under two names is found by it.
    pub fn canonical(&self) -> &Path {
        &self.canonical
    }

    /// The size.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The name, without the folder.
    pub fn name(&self) -> String {
        self.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    /// Reads the file once: the xxh3-128 of its bytes. `go_on` hears the bytes of each block, and may stop the work.
    ///
    /// # Errors
    /// [`StorageError::Io`], [`StorageError::Changed`], and the error of `go_on`.
    pub fn checksum<E: From<StorageError>>(&self, mut go_on: impl FnMut(u64) -> Result<(), E>) -> Result<String, E> {
        let failed = |cause| StorageError::io("read", &self.path, cause);
        let mut file = File::open(&self.path).map_err(failed)?;
        let mut hasher = Xxh3Default::new();
        let mut block = vec![0; BLOCK];
        loop {
            let read = file.read(&mut block).map_err(failed)?;
            if read == 0 {
                break;
            }
            hasher.update(&block[..read]);
            go_on(read as u64)?;
        }
        self.check_unchanged()?;
        Ok(hex(hasher.digest128()))
    }

    /// All passes over a file must see the same bytes.
    ///
    /// # Errors
    /// [`StorageError::Changed`]; [`StorageError::Io`] if the file is gone.
    pub fn check_unchanged(&self) -> Result<(), StorageError> {
        match Self::examine(&self.path) {
            Ok(now) if now == *self => Ok(()),
            Ok(_) => Err(StorageError::Changed { file: self.path.clone() }),
            Err(cause) => Err(StorageError::io("examine", &self.path, cause)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::checksum::checksum;

    #[test]
    fn a_file_is_known_by_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clicks.csv");
        let bytes: Vec<u8> = (0..BLOCK + 7).map(|place| place as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        let source = SourceFile::examine(&path).unwrap();
        let mut blocks = Vec::new();
        let sum = source.checksum(|block| {
            blocks.push(block);
            Ok::<_, StorageError>(())
        });
        assert_eq!(sum.unwrap(), checksum(&bytes));
        assert_eq!(
            (blocks.iter().sum::<u64>(), source.bytes(), source.name().as_str()),
            (bytes.len() as u64, bytes.len() as u64, "clicks.csv")
        );
    }

    #[test]
    fn a_file_that_changes_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clicks.csv");
        std::fs::write(&path, "1\n").unwrap();
        let source = SourceFile::examine(&path).unwrap();
        let grow = |_| {
            std::fs::write(&path, "1\n2\n").unwrap();
            Ok::<_, StorageError>(())
        };
        let message = source.checksum(grow).unwrap_err().to_string();
        assert_eq!(
            message,
            format!("{}: the file changed while it was read; run again when it is complete", path.display())
        );
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(source.check_unchanged(), Err(StorageError::Io { action: "examine", .. })));
    }
}

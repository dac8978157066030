//! Files of a test, in a folder that goes away with it.

use std::path::{Path, PathBuf};

use fain_tables::{CsvConfig, Record, TableError, TableReader};
use flate2::{Compression, write::GzEncoder};

/// A folder and one file in it.
pub(crate) struct TestFile {
    folder: tempfile::TempDir,
    path: PathBuf,
}

impl TestFile {
    pub(crate) fn new(name: &str, content: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        Self { folder, path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The message of an error, with the name of the file instead of its path.
    pub(crate) fn message(&self, error: &TableError) -> String {
        error.to_string().replace(&format!("{}/", self.folder.path().display()), "")
    }
}

/// A folder with some files.
pub(crate) struct TestFolder(tempfile::TempDir);

impl TestFolder {
    pub(crate) fn new(files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// A message without the paths of the folder.
    pub(crate) fn message(&self, error: &TableError) -> String {
        error.to_string().replace(&format!("{}/", self.path().display()), "")
    }
}

pub(crate) fn zstd(content: impl AsRef<[u8]>) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(content.as_ref()).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn gzip(content: impl AsRef<[u8]>) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content.as_ref()).unwrap();
    encoder.finish().unwrap()
}

/// Header and rows of a file.
pub(crate) fn read_table(path: &Path, config: &CsvConfig) -> Result<Vec<Vec<String>>, TableError> {
    let mut table = TableReader::open(path, config)?;
    let mut rows = vec![table.header().to_vec()];
    let mut record = Record::new();
    while table.read(&mut record)? {
        assert_eq!(record.row(), rows.len() as u64);
        rows.push((0..record.len()).map(|column| record.get(column).to_owned()).collect());
    }
    Ok(rows)
}

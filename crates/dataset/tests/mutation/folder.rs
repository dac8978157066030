//! Folders of which one file is broken.

use std::fs;
use std::path::{Path, PathBuf};

/// The files of a folder, in memory.
#[derive(Clone)]
pub(crate) struct Folder(pub(crate) Vec<(PathBuf, Vec<u8>)>);

impl Folder {
    /// Reads all files of a folder and of the folders in it, in the order of their names.
    pub(crate) fn read(folder: &Path) -> Self {
        let (mut files, mut folders) = (Vec::new(), vec![PathBuf::new()]);
        while let Some(inner) = folders.pop() {
            for entry in fs::read_dir(folder.join(&inner)).unwrap().map(Result::unwrap) {
                let name = inner.join(entry.file_name());
                if entry.path().is_dir() {
                    folders.push(name);
                } else {
                    files.push((name, fs::read(entry.path()).unwrap()));
                }
            }
        }
        files.sort_unstable();
        Self(files)
    }

    /// The bytes of the files.
    pub(crate) fn files(&self) -> Vec<Vec<u8>> {
        self.0.iter().map(|(_, bytes)| bytes.clone()).collect()
    }

    /// Writes all files.
    pub(crate) fn write(&self, folder: &Path) {
        for (name, bytes) in &self.0 {
            fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
            fs::write(folder.join(name), bytes).unwrap();
        }
    }

    /// Does something while one of the written files is broken. What is given back may have the broken file mapped: it is
    /// replaced, never written over.
    pub(crate) fn with_broken<T>(&self, folder: &Path, file: usize, broken: &[u8], work: impl FnOnce() -> T) -> T {
        let (name, sound) = &self.0[file];
        let path = folder.join(name);
        put(&path, broken);
        let outcome = work();
        put(&path, sound);
        outcome
    }
}

/// A file in the place of another.
fn put(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

//! Folders for tests.

use std::fs;
use std::path::{Path, PathBuf};

use fain_samples::{ErrorKind, SamplesFolder};
use fain_storage::checksum;

use crate::star::{Shape, Star};

/// A star with everything in it.
pub(crate) const FULL: Shape = Shape {
    users: 5,
    items: 9,
    max_length: 3,
    times: true,
    columns: true,
    candidates: Some(2),
    history: true,
    seed: 7,
};

/// A samples folder of its own, that is removed when dropped.
pub(crate) struct Written {
    _place: tempfile::TempDir,
    pub(crate) path: PathBuf,
}

impl Written {
    pub(crate) fn new(star: &Star) -> Self {
        Self::in_blocks(star, 1 << 20)
    }

    pub(crate) fn in_blocks(star: &Star, block: usize) -> Self {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("samples");
        fs::create_dir(&path).unwrap();
        star.write(&path, block);
        Self { _place: place, path }
    }

    pub(crate) fn open(&self) -> SamplesFolder {
        SamplesFolder::open(&self.path).unwrap()
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path.join(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path.join(name), bytes).unwrap();
    }

    /// All files, by their names in the folder.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut files = files(&self.path);
        files.extend(files_in(&self.path, "terms"));
        files.sort();
        files
    }

    /// What is said on opening, without the path of the folder.
    pub(crate) fn refusal(&self) -> String {
        let error = SamplesFolder::open(&self.path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data, "{error}");
        error.to_string().replace(&format!("{}/", self.path.display()), "")
    }

    /// Replaces a text of the manifest, and makes its checksum right.
    pub(crate) fn edit(&self, from: &str, to: &str) {
        let manifest = String::from_utf8(self.read("manifest.json")).unwrap();
        assert!(manifest.contains(from), "{from}");
        self.write("manifest.json", sealed(&manifest.replacen(from, to, 1)));
    }
}

/// A manifest with its checksum made right.
pub(crate) fn sealed(manifest: &str) -> String {
    let key = "\"checksum\": \"";
    let start = manifest.find(key).unwrap() + key.len();
    let mut text = manifest.to_owned();
    text.replace_range(start..start + 32, &"0".repeat(32));
    let sum = checksum(text.as_bytes());
    text.replace_range(start..start + 32, &sum);
    text
}

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file());
    entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

fn files_in(folder: &Path, name: &str) -> Vec<String> {
    files(&folder.join(name)).iter().map(|file| format!("{name}/{file}")).collect()
}

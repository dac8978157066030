//! Folders that are not what their manifest says.

use std::fs;
use std::path::PathBuf;

use fain_dataset::{Dataset, ErrorKind};

use crate::support::{Place, prepare, small};

/// A dataset of its own to break.
struct Folder {
    path: PathBuf,
    _place: Place,
}

impl Folder {
    fn new() -> Self {
        let (place, dataset) = small();
        Self { path: dataset.folder().to_owned(), _place: place }
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path.join(name)).unwrap()
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path.join(name), bytes).unwrap();
    }

    /// Replaces a text of the manifest.
    fn edit(&self, from: &str, to: &str) {
        let manifest = String::from_utf8(self.read("manifest.json")).unwrap();
        assert!(manifest.contains(from), "{from}");
        self.write("manifest.json", manifest.replacen(from, to, 1));
    }

    /// What is said on opening, without the path of the folder.
    fn refusal(&self) -> String {
        let error = Dataset::open(&self.path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data);
        error.to_string().replace(&format!("{}/", self.path.display()), "")
    }
}

#[test]
fn a_sound_folder_opens_anywhere() {
    let (place, dataset) = small();
    let moved = place.path("moved");
    fs::rename(dataset.folder(), &moved).unwrap();
    assert_eq!(Dataset::open(&moved).unwrap().manifest(), dataset.manifest());
}

#[test]
fn manifests() {
    let folder = Folder::new();
    let sound = folder.read("manifest.json");
    let refusal = |from: &str, to: &str| {
        folder.write("manifest.json", &sound);
        folder.edit(from, to);
        folder.refusal()
    };
    assert_eq!(
        refusal("\"fain-dataset\"", "\"fain-bundle\""),
        "manifest.json: the format is `fain-bundle`; needed: `fain-dataset`"
    );
    // A later version may have other fields: it is refused for its version.
    assert_eq!(
        refusal("\"version\": 2,", "\"version\": 3,\n  \"sharding\": 4,"),
        "manifest.json: the version is 3; needed: 1 or 2"
    );
    let unknown = refusal("\"version\": 2,", "\"version\": 2,\n  \"sharding\": 4,");
    assert!(unknown.starts_with("manifest.json: the manifest is not readable: unknown field `sharding`"), "{unknown}");
    assert_eq!(
        refusal("\"file\": \"train.arrow\"", "\"file\": \"../train.arrow\""),
        "manifest.json: the name of a split's file is ../train.arrow; needed: train.arrow"
    );

    for length in 0..sound.len() - 2 {
        folder.write("manifest.json", &sound[..length]);
        let refusal = folder.refusal();
        assert!(refusal.starts_with("manifest.json: the manifest is not readable: "), "{length} bytes: {refusal}");
    }
    fs::remove_file(folder.path.join("manifest.json")).unwrap();
    assert_eq!(folder.refusal(), "manifest.json: the file is missing; needed: a file of a dataset");
}

#[test]
fn counts_in_the_manifest() {
    let folder = Folder::new();
    let dataset = Dataset::open(&folder.path).unwrap();
    let (rows, positives) = (dataset.train().rows(), dataset.train().positives());
    folder.edit(&format!("\"rows\": {rows}"), "\"rows\": 12");
    assert_eq!(folder.refusal(), format!("train.arrow: the number of rows is {rows}; needed: 12"));
    folder.edit("\"rows\": 12", &format!("\"rows\": {rows}"));
    folder.edit(&format!("\"positives\": {positives}"), "\"positives\": 13");
    assert_eq!(folder.refusal(), format!("train.arrow: the number of positive rows is {positives}; needed: 13"));
}

#[test]
fn rows() {
    let folder = Folder::new();
    let sound = folder.read("train.arrow");
    let size = sound.len();
    folder.write("train.arrow", &sound[..size - 1]);
    assert_eq!(folder.refusal(), format!("train.arrow: the size in bytes is {}; needed: {size}", size - 1));
    folder.write("train.arrow", "");
    assert_eq!(folder.refusal(), format!("train.arrow: the size in bytes is 0; needed: {size}"));

    let mut changed = sound.clone();
    changed[size / 2] ^= 1;
    folder.write("train.arrow", &changed);
    assert!(folder.refusal().starts_with("train.arrow: the checksum is "), "{}", folder.refusal());

    let validation = folder.read("validation.arrow");
    folder.write("train.arrow", &validation);
    folder.write("validation.arrow", &sound);
    let refusal = format!("train.arrow: the size in bytes is {}; needed: {size}", validation.len());
    assert_eq!(folder.refusal(), refusal);

    fs::remove_file(folder.path.join("train.arrow")).unwrap();
    assert_eq!(folder.refusal(), "train.arrow: the file is missing; needed: a file of a dataset");
}

#[test]
fn encoders_of_another_dataset() {
    let place = Place::new();
    place.write("train.csv", &super::support::rows(0, 100));
    let fewer = prepare(&place.config("train = 'train.csv'\nvalidation.fraction = 0.1")).unwrap();
    let folder = Folder::new();
    let before = Dataset::open(&folder.path).unwrap();
    let (digest, other) = (before.encoders().digest(), fewer.encoders().digest());
    folder.write("encoders.json", fs::read(fewer.folder().join("encoders.json")).unwrap());
    assert_eq!(folder.refusal(), format!("encoders.json: the digest is {other}; needed: {digest}"));

    // Even where the manifest agrees, no id may lie beyond its vocabulary.
    folder.edit(&digest, &other);
    let largest = before.encoders().vocabulary(0).size() - 1;
    let size = fewer.encoders().vocabulary(0).size();
    assert_eq!(
        folder.refusal(),
        format!(
            "train.arrow: the largest id of the column \"feature:item\" is {largest}; \
             needed: below {size}, the size of the vocabulary"
        )
    );

    folder.write("encoders.json", "{}");
    assert!(folder.refusal().starts_with("encoders.json: encoders: "), "{}", folder.refusal());
    fs::remove_file(folder.path.join("encoders.json")).unwrap();
    assert_eq!(folder.refusal(), "encoders.json: the file is missing; needed: a file of a dataset");
}

#[test]
fn a_damaged_folder_in_the_cache_is_said_to_be_damaged() {
    let place = Place::new();
    place.write("train.csv", &super::support::rows(0, 100));
    let config = place.config("train = 'train.csv'\nvalidation.fraction = 0.1");
    let dataset = prepare(&config).unwrap();
    let file = dataset.folder().join("validation.arrow");
    fs::remove_file(&file).unwrap();
    let message = prepare(&config).unwrap_err().to_string();
    assert_eq!(message, format!("{}: the file is missing; needed: a file of a dataset", file.display()));
    fs::remove_dir_all(dataset.folder()).unwrap();
    assert_eq!(prepare(&config).unwrap().manifest(), dataset.manifest());
}

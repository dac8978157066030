//! Samples in the folder that the tests of fain-samples keep.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use arrow_ipc::reader::FileReader;
use fain_samples::{CsvExport, Manifest, Part, SamplesFolder, write_csv};
use fain_storage::checksum;
use serde_json::Value;

use crate::cases::{Outcome, cases, scratch};
use crate::folder::Folder;

const MANIFEST: &str = "manifest.json";

fn kept() -> Folder {
    Folder::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/tests/samples/version_1/samples"))
}

/// The manifest, and every row with its history and its negatives. An export that is refused is a right end, too.
fn contents(folder: &SamplesFolder) -> (Manifest, Vec<Result<Vec<u8>, String>>) {
    let export = |part| {
        let mut text = Vec::new();
        let outcome = write_csv(folder, part, &mut text, &CsvExport::default());
        outcome.map(|_| text).map_err(|cause| cause.to_string())
    };
    (folder.manifest().clone(), Part::ALL.into_iter().map(export).collect())
}

#[test]
fn samples() {
    let sound = kept();
    let place = scratch();
    sound.write(place.path());
    let expected = contents(&SamplesFolder::open(place.path()).unwrap());
    assert!(expected.1.iter().all(Result::is_ok));
    let counts = cases("samples", sound.files(), move |folder| {
        let (folder, sound, expected) = (folder.to_owned(), sound.clone(), expected.clone());
        sound.write(&folder);
        move |file, broken| match sound.with_broken(&folder, file, broken, || SamplesFolder::open(&folder)) {
            Ok(opened) => {
                assert!(contents(&opened) == expected, "other samples");
                Outcome::Accepted
            }
            Err(_) => Outcome::Refused,
        }
    });
    assert!(counts.refused > 100, "{counts:?}");
}

/// The manifest with the size and the checksum of another version of a file, and with its own checksum.
fn sign(manifest: &[u8], file: &str, bytes: &[u8]) -> String {
    fn walk(value: &mut Value, file: &str, bytes: &[u8]) {
        match value {
            Value::Object(fields) => {
                if fields.get("file").and_then(Value::as_str) == Some(file) {
                    fields["bytes"] = bytes.len().into();
                    fields["checksum"] = checksum(bytes).into();
                }
                fields.values_mut().for_each(|value| walk(value, file, bytes));
            }
            Value::Array(values) => values.iter_mut().for_each(|value| walk(value, file, bytes)),
            _ => {}
        }
    }
    let mut value: Value = serde_json::from_slice(manifest).unwrap();
    walk(&mut value, file, bytes);
    // No other text of a manifest is all zeros.
    let unsealed = "0".repeat(32);
    value["checksum"] = unsealed.clone().into();
    let text = value.to_string();
    text.replacen(&unsealed, &checksum(text.as_bytes()), 1)
}

/// The rows of an Arrow file as Arrow's own reader counts them.
fn rows(bytes: &[u8]) -> usize {
    FileReader::try_new(Cursor::new(bytes), None).unwrap().map(|batch| batch.unwrap().num_rows()).sum()
}

/// Wrong values behind checksums that were made to fit: every code and every history must still lie where it can.
#[test]
fn samples_with_fitting_checksums() {
    let mut sound = kept();
    let manifest = sound.0.iter().position(|(name, _)| name == Path::new(MANIFEST)).unwrap();
    let (_, manifest) = sound.0.remove(manifest);
    let counts = cases("samples with fitting checksums", sound.files(), move |folder| {
        let (folder, sound, manifest) = (folder.to_owned(), sound.clone(), manifest.clone());
        sound.write(&folder);
        move |file, broken| {
            let (name, whole) = &sound.0[file];
            let signed = sign(&manifest, name.to_str().unwrap(), broken);
            fs::write(folder.join(MANIFEST), signed).unwrap();
            match sound.with_broken(&folder, file, broken, || SamplesFolder::open(&folder)) {
                Ok(opened) => {
                    contents(&opened);
                    assert_eq!(rows(broken), rows(whole));
                    Outcome::Accepted
                }
                Err(_) => Outcome::Refused,
            }
        }
    });
    assert!(counts.accepted > 50 && counts.refused > 100, "{counts:?}");
}

//! Folders that are not what their manifest says.

use std::fs;

use fain_samples::{CsvExport, Manifest, Part, SamplesFolder, write_csv};
use fain_storage::checksum;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, proptest};
use proptest::sample::Index;

use crate::star::{Star, stars};
use crate::support::{FULL, Written, sealed};

#[test]
fn every_changed_byte_is_refused() {
    let written = Written::new(&Star::random(FULL));
    for file in written.files() {
        let sound = written.read(&file);
        // Every byte of the manifest; of the others, whose checksum is that of a library, bytes all over them.
        let step = if file == "manifest.json" { 1 } else { 1 + sound.len() / 100 };
        for place in (0..sound.len()).step_by(step) {
            let mut changed = sound.clone();
            changed[place] ^= 1 << (place % 8);
            written.write(&file, &changed);
            // A changed byte may leave the manifest without a form that can be read as text.
            let refused = SamplesFolder::open(&written.path);
            assert!(refused.is_err(), "{file}, byte {place}");
        }
        written.write(&file, sound);
    }
    written.open();
}

#[test]
fn every_shortened_or_missing_file_is_refused() {
    let written = Written::new(&Star::random(FULL));
    for file in written.files() {
        let sound = written.read(&file);
        let step = if file == "manifest.json" { 1 } else { 1 + sound.len() / 50 };
        for length in (0..sound.len()).step_by(step) {
            written.write(&file, &sound[..length]);
            let refusal = written.refusal();
            assert!(refusal.starts_with(&format!("{file}: the ")), "{length} bytes: {refusal}");
        }
        fs::remove_file(written.path.join(&file)).unwrap();
        assert_eq!(written.refusal(), format!("{file}: the file is missing; needed: a file of a dataset"));
        written.write(&file, sound);
    }
    written.open();
}

#[test]
fn manifests() {
    let written = Written::new(&Star::random(FULL));
    let sound = written.read("manifest.json");
    let refusal = |from: &str, to: &str| {
        written.write("manifest.json", &sound);
        written.edit(from, to);
        written.refusal()
    };
    assert_eq!(
        refusal("\"fain-samples\"", "\"fain-dataset\""),
        "manifest.json: the format is `fain-dataset`; needed: `fain-samples`"
    );
    // A later version may have other fields: it is refused for its version.
    assert_eq!(
        refusal("\"version\": 1,", "\"version\": 2,\n  \"sharding\": 4,"),
        "manifest.json: the version is 2; needed: 1"
    );
    let unknown = refusal("\"rule\"", "\"sharding\": 4,\n  \"rule\"");
    assert!(unknown.starts_with("manifest.json: the manifest is not readable: unknown field `sharding`"), "{unknown}");
    let unknown = refusal("\"kind\": \"number\"", "\"kind\": \"vector\"");
    assert!(unknown.starts_with("manifest.json: the manifest is not readable: unknown variant `vector`"), "{unknown}");
    assert_eq!(
        refusal("\"file\": \"train.arrow\"", "\"file\": \"../train.arrow\""),
        "manifest.json: the name of a file or of its column is ../train.arrow; needed: train.arrow"
    );
    assert_eq!(
        refusal("\"column\": \"item:genres\"", "\"column\": \"item:genre\""),
        "manifest.json: the name of a file or of its column is item:genre; needed: item:genres"
    );
    assert_eq!(
        refusal("\"max_length\": 3", "\"max_length\": 0"),
        "manifest.json: the layout or the negatives is \"max_length\": the longest history has 0 events; at least 1 is \
         needed; needed: those of a samples folder"
    );
    let positives = written_positives(&sound);
    assert_eq!(
        refusal(&format!("\"positives\": {positives}"), "\"positives\": 1000"),
        format!("train.arrow: the number of positive rows is {positives}; needed: 1000")
    );

    // Without its own checksum made right, an edited manifest is refused.
    let edited = String::from_utf8(sound.clone()).unwrap().replacen("\"max_length\": 3", "\"max_length\": 4", 1);
    written.write("manifest.json", &edited);
    let refusal = written.refusal();
    assert!(refusal.starts_with("manifest.json: the checksum is "), "{refusal}");
    written.write("manifest.json", sealed(&edited));
    assert_eq!(written.open().layout().max_length, 4);
}

fn written_positives(manifest: &[u8]) -> u64 {
    serde_json::from_slice::<Manifest>(manifest).unwrap().splits.train.positives
}

/// Reads everything there is.
fn walk(folder: &SamplesFolder) {
    for part in Part::ALL {
        // Some rows may have values that cannot be written, or none to draw.
        let _ = write_csv(folder, part, std::io::sink(), &CsvExport::default());
    }
    let summary = folder.summary();
    assert_eq!(summary.events, folder.events().rows);
    folder.check_times();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Changed bytes whose checksums were made right are refused, or give other values, but do no harm.
    #[test]
    fn changed_bytes_do_no_harm(
        (star, changes) in stars().prop_flat_map(|star| {
            (Just(star), prop::collection::vec((any::<Index>(), any::<u8>()), 1..4))
        }),
        file in any::<Index>(),
    ) {
        let written = Written::new(&star);
        let files = written.files();
        let file = file.get(&files);
        let sound = written.read(file);
        let mut changed = sound.clone();
        for (place, byte) in changes {
            let place = place.index(changed.len());
            changed[place] = byte;
        }
        written.write(file, &changed);
        if file == "manifest.json" {
            if let Ok(text) = String::from_utf8(changed)
                && text.matches("\"checksum\": \"").next().is_some()
                && text.len() > 200
                && text.is_ascii()
            {
                written.write(file, sealed(&text));
            }
        } else {
            written.edit(&checksum(&sound), &checksum(&changed));
        }
        if let Ok(folder) = SamplesFolder::open(&written.path) {
            walk(&folder);
        }
    }
}

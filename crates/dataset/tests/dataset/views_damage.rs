//! Folders of views that are not what their manifest says, or whose tables do not fit each other.

use std::fs;

use fain_dataset::{Dataset, ErrorKind};
use fain_storage::checksum;
use proptest::prelude::*;

use crate::support::{Place, names};
use crate::version_2::folder;

/// A copy of the dataset of version 2, to break.
struct Copy(Place);

impl Copy {
    fn new() -> Self {
        let place = Place::new();
        fs::create_dir(place.path("dataset")).unwrap();
        for name in names(&folder().join("dataset")) {
            fs::copy(folder().join("dataset").join(&name), place.path("dataset").join(&name)).unwrap();
        }
        Self(place)
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.path("dataset").join(name)).unwrap()
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.0.path("dataset").join(name), bytes).unwrap();
    }

    /// Replaces a text of the manifest.
    fn edit(&self, from: &str, to: &str) {
        let manifest = String::from_utf8(self.read("manifest.json")).unwrap();
        assert!(manifest.contains(from), "{from}");
        self.write("manifest.json", manifest.replacen(from, to, 1));
    }

    /// Replaces numbers of a column, which starts at a multiple of 64 bytes, and the checksum in the manifest, as if the file had been written so.
    fn patch(&self, name: &str, from: &[u32], to: &[u32]) {
        let bytes = |numbers: &[u32]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
        let sound = self.read(name);
        let places: Vec<usize> =
            (0..sound.len()).step_by(64).filter(|place| sound[*place..].starts_with(&bytes(from))).collect();
        assert_eq!(places.len(), 1, "{from:?} in {name}");
        let mut patched = sound.clone();
        patched[places[0]..places[0] + 4 * to.len()].copy_from_slice(&bytes(to));
        self.write(name, &patched);
        self.edit(&checksum(&sound), &checksum(&patched));
    }

    /// What is said on opening, without the path of the folder.
    fn refusal(&self) -> String {
        let error = Dataset::open(&self.0.path("dataset")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data, "{error}");
        error.to_string().replace(&format!("{}/", self.0.path("dataset").display()), "")
    }
}

/// The refusal of a copy that was broken.
fn refusal(damage: impl FnOnce(&Copy)) -> String {
    let copy = Copy::new();
    damage(&copy);
    copy.refusal()
}

#[test]
fn what_rows_refer_to_must_be_there() {
    assert_eq!(
        refusal(|copy| copy.patch("train.arrow", &[0, 0, 1, 1], &[0, 0, 1, 3])),
        "train.arrow: the largest value of the column \"user\" is 3; needed: below 3, the rows of its table"
    );
    assert_eq!(
        refusal(|copy| copy.patch("train.arrow", &[0, 1, 1, 3], &[0, 1, 6, 3])),
        "train.arrow: the largest value of the column \"item\" is 6; needed: below 6, the rows of its table"
    );
    // A history that reaches into that of the next user.
    assert_eq!(
        refusal(|copy| copy.patch("train.arrow", &[0, 1, 3, 4], &[0, 4, 3, 4])),
        "train.arrow: the value of the column \"history_end\" in row 2 is 4; needed: 0 to 3, the user's events"
    );
    assert_eq!(
        refusal(|copy| copy.patch("train.arrow", &[0, 1, 3, 4], &[0, 1, 2, 4])),
        "train.arrow: the value of the column \"history_end\" in row 3 is 2; needed: 3 to 5, the user's events"
    );
    assert_eq!(
        refusal(|copy| copy.patch("events.arrow", &[0, 1, 2, 1, 3, 4, 5], &[0, 1, 2, 1, 3, 4, 6])),
        "events.arrow: the largest value of the column \"item\" is 6; needed: below 6, the rows of its table"
    );
}

#[test]
fn spans_of_users_must_follow_each_other() {
    for (from, to, message) in [
        ([0, 3, 5], [0, 2, 5], "the events of user 1 is 2 to 5 with a window to 5; needed: a span from 3"),
        ([3, 5, 7], [3, 5, 6], "the events of user 2 is 5 to 6 with a window to 7; needed: a span from 5"),
        ([2, 5, 7], [4, 5, 7], "the events of user 0 is 0 to 3 with a window to 4; needed: a span from 0"),
        ([2, 5, 7], [2, 2, 7], "the events of user 1 is 3 to 5 with a window to 2; needed: a span from 3"),
    ] {
        let refusal = refusal(|copy| copy.patch("users.arrow", &from, &to));
        assert_eq!(refusal, format!("users.arrow: {message} with a window that ends in it"));
    }
    let fewer = refusal(|copy| {
        copy.patch("users.arrow", &[3, 5, 7], &[3, 5, 6]);
        copy.patch("users.arrow", &[2, 5, 7], &[2, 5, 6]);
    });
    assert_eq!(fewer, "users.arrow: the end of the last user's events is 6; needed: 7");
}

#[test]
fn ids_of_events_and_items_lie_in_their_vocabulary() {
    // hat 4, coat 3, shoe unknown, coat, scarf 5, belt 1, cap 2.
    assert_eq!(
        refusal(|copy| copy.patch("events.arrow", &[4, 3, 0, 3, 5, 1, 2], &[4, 3, 0, 3, 6, 1, 2])),
        "events.arrow: the largest id of the column \"feature:history\" is 6; needed: below 6, the size of the vocabulary"
    );
}

#[test]
fn manifests_must_mean_something() {
    let cases = [
        (
            "\"file\": \"users.arrow\"",
            "\"file\": \"../users.arrow\"",
            "the name of a table's file is ../users.arrow; needed: users.arrow",
        ),
        (
            "\"item\": \"item\",\n        \"price\"",
            "\"items\": \"item\",\n        \"price\"",
            "the list of features is another; needed: those of the schema, in its order",
        ),
        (
            "\"price\": \"item\"",
            "\"price\": \"history\"",
            "what the feature \"price\" reads is the history; needed: something with one value",
        ),
        (
            "\"when\": \"history\"",
            "\"when\": \"negative\"",
            "what the feature \"when\" reads is the history; needed: something with one value",
        ),
        (
            "\"group\": \"user\",\n      \"users\"",
            "\"group\": null,\n      \"users\"",
            "the table of the groups is another; needed: that of the column of schema.group",
        ),
        (
            "\"group\": \"user\",\n      \"users\"",
            "\"group\": \"negative\",\n      \"users\"",
            "the table of the groups is another; needed: that of the column of schema.group",
        ),
    ];
    for (from, to, message) in cases {
        assert_eq!(refusal(|copy| copy.edit(from, to)), format!("manifest.json: {message}"));
    }
    // Columns that lie in another table than the manifest says.
    let other = refusal(|copy| copy.edit("\"price\": \"item\"", "\"price\": \"user\""));
    assert!(other.starts_with("users.arrow: the file is one with the columns [key: Utf8, "), "{other}");
    // Rows with drawn candidates are positives.
    let negative = refusal(|copy| {
        let one = 1.0_f32.to_bits();
        copy.patch("train.arrow", &[one; 4], &[one, one, 0, one]);
        copy.edit("\"positives\": 4", "\"positives\": 3");
    });
    assert_eq!(
        negative,
        "train.arrow: the number of rows with label 0 is 1; needed: 0, as candidates with label 0 are drawn"
    );
}

#[test]
fn every_file_is_needed_and_checked() {
    for name in names(&folder().join("dataset")) {
        let sound = Copy::new().read(&name);
        let missing = refusal(|copy| fs::remove_file(copy.0.path("dataset").join(&name)).unwrap());
        assert_eq!(missing, format!("{name}: the file is missing; needed: a file of a dataset"));
        for length in [0, 1, sound.len() / 2, sound.len() - 2] {
            let short = refusal(|copy| copy.write(&name, &sound[..length]));
            assert!(short.starts_with(&format!("{name}: ")), "{name}, {length} bytes: {short}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// A changed byte is refused, or leaves the rows as they were.
    #[test]
    fn changed_bytes_are_refused_or_harmless(
        file in 0..8_usize, place in any::<prop::sample::Index>(), change in 1..=255_u8,
    ) {
        let copy = Copy::new();
        let name = &names(&folder().join("dataset"))[file];
        let mut bytes = copy.read(name);
        let place = place.index(bytes.len());
        bytes[place] ^= change;
        copy.write(name, &bytes);
        if let Ok(dataset) = Dataset::open(&copy.0.path("dataset")) {
            prop_assert!(["manifest.json", "encoders.json"].contains(&name.as_str()), "{}", name);
            let sound = Dataset::open(&folder().join("dataset")).unwrap();
            prop_assert_eq!(dataset.train().rows(), sound.train().rows());
            prop_assert_eq!(dataset.encoders(), sound.encoders());
        }
    }
}

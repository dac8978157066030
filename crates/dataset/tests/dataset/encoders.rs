//! Encoders that are there already.

use fain_dataset::{Dataset, ErrorKind};
use fain_features::Vocabulary;

use crate::support::{Place, prepare, rows};

const DATA: &str = "train = 'train.csv'\nvalidation.file = 'held.csv'";

/// A dataset of 50 rows, and the folder with 20 more rows in the place of its training file.
fn old_and_more() -> (Place, Dataset) {
    let place = Place::new();
    place.write("train.csv", &rows(0, 50));
    place.write("held.csv", &rows(0, 5));
    let old = prepare(&place.config(DATA)).unwrap();
    place.write("train.csv", &rows(30, 70));
    (place, old)
}

fn with(place: &Place, encoders: &str) -> Result<Dataset, fain_dataset::DatasetError> {
    prepare(&place.config(&format!("{DATA}\nencoders = {encoders}")))
}

fn from(path: &std::path::Path, rest: &str) -> String {
    format!("{{ from = '{}'{rest} }}", path.display())
}

#[test]
fn given_encoders_are_used_as_they_are() {
    let (place, old) = old_and_more();
    let dataset = with(&place, &from(old.folder(), "")).unwrap();
    assert_eq!(dataset.encoders(), old.encoders());
    assert_eq!(dataset.encoders().vocabulary(0).id("i69"), Vocabulary::UNKNOWN);
    assert_ne!(dataset.folder(), prepare(&place.config(DATA)).unwrap().folder());
    // A file, and the folder of a run.
    let file = old.folder().join("encoders.json");
    assert_eq!(with(&place, &from(&file, "")).unwrap().folder(), dataset.folder());
    std::fs::create_dir_all(place.path("run/bundle")).unwrap();
    std::fs::copy(&file, place.path("run/bundle/encoders.json")).unwrap();
    assert_eq!(with(&place, &from(&place.path("run"), "")).unwrap().folder(), dataset.folder());
}

#[test]
fn grown_encoders_keep_their_ids() {
    let (place, old) = old_and_more();
    let grown = with(&place, &from(old.folder(), ", grow = true")).unwrap();
    let (before, after) = (old.encoders().vocabulary(0), grown.encoders().vocabulary(0));
    assert!(after.size() > before.size());
    for (term, id) in before.terms().zip(1..) {
        assert_eq!(after.id(term), id);
    }
    assert!(after.id("i69") as usize >= before.size());
    let mean = |dataset: &Dataset| dataset.encoders().numeric(2).map(|encoder| encoder.transform(Some(7.0)).to_bits());
    assert_eq!(mean(&grown), mean(&old));
    assert_ne!(grown.folder(), with(&place, &from(old.folder(), "")).unwrap().folder());
}

#[test]
fn encoders_of_another_schema_or_none_are_refused() {
    let (place, old) = old_and_more();
    let json = std::fs::read_to_string(old.folder().join("encoders.json")).unwrap();
    let other = json.replacen("\"max_length\":4", "\"max_length\":5", 1);
    assert_ne!(other, json);
    place.write("other.json", &other);
    let refused = |path: &str| {
        let error = with(&place, &from(&place.path(path), "")).unwrap_err();
        let folder = format!("{}/", place.path("").display().to_string().trim_end_matches('/'));
        (error.to_string().replace(&folder, ""), error.kind())
    };
    assert_eq!(
        refused("other.json"),
        (
            "data.encoders.from = \"other.json\": must hold encoders of the same schema; that one has another"
                .to_owned(),
            ErrorKind::Config
        )
    );
    let missing = "none.json: the file is missing; needed: a file of a dataset";
    assert_eq!(refused("none.json"), (missing.to_owned(), ErrorKind::Data));
    place.write("broken.json", "{}");
    let (message, kind) = refused("broken.json");
    assert!(message.starts_with("broken.json: "), "{message}");
    assert_eq!(kind, ErrorKind::Data);
}

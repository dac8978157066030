//! Tables that start from vectors of a file.

use std::ops::ControlFlow;

use fain_dataset::Dataset;
use fain_models::named_tensors;
use fain_training::{ErrorKind, Trained, TrainingError};

use crate::support::{Place, turn, weights};

const VECTORS: &str = "item,x,y\n1,3,4\n3,7,-8\n9,19,20\n77,0,0\n";

/// Settings of tables that start from [`VECTORS`].
fn with_vectors(place: &Place, frozen: bool) -> Vec<String> {
    std::fs::write(place.folder.path().join("vectors.csv"), VECTORS).unwrap();
    let file = format!(r#"{{ file = "vectors.csv", key = "item", frozen = {frozen} }}"#);
    let file = format!("model.embedding.pretrained.item={file}");
    vec!["model.embedding.dim=2".to_owned(), "training.epochs=2".to_owned(), file]
}

fn strings(settings: &[String]) -> Vec<&str> {
    settings.iter().map(String::as_str).collect()
}

/// The vectors of the items 0 to 9.
fn table(place: &Place, trained: &Trained) -> Vec<[f32; 2]> {
    let experiment = place.experiment(&[]);
    let schema = experiment.check().unwrap();
    let dataset = Dataset::prepare(&experiment.data, &schema, &mut |_| ControlFlow::Continue(())).unwrap();
    let terms: Vec<&str> = dataset.encoders().vocabulary(0).terms().collect();
    let table = &trained.variables.variables()["embedding.item.weight"];
    assert_eq!(table.size(), [11, 2]);
    let row = |item: usize| {
        let id = 1 + terms.iter().position(|term| *term == item.to_string()).unwrap();
        Vec::<f32>::try_from(table.detach().get(id as i64)).unwrap().try_into().unwrap()
    };
    (0..10).map(row).collect()
}

#[test]
fn frozen_tables_stay_with_their_vectors() {
    let _turn = turn();
    let place = Place::new();
    let settings = with_vectors(&place, true);
    let mut settings = strings(&settings);
    settings.push("training.weight_decay=0.1");
    let trained = place.train("a", &settings, false, &mut |_| false).unwrap();
    let mut expected = [[0.0; 2]; 10];
    (expected[1], expected[3], expected[9]) = ([3.0, 4.0], [7.0, -8.0], [19.0, 20.0]);
    assert_eq!(table(&place, &trained), expected);
    // What is written down is all that scoring needs.
    assert!(named_tensors(&trained.variables).iter().any(|(name, _)| name == "embedding.item.weight"));
}

#[test]
fn tables_start_from_their_vectors_and_are_trained() {
    let _turn = turn();
    let place = Place::new();
    let settings = with_vectors(&place, false);
    let settings = strings(&settings);
    let trained = place.train("a", &settings, false, &mut |_| false).unwrap();
    let rows = table(&place, &trained);
    for (item, start) in [(1, [3.0f32, 4.0]), (3, [7.0, -8.0]), (9, [19.0, 20.0])] {
        let far = rows[item].iter().zip(start).map(|(end, start)| (end - start).abs()).fold(0.0, f32::max);
        assert!(far > 1e-4 && far < 1.5, "{item}: {:?}", rows[item]);
    }
    for item in [0, 2, 4, 5, 6, 7, 8] {
        assert!(rows[item].iter().all(|entry| entry.abs() < 1.5 && *entry != 0.0), "{item}: {:?}", rows[item]);
    }

    // A run that goes on needs no vectors, and ends with the same bytes.
    let mut seen = 0;
    let stopped = place.train("b", &settings, false, &mut |_| {
        seen += 1;
        seen > 4
    });
    assert!(matches!(stopped.unwrap_err(), TrainingError::Interrupted));
    assert!(place.run("b").checkpoint().is_file());
    std::fs::remove_file(place.folder.path().join("vectors.csv")).unwrap();
    let resumed = place.train("b", &settings, true, &mut |_| false).unwrap();
    assert_eq!(weights(&resumed), weights(&trained));
    let error = place.train("c", &settings, false, &mut |_| false).unwrap_err();
    assert!(error.to_string().contains("vectors.csv"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Data);
}

#[test]
fn vectors_that_do_not_fit_are_refused() {
    let _turn = turn();
    let place = Place::new();
    let settings = with_vectors(&place, false);
    let file = place.folder.path().join("vectors.csv");
    for (text, kind, expected) in [
        (
            "item,x\n1,2\n",
            ErrorKind::Request,
            "model.embedding.pretrained.item is vectors of width 1; allowed: width 2, which the table has \
             (model.embedding.dims.item sets it)",
        ),
        (
            "item,x,y\nhat,1,2\n",
            ErrorKind::Request,
            "model.embedding.pretrained.item.key is `item`, in which vectors.csv has none of the vocabulary's terms; \
             allowed: the column with the terms, written as in the data",
        ),
        ("item,x,y\n1,2,nan\n", ErrorKind::Data, "a finite number"),
        ("movie,x,y\n1,2,3\n", ErrorKind::Data, "no column \"item\", which key names"),
    ] {
        std::fs::write(&file, text).unwrap();
        let error = place.train("a", &strings(&settings), false, &mut |_| false).unwrap_err();
        assert!(error.to_string().contains(expected), "{text}: {error}");
        assert_eq!(error.kind(), kind, "{error}");
    }
    // A list in one column, in a file with another separator.
    std::fs::write(&file, "id\tvector\n3\t7 -8\n").unwrap();
    let list = "model.embedding.pretrained.item={ file = \"vectors.csv\", key = \"id\", list = \"vector\", \
                separator = \" \", frozen = true, csv = { separator = \"\\t\" } }";
    let trained =
        place.train("b", &["model.embedding.dim=2", "training.epochs=1", list], false, &mut |_| false).unwrap();
    assert_eq!(table(&place, &trained)[3..4], [[7.0, -8.0]]);
}

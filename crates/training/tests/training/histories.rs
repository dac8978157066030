//! What a model asks of its histories is looked at before the training begins.

use fain_training::ErrorKind;

use crate::support::{Place, turn};

#[test]
fn histories_of_one_interest_with_different_lengths_are_named() {
    let _turn = turn();
    let place = Place::new();
    let rows = "click,user,item,history,shop,shops\n1,1,2,3|4,5,6|7\n0,1,2,3,5,6\n1,2,2,,5,\n0,2,3,1|2,5,6\n";
    std::fs::write(place.folder.path().join("test.csv"), rows).unwrap();
    std::fs::write(place.folder.path().join("train.csv"), rows.replace("1|2,5,6", "1|2,5,6|7")).unwrap();
    std::fs::write(place.folder.path().join("valid.csv"), rows.replace("1|2,5,6", "1|2,5,6|7")).unwrap();
    let settings = [
        "data.validation={ file = \"valid.csv\" }",
        "schema.features.shop={ kind = \"category\" }",
        "schema.features.shops={ kind = \"sequence\", max_length = 5, vocabulary = \"shop\" }",
        "model.interests=[{ candidate = [\"item\", \"shop\"], history = [\"history\", \"shops\"] }]",
    ];
    let error = place.train("a", &settings, false, &mut |_| false).unwrap_err();
    assert_eq!(
        error.to_string(),
        "test.csv, row 4: history has 2 events and shops has 1; one interest reads both, so their lengths must be equal"
    );
    assert_eq!(error.kind(), ErrorKind::Data);

    // Where rows are held out, the row is still that of the file, or said to be another.
    let mut lines: Vec<String> = (0..40).map(|row| format!("{},{row},2,3|4,5,6|{}", row % 2, row % 7)).collect();
    lines[29] = "1,9,2,3|4,5,6".to_owned();
    let train = format!("click,user,item,history,shop,shops\n{}\n", lines.join("\n"));
    std::fs::write(place.folder.path().join("train.csv"), train).unwrap();
    let message = |validation: &'static str| {
        let settings = [validation, settings[1], settings[2], settings[3]];
        place.train("b", &settings, false, &mut |_| false).unwrap_err().to_string()
    };
    let by_number = message("data.validation={ fraction = 0.3 }");
    assert!(by_number.starts_with("train.csv, row 30: history has 2 events and shops has 1; "), "{by_number}");
    let by_value = message("data.validation={ fraction = 0.3, by = \"user\" }");
    assert!(by_value.starts_with("row ") && by_value.contains(" of the encoded "), "{by_value}");
}

#[test]
fn times_that_fall_are_named() {
    let _turn = turn();
    let place = Place::new();
    let rows = "click,user,item,history,times\n1,1,2,3|4,5|6\n0,1,2,3,9\n1,2,2,,\n0,2,3,1|2|1,7|7|6\n1,2,2,,\n";
    for file in ["train.csv", "test.csv"] {
        std::fs::write(place.folder.path().join(file), rows.replace("7|7|6", "7|7|7")).unwrap();
    }
    std::fs::write(place.folder.path().join("valid.csv"), rows).unwrap();
    let settings = [
        "data.validation={ file = \"valid.csv\" }",
        "schema.features.times={ kind = \"times\", max_length = 5 }",
        "model={ kind = \"dsin\", embedding.dim = 4, mlp.hidden = [8], transformer.heads = 2, session_gap = \"30m\", \
         interests = [{ candidate = [\"item\"], history = [\"history\"], times = \"times\" }] }",
    ];
    let error = place.train("a", &settings, false, &mut |_| false).unwrap_err();
    assert_eq!(
        error.to_string(),
        "valid.csv, row 4: times has 6 after 7; a history is divided by these times, so they must not fall"
    );
    assert_eq!(error.kind(), ErrorKind::Data);
}

//! The form in which a log is written does not change its samples.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fmt::Write;
use std::fs::File;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use fain_prepare::{PrepareConfig, prepare};
use fain_samples::SamplesFolder;
use parquet::arrow::ArrowWriter;

const ROWS: [(&str, &str, i64, &[&str]); 5] = [
    ("u", "a", 1_409_529_600, &["x", "y"]),
    ("v", "b", 1_409_616_000, &[]),
    ("u", "c", 1_409_616_000, &["y"]),
    ("u", "b", 1_409_702_400, &["z", "x", "z"]),
    ("v", "a", 1_409_702_400, &["x"]),
];

fn samples(root: &Path, file: &str, time: &str) -> SamplesFolder {
    let text = format!(
        r#"
        history = {{ max_length = 5 }}
        samples = {{ from = "positive" }}
        split = {{ last = {{ test = 1, validation = 1 }} }}
        negatives = {{ candidates = {{ per_positive = 1, distribution = "uniform", exclude = "past", draw = "epoch" }} }}
        [log]
        files = "{file}"
        user = "user"
        item = "item"
        time = {time}
        event = {{ tag = {{ first = "|", of = "tags" }} }}
        row = {{ tags = {{ terms = "|" }} }}
        "#
    );
    let config = PrepareConfig { root: root.to_owned(), ..toml::from_str(&text).unwrap() };
    prepare(&config, &root.join(file.replace('.', "-")), &mut |_| ControlFlow::Continue(())).unwrap().samples
}

#[test]
fn parquet_and_csv_and_dates_and_seconds_give_the_same_samples() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let mut seconds = "item,user,at,tags\n".to_owned();
    let mut dates = "user,at,tags,item\n".to_owned();
    let mut tags = ListBuilder::new(StringBuilder::new());
    for (user, item, time, list) in ROWS {
        let joined = list.join("|");
        writeln!(seconds, "{item},{user},{time},{joined}").unwrap();
        writeln!(dates, "{user},2014-09-0{},{joined},{item}", (time - 1_409_529_600) / 86_400 + 1).unwrap();
        for tag in list {
            tags.values().append_value(tag);
        }
        tags.append(true);
    }
    std::fs::write(root.join("seconds.csv"), seconds).unwrap();
    std::fs::write(root.join("dates.csv"), dates).unwrap();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("user", Arc::new(StringArray::from_iter_values(ROWS.map(|row| row.0)))),
        ("item", Arc::new(StringArray::from_iter_values(ROWS.map(|row| row.1)))),
        ("at", Arc::new(Int64Array::from_iter_values(ROWS.map(|row| row.2)))),
        ("tags", Arc::new(tags.finish())),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let file = File::create(root.join("log.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();

    let plain = samples(root, "seconds.csv", "\"at\"");
    for other in [
        samples(root, "log.parquet", "\"at\""),
        samples(root, "dates.csv", "{ column = \"at\", format = \"%Y-%m-%d\" }"),
    ] {
        let (plain, other) = (plain.manifest(), other.manifest());
        assert_eq!(plain.splits, other.splits);
        assert_eq!((&plain.events, &plain.users, &plain.items), (&other.events, &other.users, &other.items));
        assert_eq!(plain.terms, other.terms);
    }
    let times = plain.events().times.as_ref().unwrap();
    let order: Vec<i64> = (0..5).map(|row| (times.at(row) - 1_409_529_600) / 86_400).collect();
    assert_eq!(order, [0, 1, 2, 1, 2]);
    assert_eq!(plain.manifest().splits.test.file.rows, 2);
}

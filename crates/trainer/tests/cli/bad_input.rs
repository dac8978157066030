//! Every wrong input is refused by its exit code, and a message that says where it is and what is allowed.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use crate::support::{Outcome, fain_in, folder, names};

const CONFIG: &str = r#"
[data]
train = "train.csv"
validation.fraction = 0.2
[schema]
label = "click"
group = "user"
[schema.features]
item = { kind = "category" }
price = { kind = "numeric" }
history = { kind = "sequence", max_length = 5, vocabulary = "item" }
[model]
kind = "din"
interests = [{ candidate = ["item"], history = ["history"] }]
[training]
batch_size = 8
threads = 1
"#;

/// A folder with a small experiment that works.
struct Case {
    folder: TempDir,
    rows: Vec<String>,
    config: String,
}

impl Case {
    fn new() -> Self {
        let row = |number: usize| format!("{},u{},i{},{}.5,i1|i2", number % 2, number % 3, number % 5, number);
        let rows = [String::from("click,user,item,price,history")].into_iter().chain((1..=60).map(row)).collect();
        Self { folder: folder(), rows, config: CONFIG.to_owned() }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("train.csv")
    }

    fn bytes(&self) -> Vec<u8> {
        (self.rows.join("\n") + "\n").into_bytes()
    }

    /// Trains on the file as it is.
    fn train(&self, settings: &[&str]) -> Outcome {
        fs::write(self.folder.path().join("case.toml"), &self.config).unwrap();
        let mut command = fain_in(self.folder.path());
        command.args(["train", "case.toml"]);
        for setting in settings {
            command.args(["--set", setting]);
        }
        command.output().unwrap().into()
    }

    /// Trains on `data`, which must be refused, and nothing may be left behind.
    fn refused(&self, data: &[u8], code: i32, parts: &[&str]) {
        fs::write(self.file(), data).unwrap();
        self.train(&[]).refused(code, parts);
        self.nothing_is_left();
    }

    fn rows_refused(&self, parts: &[&str]) {
        self.refused(&self.bytes(), 3, parts);
    }

    fn nothing_is_left(&self) {
        let folder = self.folder.path();
        assert!(!folder.join("runs").exists());
        let cache = folder.join(".fain/datasets");
        assert!(!cache.exists() || names(&cache).is_empty(), "{:?}", names(&cache));
    }

    /// Refused for the configuration, before the data is looked at.
    fn config_refused(&self, settings: &[&str], parts: &[&str]) {
        self.train(settings).refused(2, parts);
        assert_eq!(names(self.folder.path()), ["case.toml"]);
    }
}

#[test]
fn the_case_itself_works() {
    let case = Case::new();
    fs::write(case.file(), case.bytes()).unwrap();
    assert_eq!(case.train(&["training.epochs=1"]).code, Some(0));
    assert!(case.folder.path().join("runs/case/report.json").is_file());
}

#[test]
fn a_missing_file() {
    let case = Case::new();
    case.train(&[]).refused(3, &["train.csv: cannot be opened: No such file"]);
    case.nothing_is_left();
}

#[test]
fn an_empty_file() {
    Case::new().refused(b"", 3, &["train.csv: the file is empty; its first line must be a header"]);
}

#[test]
fn a_header_without_a_wanted_column() {
    let mut case = Case::new();
    case.rows[0] = "click,user,item,cost,history".to_owned();
    case.rows_refused(&[
        "train.csv: no column \"price\", which schema.features.price names",
        "the header has: click, user, item, cost, history",
    ]);
}

#[test]
fn a_row_with_too_few_fields() {
    let mut case = Case::new();
    case.rows[7] = "1,u1,i1".to_owned();
    case.rows_refused(&["train.csv, row 7 (byte ", "): 3 fields, but the header has 5"]);
}

#[test]
fn a_label_that_is_neither_0_nor_1() {
    let mut case = Case::new();
    case.rows[5] = "2,u1,i1,1.0,i1".to_owned();
    case.rows_refused(&["train.csv, row 5 (byte ", "), column \"click\": \"2\" is not ", "0", "1"]);
}

#[test]
fn a_number_that_is_none() {
    let mut case = Case::new();
    // Every row is looked at, whichever split it falls into.
    for row in [1, 30, 60] {
        let mut case = Case { rows: case.rows.clone(), ..Case::new() };
        case.rows[row] = "1,u1,i1,cheap,i1".to_owned();
        case.rows_refused(&[&format!("train.csv, row {row} (byte "), "), column \"price\": \"cheap\" is not "]);
    }
    case.rows[9] = "1,u1,i1,inf,i1".to_owned();
    case.rows_refused(&["train.csv, row 9 (byte ", "), column \"price\": \"inf\" is not "]);
}

#[test]
fn text_that_is_not_utf_8() {
    let case = Case::new();
    let mut data = case.bytes();
    data.extend_from_slice(b"1,u1,i\xff1,1.0,i1\n");
    case.refused(
        &data,
        3,
        &["train.csv, row 61 (byte ", "), column \"item\": byte 1 is not UTF-8", "data.csv.encoding = \"latin1\""],
    );
}

#[test]
fn a_gzip_file_that_is_cut_short() {
    let case = Case::new();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&case.bytes()).unwrap();
    let whole = encoder.finish().unwrap();
    case.refused(&whole[..whole.len() - 9], 3, &["train.csv: the gzip file is cut short after row "]);
}

#[test]
fn rows_of_one_class() {
    let mut case = Case::new();
    for row in &mut case.rows[1..] {
        row.replace_range(..1, "0");
    }
    case.rows_refused(&["train.csv: column \"click\": ", "rows, all 0; training needs both 0 and 1"]);
}

#[test]
fn validation_rows_of_one_class() {
    let case = Case::new();
    fs::write(case.file(), case.bytes()).unwrap();
    fs::write(case.folder.path().join("later.csv"), "click,user,item,price,history\n0,u1,i1,1,i1\n0,u2,i2,2,\n")
        .unwrap();
    let outcome = case.train(&["data.validation={ file = \"later.csv\" }"]);
    outcome.refused(3, &["the auc of the 2 validation rows is undefined (0 of them are clicks)"]);
    assert!(!case.folder.path().join("runs/case").exists());
}

#[test]
fn a_missing_or_unreadable_configuration() {
    let case = Case::new();
    let missing: Outcome = fain_in(case.folder.path()).args(["train", "none.toml"]).output().unwrap().into();
    missing.refused(2, &["cannot read none.toml: No such file"]);
    let mut case = Case::new();
    case.config = case.config.replace("[model]", "[model");
    case.config_refused(&[], &["case.toml: TOML parse error at line 12"]);
}

#[test]
fn keys_and_values_of_the_configuration() {
    let case = Case::new();
    for (setting, parts) in [
        ("training.bacth_size=8", ["case.toml: training", "unknown field `bacth_size`, expected one of `batch_size`"]),
        ("training.batch_size=1", ["case.toml: training.batch_size is 1", "allowed: at least 2"]),
        ("training.monitor=mse", ["case.toml: training.monitor", "unknown variant `mse`, expected one of `auc`"]),
        ("data.validation.fraction=0.7", ["data.validation.fraction is 0.7", "above 0 and at most 0.5"]),
        ("data.test=train.csv", ["data.test is \"train.csv\"", "another file than data.train"]),
        ("model.mlp.dropout=1.0", ["model.mlp.dropout is 1", "at least 0 and below 1"]),
        ("model.kind=dinn", ["case.toml: model", "unknown variant `dinn`"]),
        (
            "schema.features.history.vocabulary=itme",
            [
                "schema.features.history.vocabulary = \"itme\"",
                "no such feature; features with a vocabulary of their own: item",
            ],
        ),
    ] {
        case.config_refused(&[setting], &parts);
    }
    let outcome = case.train(&["training"]);
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.stderr.contains("--set training: allowed: key.of.table=value"), "{outcome:?}");
}

#[test]
fn two_features_of_one_name() {
    let mut case = Case::new();
    case.config = case.config.replace("[model]", "item = { kind = \"numeric\" }\n[model]");
    case.config_refused(&[], &["case.toml: TOML parse error at line 12", "duplicate key"]);
}

#[test]
fn files_that_predict_and_evaluate_refuse() {
    let mut case = Case::new();
    fs::write(case.file(), case.bytes()).unwrap();
    assert_eq!(case.train(&["training.epochs=1"]).code, Some(0));
    let call = |arguments: &[&str]| -> Outcome { fain_in(case.folder.path()).args(arguments).output().unwrap().into() };
    let predict = ["predict", "runs/case", "--input", "new.csv", "--output", "out.csv"];
    let evaluate = ["evaluate", "runs/case", "--data", "new.csv"];
    call(&predict).refused(3, &["new.csv: cannot be opened: No such file"]);
    call(&evaluate).refused(3, &["new.csv: cannot be opened: No such file"]);
    call(&["evaluate", "runs/case"]).refused(2, &["the run's configuration has no data.test; give --data FILE"]);

    let new: &Path = &case.folder.path().join("new.csv");
    case.rows[59] = "1,u1,i1,cheap,i1".to_owned();
    fs::write(new, (case.rows.join("\n") + "\n").as_bytes()).unwrap();
    for arguments in [&predict[..], &evaluate[..]] {
        call(arguments).refused(3, &["new.csv, row 59 (byte ", "), column \"price\": \"cheap\" is not "]);
    }
    fs::write(new, "item,price\ni1,1\n").unwrap();
    call(&predict).refused(3, &["new.csv: no column \"history\", which schema.features.history names"]);
    fs::write(new, "item,price,history\ni1,1,i2\n").unwrap();
    call(&evaluate).refused(3, &["new.csv: no column \"click\", which schema.label names"]);
    assert_eq!(names(case.folder.path()), [".fain", "case.toml", "new.csv", "runs", "train.csv"]);
}

//! Files by names and patterns.

use std::path::Path;

use fain_tables::{TableErrorKind, find_files};

use crate::files::TestFolder;

fn names(folder: &TestFolder, patterns: &[&str]) -> Vec<String> {
    let patterns: Vec<String> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
    let found = find_files(folder.path(), &patterns).unwrap();
    found.iter().map(|file| file.strip_prefix(folder.path()).unwrap().to_str().unwrap().to_owned()).collect()
}

fn log() -> TestFolder {
    let names = ["b.csv", "a.csv", "10.csv", ".hidden.csv", "day/x.csv", "day/deep/y.csv", "[1].csv", "1.csv", "a.gz"];
    TestFolder::new(&names.map(|name| (name, &b""[..])))
}

#[test]
fn patterns_find_files_sorted_by_name() {
    let folder = log();
    assert_eq!(names(&folder, &["*.csv"]), ["1.csv", "10.csv", "[1].csv", "a.csv", "b.csv"]);
    assert_eq!(names(&folder, &["?.csv"]), ["1.csv", "a.csv", "b.csv"]);
    assert_eq!(names(&folder, &["[ab].csv"]), ["a.csv", "b.csv"]);
    assert_eq!(names(&folder, &["day/**/*.csv"]), ["day/deep/y.csv", "day/x.csv"]);
}

#[test]
fn names_keep_their_order_and_come_once() {
    let folder = log();
    assert_eq!(names(&folder, &["b.csv", "a.csv"]), ["b.csv", "a.csv"]);
    assert_eq!(names(&folder, &["b.csv", "?.csv", "b.csv"]), ["b.csv", "1.csv", "a.csv"]);
    assert_eq!(names(&folder, &["[1].csv"]), ["[1].csv"], "a file of that very name");
    let absolute = folder.file("a.*").to_str().unwrap().to_owned();
    assert_eq!(find_files(Path::new("no/where"), &[absolute]).unwrap(), [folder.file("a.csv"), folder.file("a.gz")]);
}

#[test]
fn a_folder_may_have_any_name() {
    let folder = TestFolder::new(&[("a[1]*/x.csv", b"")]);
    let found = find_files(&folder.file("a[1]*"), &["*.csv".to_owned()]).unwrap();
    assert_eq!(found, [folder.file("a[1]*/x.csv")]);
}

#[test]
fn nothing_found_is_an_error() {
    let folder = log();
    let refused = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let error = find_files(folder.path(), &names).unwrap_err();
        (error.to_string().replace(&folder.path().display().to_string(), "root"), error.kind())
    };
    assert_eq!(refused(&["*.csv", "*.tsv"]), ("root: *.tsv matches no file".to_owned(), TableErrorKind::Unreadable));
    assert_eq!(refused(&["c.csv"]).0, "root: c.csv matches no file");
    assert_eq!(refused(&["day"]).0, "root: day matches no file");
    assert_eq!(refused(&[]), ("files = []: at least one name is needed".to_owned(), TableErrorKind::Config));
    let (message, kind) = refused(&["a[.csv"]);
    assert_eq!(kind, TableErrorKind::Config);
    assert!(message.starts_with("files = a[.csv: no pattern: "), "{message}");
}

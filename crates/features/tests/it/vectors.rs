//! Vectors by key.

use fain_features::{Aligned, CsvConfig, DataError, NumberColumns, VectorColumns, Vectors};

use crate::files::TestFile;
use crate::fitted::{fit, schema};

const OTHERS: VectorColumns<'_> = VectorColumns { key: "item", numbers: NumberColumns::Others };
const LIST: VectorColumns<'_> =
    VectorColumns { key: "item", numbers: NumberColumns::List { column: "vector", separator: " " } };

fn read(text: &str, columns: VectorColumns<'_>) -> Result<Vectors, DataError> {
    let file = TestFile::new("vectors.csv", text);
    Vectors::read(&[file.path().to_path_buf()], &CsvConfig::default(), columns)
}

/// The error without the folder of its file.
fn error(text: &str, columns: VectorColumns<'_>) -> String {
    let message = read(text, columns).unwrap_err().to_string();
    message.split_once("vectors.csv").map_or(message.clone(), |(_, rest)| rest.to_owned())
}

#[test]
fn numbers_stand_in_columns_or_in_a_list() {
    let vectors = read("x,item,y\n0.5,shoe,1\n-1,hat,2e3\n", OTHERS).unwrap();
    assert_eq!((vectors.len(), vectors.width()), (2, 2));
    assert_eq!(vectors.get("shoe"), Some([0.5, 1.0].as_slice()));
    assert_eq!(vectors.get("hat"), Some([-1.0, 2000.0].as_slice()));
    assert_eq!(vectors.get("coat"), None);

    let columns = ["y".to_owned()];
    let named = VectorColumns { key: "item", numbers: NumberColumns::Named(&columns) };
    assert_eq!(read("x,item,y\na,shoe,1\n", named).unwrap().get("shoe"), Some([1.0].as_slice()));

    let vectors = read("item,vector\nshoe,1 2 3\nhat,4 5 6\n", LIST).unwrap();
    assert_eq!((vectors.width(), vectors.get("hat")), (3, Some([4.0, 5.0, 6.0].as_slice())));
}

#[test]
fn several_files_are_one_table() {
    let (first, second) = (TestFile::new("a.csv", "item,x\na,1\n"), TestFile::new("b.csv", "x,item\n2,b\n"));
    let files = [first.path().to_path_buf(), second.path().to_path_buf()];
    let vectors = Vectors::read(&files, &CsvConfig::default(), OTHERS).unwrap();
    assert_eq!((vectors.get("a"), vectors.get("b")), (Some([1.0].as_slice()), Some([2.0].as_slice())));
    let twice = [files[0].clone(), files[0].clone()];
    let message = Vectors::read(&twice, &CsvConfig::default(), OTHERS).unwrap_err().to_string();
    assert!(message.ends_with("\"a\" is not a key that no row before has, and not empty"), "{message}");
    let message = Vectors::read(&[], &CsvConfig::default(), OTHERS).unwrap_err().to_string();
    assert_eq!(message, "files = []: at least one file is needed");
}

#[test]
fn vectors_follow_the_ids() {
    let file = TestFile::new("train.csv", "y,item\n1,hat\n0,coat\n1,shoe\n");
    let encoders = fit(schema("label = 'y'\nfeatures.item = { kind = 'category' }"), file.path()).unwrap();
    let vectors = read("item,x,y\nshoe,1,2\nsock,3,4\ncoat,5,6\n", OTHERS).unwrap();
    assert_eq!(
        vectors.align(encoders.vocabulary(0)).unwrap(),
        Aligned { values: vec![0.0, 0.0, 5.0, 6.0, 0.0, 0.0, 1.0, 2.0], found: vec![false, true, false, true] }
    );
}

#[test]
fn ids_of_buckets_have_no_vectors() {
    let file = TestFile::new("train.csv", "y,item,age\n1,hat,3\n");
    let toml = "label = 'y'\nfeatures.item = { kind = 'category', buckets = 4 }\n\
                features.age = { kind = 'bucket', boundaries = [2] }";
    let encoders = fit(schema(toml), file.path()).unwrap();
    let vectors = read("item,x\nshoe,1\n", OTHERS).unwrap();
    let error = |index: usize| vectors.align(encoders.vocabulary(index)).unwrap_err().to_string();
    assert_eq!(error(0), "vocabulary = hash buckets: vectors by key need a vocabulary of terms");
    assert_eq!(error(1), "vocabulary = intervals: vectors by key need a vocabulary of terms");
}

#[test]
fn what_is_no_table_of_vectors_is_refused() {
    let key = "is not a key that no row before has, and not empty";
    assert!(
        error("item,x\na,1\nb,2\na,3\n", OTHERS).ends_with(&format!("row 3 (byte 15), column \"item\": \"a\" {key}"))
    );
    assert!(error("item,x\n,1\n", OTHERS).ends_with(&format!("row 1 (byte 7), column \"item\": \"\" {key}")));
    let number = "is not a finite number within the range of 32-bit floats";
    for value in ["", "x", "nan", "1e39"] {
        let message = error(&format!("item,x\na,{value}\n"), OTHERS);
        assert!(message.ends_with(&format!("row 1 (byte 7), column \"x\": \"{value}\" {number}")), "{message}");
    }
    let width = "is not a list as long as that of the first row, with at least one number";
    let message = error("item,vector\na,1 2\nb,1 2 3\n", LIST);
    assert!(message.ends_with(&format!("row 2 (byte 18), column \"vector\": \"1 2 3\" {width}")), "{message}");
    assert!(error("item,vector\na,\n", LIST).ends_with(&format!("\"\" {width}")));
    assert!(error("item,vector\na,1  2\n", LIST).ends_with(&format!("\"1  2\" {number}")));
    assert_eq!(error("item\na\n", OTHERS), "columns = []: at least one column of numbers is needed");
    let list = VectorColumns { key: "item", numbers: NumberColumns::List { column: "vector", separator: "" } };
    assert_eq!(error("item,vector\na,1\n", list), "separator = \"\": at least one character is needed");
    let missing = VectorColumns { key: "id", numbers: NumberColumns::Others };
    assert!(error("item,x\na,1\n", missing).contains("no column \"id\", which key names"));
}

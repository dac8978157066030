//! What the values of Parquet files become.

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, PrimitiveDictionaryBuilder, StringBuilder, StringDictionaryBuilder};
use arrow_array::types::{Int8Type, Int32Type, Int64Type};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Date64Array, Decimal128Array, Decimal256Array,
    FixedSizeListArray, Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Int64Array, LargeListArray,
    LargeStringArray, ListArray, NullArray, StringArray, StringViewArray, StructArray, Time32SecondArray,
    TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray, UInt8Array,
    UInt16Array, UInt32Array, UInt64Array,
};
use arrow_buffer::i256;
use fain_tables::{CsvConfig, Record, TableErrorKind, TablePlan, TableReader, WantedColumn};
use parquet::file::properties::WriterProperties;

use crate::files::{TestFile, read_table};
use crate::parquet_files::{parquet, rows};

/// The texts of a column.
fn texts(column: impl Array + 'static) -> Vec<String> {
    rows(&[("a", Arc::new(column))])[1..].iter().map(|row| row[0].clone()).collect()
}

#[test]
fn integers_and_booleans() {
    assert_eq!(texts(BooleanArray::from(vec![Some(true), Some(false), None])), ["1", "0", ""]);
    assert_eq!(texts(Int8Array::from(vec![Some(-128), None, Some(127)])), ["-128", "", "127"]);
    assert_eq!(texts(Int16Array::from(vec![i16::MIN, i16::MAX])), ["-32768", "32767"]);
    assert_eq!(texts(Int32Array::from(vec![i32::MIN, i32::MAX])), ["-2147483648", "2147483647"]);
    assert_eq!(texts(Int64Array::from(vec![i64::MIN, i64::MAX])), ["-9223372036854775808", "9223372036854775807"]);
    assert_eq!(texts(UInt8Array::from(vec![0, u8::MAX])), ["0", "255"]);
    assert_eq!(texts(UInt16Array::from(vec![0, u16::MAX])), ["0", "65535"]);
    assert_eq!(texts(UInt32Array::from(vec![0, u32::MAX])), ["0", "4294967295"]);
    assert_eq!(texts(UInt64Array::from(vec![0, u64::MAX])), ["0", "18446744073709551615"]);
    assert_eq!(texts(NullArray::new(2)), ["", ""]);
}

#[test]
fn floats_are_the_shortest_text_that_reads_back() {
    let values = vec![Some(1.0), Some(-0.1), Some(1e300), Some(f64::NAN), Some(f64::NEG_INFINITY), None];
    assert_eq!(texts(Float64Array::from(values)), ["1.0", "-0.1", "1e300", "NaN", "-inf", ""]);
    assert_eq!(texts(Float32Array::from(vec![0.1, 16_777_216.0, 1e-20])), ["0.1", "16777216.0", "1e-20"]);
}

#[test]
fn decimals_keep_their_digits() {
    let decimals = Decimal128Array::from(vec![Some(12_345), Some(-5), None]).with_precision_and_scale(30, 2).unwrap();
    assert_eq!(texts(decimals), ["123.45", "-0.05", ""]);
    let wide = Decimal256Array::from(vec![i256::from_i128(12_345)]).with_precision_and_scale(60, 4).unwrap();
    assert_eq!(texts(wide), ["1.2345"]);
}

#[test]
fn times_are_seconds() {
    assert_eq!(texts(Date32Array::from(vec![Some(0), Some(-1), Some(11_323), None])), ["0", "-86400", "978307200", ""]);
    assert_eq!(texts(Date64Array::from(vec![978_307_200_000])), ["978307200"]);
    assert_eq!(texts(TimestampSecondArray::from(vec![978_300_760])), ["978300760"]);
    let milliseconds = TimestampMillisecondArray::from(vec![Some(978_300_760_999), Some(-1), None]);
    assert_eq!(texts(milliseconds), ["978300760", "-1", ""]);
    let microseconds = TimestampMicrosecondArray::from(vec![978_300_760_999_999]).with_timezone("UTC");
    assert_eq!(texts(microseconds), ["978300760"]);
    assert_eq!(texts(TimestampNanosecondArray::from(vec![1_700_000_000_123_456_789])), ["1700000000"]);
}

#[test]
fn texts_of_every_kind() {
    assert_eq!(texts(StringArray::from(vec![Some("é,\n\""), Some(""), None])), ["é,\n\"", "", ""]);
    assert_eq!(texts(LargeStringArray::from(vec!["a", "b"])), ["a", "b"]);
    assert_eq!(
        texts(StringViewArray::from(vec!["a", "longer than what a view holds"])),
        ["a", "longer than what a view holds"]
    );
    assert_eq!(texts(BinaryArray::from(vec!["café".as_bytes(), b""])), ["café", ""]);
    let file = TestFile::new(
        "a.parquet",
        parquet(&[("a", Arc::new(BinaryArray::from(vec![&b"ok"[..], b"\xFF"])))], WriterProperties::default()),
    );
    let error = read_table(file.path(), &CsvConfig::default()).unwrap_err();
    assert_eq!(file.message(&error), "a.parquet, row 2, column \"a\": \"(bytes)\" is not UTF-8 text");
}

#[test]
fn dictionaries() {
    let mut words = StringDictionaryBuilder::<Int8Type>::new();
    words.append_option(Some("b"));
    words.append_option(None::<&str>);
    words.append_option(Some("a"));
    words.append_option(Some("b"));
    assert_eq!(texts(words.finish()), ["b", "", "a", "b"]);
    let mut numbers = PrimitiveDictionaryBuilder::<Int32Type, Int64Type>::new();
    numbers.append_option(Some(7));
    numbers.append_option(None);
    assert_eq!(texts(numbers.finish()), ["7", ""]);
    let mut missing = StringDictionaryBuilder::<Int8Type>::new();
    missing.append_option(None::<&str>);
    assert_eq!(texts(missing.finish()), [""]);
}

/// The texts and the items of a column of lists, beside a column of texts.
fn lists(column: ArrayRef) -> Vec<(String, Vec<String>)> {
    let beside: ArrayRef = Arc::new(StringArray::from_iter_values((0..column.len()).map(|row| format!("text {row}"))));
    let columns = [("beside", beside), ("list", column)];
    let file = TestFile::new("a.parquet", parquet(&columns, WriterProperties::default()));
    let mut table = TableReader::open(file.path(), &CsvConfig::default()).unwrap();
    let mut record = Record::new();
    let mut lists = Vec::new();
    while table.read(&mut record).unwrap() {
        assert_eq!(record.get(0), format!("text {}", lists.len()));
        assert!(record.list(0).is_none());
        assert!(record.list(2).is_none());
        let items = record.list(1).unwrap();
        assert_eq!(items.clone().rev().count(), items.len());
        lists.push((record.get(1).to_owned(), items.map(str::to_owned).collect()));
    }
    lists
}

fn list(text: &str, items: &[&str]) -> (String, Vec<String>) {
    (text.to_owned(), items.iter().map(|&item| item.to_owned()).collect())
}

#[test]
fn lists_have_items() {
    let mut words = ListBuilder::new(StringBuilder::new());
    words.append_value([Some("a, b"), None, Some("")]);
    words.append_value([None::<&str>; 0]);
    words.append_null();
    words.append_value([Some("c")]);
    let expected = [list("[a, b, , ]", &["a, b", "", ""]), list("[]", &[]), list("", &[]), list("[c]", &["c"])];
    assert_eq!(lists(Arc::new(words.finish())), expected);

    let numbers = [Some(vec![Some(1), Some(2)]), None, Some(vec![Some(-3)])];
    let expected = [list("[1, 2]", &["1", "2"]), list("", &[]), list("[-3]", &["-3"])];
    assert_eq!(lists(Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(numbers.clone()))), expected);
    assert_eq!(lists(Arc::new(LargeListArray::from_iter_primitive::<Int64Type, _, _>(numbers))), expected);
    let pairs = [Some(vec![Some(1), Some(2)]), None, Some(vec![Some(3), None])];
    let pairs = FixedSizeListArray::from_iter_primitive::<Int64Type, _, _>(pairs, 2);
    assert_eq!(lists(Arc::new(pairs)), [list("[1, 2]", &["1", "2"]), list("", &[]), list("[3, ]", &["3", ""])]);
}

#[test]
fn two_lists_and_many_rows() {
    let column = |times: i64| -> ArrayRef {
        let rows = (0..5000_i64).map(|row| Some((0..row % 4).map(move |item| Some(times * (row + item)))));
        Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(rows))
    };
    let columns = [("a", column(1)), ("b", column(-1))];
    let file = TestFile::new("a.parquet", parquet(&columns, WriterProperties::default()));
    let mut table = TableReader::open(file.path(), &CsvConfig::default()).unwrap();
    let mut record = Record::new();
    for row in 0..5000_i64 {
        assert!(table.read(&mut record).unwrap());
        for (place, times) in [(0, 1), (1, -1)] {
            let items: Vec<i64> = record.list(place).unwrap().map(|item| item.parse().unwrap()).collect();
            assert_eq!(items, (0..row % 4).map(|item| times * (row + item)).collect::<Vec<_>>());
        }
    }
    assert!(!table.read(&mut record).unwrap());
}

#[test]
fn types_that_are_not_read() {
    let inner: ArrayRef = Arc::new(Int32Array::from(vec![1]));
    let nested: ArrayRef = Arc::new(StructArray::try_from(vec![("x", Arc::clone(&inner))]).unwrap());
    let nested_list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1)])]);
    let mut deep = ListBuilder::new(ListBuilder::new(StringBuilder::new()));
    deep.values().append_value([Some("a")]);
    deep.append(true);
    for (column, found) in [
        (nested, "Struct(\"x\": non-null Int32)"),
        (Arc::new(deep.finish()) as ArrayRef, "List(List(Utf8))"),
        (Arc::new(Time32SecondArray::from(vec![1])), "Time32(s)"),
    ] {
        let columns = [("good", Arc::new(nested_list.clone()) as ArrayRef), ("bad", column)];
        let file = TestFile::new("a.parquet", parquet(&columns, WriterProperties::default()));
        let error = TableReader::open(file.path(), &CsvConfig::default()).unwrap_err();
        assert_eq!(
            file.message(&error),
            format!(
                "a.parquet, column \"bad\": the type {found} cannot be read; texts, numbers, dates and timestamps can, \
                 and lists of them"
            )
        );
        assert_eq!(error.kind(), TableErrorKind::Content);

        let csv = CsvConfig::default();
        let wanted = [WantedColumn { name: "good", key: "log.item" }];
        let plan = TablePlan { columns: Some(&wanted), ..TablePlan::new(&csv) };
        let mut table = TableReader::open_all(&[file.path()], &plan).unwrap();
        let mut record = Record::new();
        assert!(table.read(&mut record).unwrap(), "the other column can be read");
        assert_eq!(record.get(0), "[1]");
    }
}

//! Rows that come from several files.

use fain_dataset::{Dataset, Origin};

use crate::support::{HEADER, Place, Row, all, names, prepare, rows, sources};

/// Rows 0 to 29 and 30 to 99 in two files, the test rows in two others.
fn parts() -> Place {
    let place = Place::new();
    std::fs::create_dir_all(place.path("log")).unwrap();
    place.write("log/a.csv", &rows(0, 30));
    place.write("log/b.csv", &rows(30, 100));
    place.write("test-1.csv", &rows(100, 110));
    place.write("test-2.csv", &rows(110, 115));
    place
}

#[test]
fn patterns_and_lists_are_read_in_order() {
    let place = parts();
    let text = "train = 'log/*.csv'\ntest = ['test-1.csv', 'test-2.csv']\nvalidation = { fraction = 0.3, seed = 4 }";
    let dataset = prepare(&place.config(text)).unwrap();
    place.write("whole.csv", &rows(0, 100));
    place.write("test.csv", &rows(100, 115));
    let text = "train = 'whole.csv'\ntest = 'test.csv'\nvalidation = { fraction = 0.3, seed = 4 }";
    let whole = prepare(&place.config(text)).unwrap();
    assert_eq!(dataset.encoders(), whole.encoders());
    assert_eq!(all(dataset.train()), all(whole.train()));
    assert_eq!(all(dataset.validation()), all(whole.validation()));
    assert_eq!(dataset.test().map(all), whole.test().map(all));

    let infos = sources(&dataset).train;
    let found: Vec<(&str, Option<u64>)> = infos.iter().map(|info| (info.file.as_str(), info.rows)).collect();
    assert_eq!(found, [("a.csv", Some(30)), ("b.csv", Some(70))]);
}

#[test]
fn rows_are_found_in_their_file() {
    let place = parts();
    let text = "train = 'log/*.csv'\ntest = 'test-?.csv'\nvalidation = { fraction = 0.3, seed = 4 }";
    let dataset = prepare(&place.config(text)).unwrap();
    let check = |rows: Vec<Row>, origin: fn(&Dataset, u64) -> Option<Origin>, files: [(&str, usize); 2]| {
        for (place, row) in rows.iter().enumerate() {
            let (file, first) = if row.number() < files[1].1 { files[0] } else { files[1] };
            let expected = Origin::Row { file: file.to_owned(), row: (row.number() - first) as u64 + 1 };
            assert_eq!(origin(&dataset, place as u64), Some(expected));
        }
        assert_eq!(origin(&dataset, rows.len() as u64), None);
    };
    check(all(dataset.train()), Dataset::train_origin, [("a.csv", 0), ("b.csv", 30)]);
    check(all(dataset.validation()), Dataset::validation_origin, [("a.csv", 0), ("b.csv", 30)]);
    check(all(dataset.test().unwrap()), Dataset::test_origin, [("test-1.csv", 100), ("test-2.csv", 110)]);
}

#[test]
fn what_is_wrong_is_named() {
    let place = parts();
    let refusal = |text: &str| {
        let folder = format!("{}/", place.path("").display().to_string().trim_end_matches('/'));
        prepare(&place.config(text)).unwrap_err().to_string().replace(&folder, "")
    };
    assert_eq!(
        refusal("train = ['log/a.csv', 'log/*.csv']\nvalidation.fraction = 0.3"),
        "data.train = \"log/a.csv\": must be named once"
    );
    assert_eq!(
        refusal("train = 'log/*.csv'\nvalidation.file = 'log/b.csv'"),
        "data.validation.file = \"log/b.csv\": must be another file than data.train"
    );
    let none = refusal("train = 'log/*.parquet'\nvalidation.fraction = 0.3");
    assert!(none.ends_with("log/*.parquet matches no file"), "{none}");
    place.write("log/c.csv", &format!("{HEADER}\n"));
    let text = "train = 'log/*.csv'\nvalidation.fraction = 0.3";
    assert_eq!(refusal(text), "log/c.csv: the file has a header and no rows");
    place.write("log/c.csv", &format!("{}7,u,0.5,0.5,i,i,1\n", rows(100, 103)));
    let wrong = refusal(text);
    assert!(wrong.starts_with("log/c.csv, row 4") && wrong.contains("column \"click\": \"7\" is not"), "{wrong}");
}

#[test]
fn threads_change_no_byte() {
    let build = |threads: usize| {
        let place = parts();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let text = "train = 'log/*.csv'\nvalidation = { fraction = 0.3, by = 'user' }";
        let dataset = pool.install(|| prepare(&place.config(text))).unwrap();
        let read = |name: &String| std::fs::read(dataset.folder().join(name)).unwrap();
        names(dataset.folder()).iter().map(read).collect::<Vec<_>>()
    };
    assert_eq!(build(1), build(5));
}

//! What is refused, in which words, and that nothing is left behind.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use fain_dataset::{Dataset, DatasetError, ErrorKind, Phase};
use fain_storage::StorageError;

use crate::support::{HEADER, Place, prepare, rows, schema};

const FRACTION: &str = "train = 'train.csv'\nvalidation.fraction = 0.2";

/// The message of a refusal, without the folder of the sources, and its kind.
fn refusal(place: &Place, config: &str) -> (String, ErrorKind) {
    let error = prepare(&place.config(config)).unwrap_err();
    assert_eq!(place.cached(), [""; 0]);
    let folder = format!("{}/", place.path("").display().to_string().trim_end_matches('/'));
    (error.to_string().replace(&folder, ""), error.kind())
}

/// The refusal of a training file.
fn of_train(text: &str, config: &str) -> (String, ErrorKind) {
    let place = Place::new();
    place.write("train.csv", text);
    refusal(&place, config)
}

#[test]
fn one_class_is_nothing_to_learn_from() {
    for label in ["0", "1"] {
        let text = format!("{HEADER}\n{}", format!("{label},u,0.5,0.5,i,i,1\n").repeat(100));
        let (message, kind) = of_train(&text, "train = 'train.csv'\nvalidation = { fraction = 0.5, seed = 3 }");
        let (start, end) = message.split_once(" rows, ").unwrap();
        let rows: u64 = start.strip_prefix("train.csv: column \"click\": ").unwrap().parse().unwrap();
        assert!((30..70).contains(&rows), "{message}");
        assert_eq!(end, format!("all {label}; training needs both 0 and 1"));
        assert_eq!(kind, ErrorKind::Data);
    }
}

#[test]
fn no_split_may_be_empty() {
    let none = "train.csv: the file has a header and no rows".to_owned();
    assert_eq!(of_train(&rows(0, 0), FRACTION), (none, ErrorKind::Data));
    let none = "train.csv: data.validation.fraction = 0.001 holds out none of 3 rows; validation needs some";
    let config = "train = 'train.csv'\nvalidation.fraction = 0.001";
    assert_eq!(of_train(&rows(0, 3), config), (none.to_owned(), ErrorKind::Data));
    // With one user, all rows fall to the same side; some seed puts them on the wrong one.
    let text = format!("{HEADER}\n0,u,0.5,0.5,i,i,1\n1,u,0.5,0.5,i,i,1\n");
    let mut all = 0;
    for seed in 0..20 {
        let config = format!("train = 'train.csv'\nvalidation = {{ fraction = 0.5, by = 'user', seed = {seed} }}");
        let (message, _) = of_train(&text, &config);
        all += usize::from(message == "train.csv: all 2 rows are held out for validation; none is left to train on");
    }
    assert!((1..20).contains(&all), "{all}");

    for (file, config) in [
        ("held.csv", "train = 'train.csv'\nvalidation.file = 'held.csv'"),
        ("test.csv", "train = 'train.csv'\ntest = 'test.csv'\nvalidation.fraction = 0.2"),
    ] {
        let place = Place::new();
        place.write("train.csv", &rows(0, 100));
        place.write(file, &rows(0, 0));
        let message = format!("{file}: the file has a header and no rows");
        assert_eq!(refusal(&place, config), (message, ErrorKind::Data));
    }
}

#[test]
fn columns_are_looked_for_before_any_row_is_read() {
    let place = Place::new();
    place.write("train.csv", &rows(0, 100));
    place.write("test.csv", "click,user\n1,u\n");
    let config = place.config("train = 'train.csv'\ntest = 'test.csv'\nvalidation.fraction = 0.2");
    let mut reports = 0;
    let error = Dataset::prepare(&config, &schema(), &mut |_| {
        reports += 1;
        ControlFlow::Continue(())
    })
    .unwrap_err();
    assert_eq!(reports, 0);
    assert!(error.to_string().contains("test.csv: no column \"blind\""), "{error}");

    let by = "train = 'train.csv'\nvalidation = { fraction = 0.2, by = 'session' }";
    let (message, kind) = of_train(&rows(0, 100), by);
    let header = HEADER.replace(',', ", ");
    let expected =
        format!("train.csv: no column \"session\", which data.validation.by names; the header has: {header}");
    assert_eq!((message, kind), (expected, ErrorKind::Data));
}

#[test]
fn a_wrong_row_in_the_last_source_leaves_nothing() {
    let place = Place::new();
    place.write("train.csv", &rows(0, 100));
    place.write("test.csv", &format!("{}7,u,0.5,0.5,i,i,1\n", rows(0, 20)));
    let config = "train = 'train.csv'\ntest = 'test.csv'\nvalidation.fraction = 0.2";
    let (message, kind) = refusal(&place, config);
    let start = format!("test.csv, row 21 (byte {}), column \"click\": \"7\" is not ", rows(0, 20).len());
    assert!(message.starts_with(&start), "{message}");
    assert_eq!(kind, ErrorKind::Data);
}

#[test]
fn missing_sources() {
    let place = Place::new();
    let (message, kind) = refusal(&place, FRACTION);
    assert!(message.starts_with("train.csv: cannot be opened: No such file"), "{message}");
    assert_eq!(kind, ErrorKind::Data);
}

#[cfg(unix)]
#[test]
fn one_file_under_two_names_is_found() {
    let place = Place::new();
    place.write("train.csv", &rows(0, 100));
    std::os::unix::fs::symlink(place.path("train.csv"), place.path("link.csv")).unwrap();
    let (message, kind) = refusal(&place, "train = 'train.csv'\nvalidation.file = 'link.csv'");
    assert_eq!(message, "data.validation.file = \"link.csv\": must be another file than data.train");
    assert_eq!(kind, ErrorKind::Config);
}

#[test]
fn wrong_configurations_are_found_first() {
    let place = Place::new();
    let (message, kind) = refusal(&place, "train = 'none.csv'\nvalidation.fraction = 0.9");
    assert_eq!(message, "data.validation.fraction = 0.9: must be above 0 and at most 0.5");
    assert_eq!(kind, ErrorKind::Config);
    let (message, kind) = refusal(&place, &format!("{FRACTION}\ncsv.separator = 'é'"));
    assert!(message.starts_with("data.csv.separator = \"é\": "), "{message}");
    assert_eq!(kind, ErrorKind::Config);
}

#[test]
fn a_cache_that_cannot_be_written_is_failed_work() {
    let place = Place::new();
    place.write("train.csv", &rows(0, 100));
    place.write("cache", "a file where the folder should be");
    let error = prepare(&place.config(FRACTION)).unwrap_err();
    assert!(matches!(&error, DatasetError::Storage(StorageError::Io { action: "create", .. })), "{error}");
    assert_eq!(error.kind(), ErrorKind::Work);
}

#[test]
fn an_interrupt_in_any_phase_leaves_nothing() {
    let place = Place::new();
    for name in ["train.csv", "held.csv", "test.csv"] {
        place.write(name, &rows(0, 100));
    }
    let config = place.config("train = 'train.csv'\ntest = 'test.csv'\nvalidation.file = 'held.csv'");
    for phase in [Phase::Fit, Phase::EncodeTrain, Phase::EncodeValidation, Phase::EncodeTest] {
        let mut stopped = 0;
        let error = Dataset::prepare(&config, &schema(), &mut |progress| {
            if progress.phase != phase {
                return ControlFlow::Continue(());
            }
            stopped += 1;
            // The dataset is being built at this moment.
            assert_eq!(place.cached().len(), 1);
            ControlFlow::Break(())
        })
        .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Interrupted);
        assert_eq!(stopped, 1, "asked again after the answer was to stop");
        assert_eq!(place.cached(), [""; 0]);
    }
    prepare(&config).unwrap();
}

#[test]
fn a_panic_leaves_nothing() {
    let place = Place::new();
    place.write("train.csv", &rows(0, 100));
    let config = place.config(FRACTION);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        Dataset::prepare(&config, &schema(), &mut |progress| match progress.phase {
            Phase::EncodeTrain => panic!("expected by the test"),
            _ => ControlFlow::Continue(()),
        })
    }));
    assert!(outcome.is_err());
    assert_eq!(place.cached(), [""; 0]);
}

#[test]
fn a_source_that_changes_meanwhile_is_refused() {
    let place = Place::new();
    place.write("train.csv", &rows(0, 100));
    let config = place.config(FRACTION);
    let error = Dataset::prepare(&config, &schema(), &mut |progress| {
        if progress.phase == Phase::EncodeTrain {
            place.write("train.csv", &rows(0, 101));
        }
        ControlFlow::Continue(())
    })
    .unwrap_err();
    assert!(matches!(error, DatasetError::Changed { .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::Work);
    assert_eq!(place.cached(), [""; 0]);
}

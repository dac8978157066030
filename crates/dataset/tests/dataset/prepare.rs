//! What is built, from which rows, and when it is built again.

use std::ops::ControlFlow;
use std::sync::Barrier;

use fain_dataset::{Dataset, ErrorKind, Phase, Progress};
use fain_features::{CsvConfig, Parts, Vocabulary};

use crate::support::{Place, Row, Value, all, names, prepare, rows, schema, small};

/// How often `prepare` reported, which is never for a dataset that is in the cache.
fn reports(config: &fain_dataset::DataConfig) -> usize {
    let mut reports = 0;
    Dataset::prepare(config, &schema(), &mut |_| {
        reports += 1;
        ControlFlow::Continue(())
    })
    .unwrap();
    reports
}

#[test]
fn encoders_see_training_rows_only() {
    let (_place, dataset) = small();
    let (train, validation, test) = (dataset.train(), dataset.validation(), dataset.test().unwrap());
    assert_eq!(train.rows() + validation.rows(), 1000);
    assert!((60..=140).contains(&validation.rows()), "{}", validation.rows());
    assert_eq!(test.rows(), 100);

    // Every row has an item of its own, which stands in the histories of later rows, too.
    let training: Vec<usize> = all(train).iter().map(Row::number).collect();
    let items = dataset.encoders().vocabulary(0);
    for row in 0..1000 {
        // The last four of a history are kept, and it starts with the row just before.
        let in_history = training.iter().any(|other| {
            let length = other % 6;
            *other > row && (length.saturating_sub(4) + 1..=length).contains(&(other - row))
        });
        let known = training.contains(&row) || in_history;
        assert_eq!(items.id(&format!("i{row}")) != Vocabulary::UNKNOWN, known, "item {row}");
    }
    for row in 1000..1100 {
        assert_eq!(items.id(&format!("i{row}")), Vocabulary::UNKNOWN, "item {row}");
    }
}

#[test]
fn cached_encoders_are_those_of_the_dataset() {
    let (place, dataset) = small();
    let text = "train = 'train.csv'\ntest = 'test.csv'\nvalidation.fraction = 0.1";
    let found = |text: &str| Dataset::cached_encoders(&place.config(text), &schema());
    assert_eq!(found(text).unwrap().unwrap().digest(), dataset.encoders().digest());
    assert!(found(&text.replace("0.1", "0.2")).unwrap().is_none());
    assert!(found(&text.replace("test.csv", "none.csv")).unwrap().is_none());
    assert_eq!(found(&text.replace("0.1", "2.0")).unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(place.cached().len(), 1);
    std::fs::write(dataset.folder().join("encoders.json"), "{}").unwrap();
    assert_eq!(found(text).unwrap_err().kind(), ErrorKind::Data);
}

#[test]
fn counts_and_parts() {
    let (_place, dataset) = small();
    let splits = [dataset.train(), dataset.validation(), dataset.test().unwrap()];
    for split in splits {
        assert_eq!(split.parts(), Parts { labels: true, groups: true, times: false, ceiling: true });
        let rows = all(split);
        assert_eq!(split.positives(), rows.iter().filter(|row| row.label > 0.5).count() as u64);
        assert!(rows.iter().all(|row| (row.label > 0.5) == (row.number() % 3 == 0)));
        // The source's order is kept.
        assert!(rows.is_sorted_by_key(Row::number));
    }
    assert_eq!(splits[0].positives() + splits[1].positives(), 334);
    let manifest = dataset.manifest();
    assert_eq!(manifest.splits.train.rows, splits[0].rows());
    assert_eq!(manifest.splits.validation.positives, splits[1].positives());
    assert_eq!(manifest.sources.train.file, "train.csv");
    assert_eq!(manifest.sources.train.bytes, rows(0, 1000).len() as u64);
    assert_eq!(manifest.sources.validation, None);
    assert_eq!(manifest.schema, *schema().config());
    assert_eq!(
        names(dataset.folder()),
        ["encoders.json", "manifest.json", "test.arrow", "train.arrow", "validation.arrow"]
    );
}

#[test]
fn a_validation_file_leaves_the_training_file_whole() {
    let place = Place::new();
    place.write("train.csv", &rows(0, 100));
    place.write("held.csv", &rows(100, 130));
    let dataset = prepare(&place.config("train = 'train.csv'\nvalidation.file = 'held.csv'")).unwrap();
    assert_eq!(dataset.train().rows(), 100);
    let validation: Vec<usize> = all(dataset.validation()).iter().map(Row::number).collect();
    assert_eq!(validation, (100..130).collect::<Vec<usize>>());
    assert!(dataset.test().is_none());
    assert_eq!(names(dataset.folder()).len(), 4);
}

#[test]
fn more_rows_than_a_run_holds() {
    let place = Place::new();
    place.write("train.csv", &rows(0, 150_000));
    place.write("held.csv", &rows(0, 65_536));
    let dataset = prepare(&place.config("train = 'train.csv'\nvalidation.file = 'held.csv'")).unwrap();
    for (split, count) in [(dataset.train(), 150_000), (dataset.validation(), 65_536)] {
        let rows = all(split);
        assert_eq!(rows.len(), count);
        let items = dataset.encoders().vocabulary(0);
        for (number, row) in rows.iter().enumerate() {
            assert_eq!(row.number(), number);
            assert_eq!(row.values[0], Value::Id(items.id(&format!("i{number}"))));
            let Value::List(history) = &row.values[1] else { panic!("{row:?}") };
            assert_eq!(history.len(), (number % 6).min(4));
        }
    }
}

#[test]
fn the_cache_is_used_while_nothing_changes() {
    let place = Place::new();
    place.write("train.csv", &rows(0, 200));
    let text = "train = 'train.csv'\nvalidation.fraction = 0.2";
    let config = place.config(text);
    assert!(reports(&config) > 0);
    assert_eq!(reports(&config), 0);
    assert_eq!(place.cached().len(), 1);

    for rule in ["fraction = 0.3", "fraction = 0.2, seed = 2", "fraction = 0.2, by = 'user'"] {
        let other = place.config(&format!("train = 'train.csv'\nvalidation = {{ {rule} }}"));
        assert!(reports(&other) > 0, "{rule}");
        assert_eq!(reports(&other), 0, "{rule}");
    }
    let mut quoted = config.clone();
    quoted.csv = CsvConfig { quote: '\'', ..CsvConfig::default() };
    assert!(reports(&quoted) > 0);
    assert_eq!(place.cached().len(), 5);

    place.write("train.csv", &rows(0, 201));
    assert!(reports(&config) > 0);
    assert_eq!(place.cached().len(), 6);
    let dataset = prepare(&config).unwrap();
    assert_eq!(dataset.train().rows() + dataset.validation().rows(), 201);
}

#[test]
fn the_same_sources_give_the_same_bytes_anywhere() {
    let text = "train = 'train.csv'\ntest = 'test.csv'\nvalidation = { fraction = 0.2, by = 'user' }";
    let build = || {
        let place = Place::new();
        place.write("train.csv", &rows(0, 500));
        place.write("test.csv", &rows(500, 600));
        let dataset = prepare(&place.config(text)).unwrap();
        let read = |name: &String| (name.clone(), std::fs::read(dataset.folder().join(name)).unwrap());
        names(dataset.folder()).iter().map(read).collect::<Vec<_>>()
    };
    let first = build();
    assert_eq!(first.len(), 5);
    assert_eq!(first, build());
}

#[test]
fn two_builders_at_once_share_one_dataset() {
    let place = Place::new();
    place.write("train.csv", &rows(0, 300));
    let config = place.config("train = 'train.csv'\nvalidation.fraction = 0.2");
    let barrier = Barrier::new(2);
    let build = || {
        let mut waited = false;
        // Both have found the cache empty when they meet here.
        let mut meet = |_: &Progress| {
            if !std::mem::replace(&mut waited, true) {
                barrier.wait();
            }
            ControlFlow::Continue(())
        };
        Dataset::prepare(&config, &schema(), &mut meet).unwrap()
    };
    let (first, second) = std::thread::scope(|scope| {
        let other = scope.spawn(build);
        (build(), other.join().unwrap())
    });
    assert_eq!(first.manifest(), second.manifest());
    assert_eq!(all(first.train()), all(second.train()));
    assert_eq!(place.cached().len(), 1);
}

#[test]
fn progress_goes_through_the_phases() {
    let place = Place::new();
    place.write("train.csv", &rows(0, 10_000));
    place.write("held.csv", &rows(0, 50));
    place.write("test.csv", &rows(0, 60));
    let config = place.config("train = 'train.csv'\ntest = 'test.csv'\nvalidation.file = 'held.csv'");
    let mut seen: Vec<Progress> = Vec::new();
    Dataset::prepare(&config, &schema(), &mut |progress| {
        seen.push(*progress);
        ControlFlow::Continue(())
    })
    .unwrap();
    let size = |name: &str| std::fs::metadata(place.path(name)).unwrap().len();
    let phases = [
        (Phase::Fit, 10_000, size("train.csv")),
        (Phase::EncodeTrain, 10_000, size("train.csv")),
        (Phase::EncodeValidation, 50, size("held.csv")),
        (Phase::EncodeTest, 60, size("test.csv")),
    ];
    let mut order: Vec<Phase> = seen.iter().map(|progress| progress.phase).collect();
    order.dedup();
    assert_eq!(order, phases.map(|(phase, ..)| phase));
    for (phase, rows, bytes) in phases {
        let of: Vec<&Progress> = seen.iter().filter(|progress| progress.phase == phase).collect();
        assert!(of.is_sorted_by_key(|progress| (progress.rows, progress.bytes_done)), "{of:?}");
        assert!(of.iter().all(|progress| progress.bytes_total == bytes), "{of:?}");
        assert_eq!(of[0].rows, 0);
        let last = of.last().unwrap();
        assert_eq!((last.rows, last.bytes_done), (rows, bytes));
    }
    // At 0, 4096, 8192 rows and at the end.
    assert_eq!(seen.iter().filter(|progress| progress.phase == Phase::Fit).count(), 4);
}

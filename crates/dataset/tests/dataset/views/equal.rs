//! They are the rows of the same samples written in line, however they are put together.

use std::fs::File;

use fain_dataset::{BatchPlan, Batches, Dataset, DatasetError, Order, Tail};
use fain_features::{Column, Samples, SchemaConfig};
use fain_samples::{CsvExport, Part, SamplesFolder, Values, write_csv};
use proptest::prelude::*;

use super::{GROUPS, dataset, every_row, prepare, readable, schema, splits};
use crate::star::{Shape, Star};
use crate::support::Place as Folder;

/// A star that can be written in line and trained on: all parts have rows, of both labels where none are drawn.
fn stars() -> impl Strategy<Value = Star> {
    let candidates = prop::option::of(1..4_u32);
    let shape = (2..12_u32, 4..12_u32, 1..6_u32, candidates, any::<bool>(), any::<u64>());
    let star = shape.prop_map(|(users, items, max_length, candidates, history, seed)| {
        readable(Shape { users, items, max_length, times: true, columns: true, candidates, history, seed })
    });
    star.prop_filter("a part without rows, or of one label", trainable)
}

fn trainable(star: &Star) -> bool {
    let labels = &star.rows.train.labels;
    let both = star.negatives.candidates.is_some() || labels.contains(&0);
    let numbers =
        |values: &Values| matches!(values, Values::Number(values) if values.iter().any(|value| !value.is_nan()));
    labels.contains(&1)
        && both
        && !star.rows.validation.labels.is_empty()
        && !star.rows.test.labels.is_empty()
        && star.rows.train.columns.iter().any(numbers)
}

/// The same samples as views and in line.
struct Both {
    views: Result<Dataset, DatasetError>,
    inline: Result<Dataset, DatasetError>,
}

fn both(star: &Star, group: &str) -> Both {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("samples")).unwrap();
    star.write(&folder.path("samples"), 7);
    let samples = SamplesFolder::open(&folder.path("samples")).unwrap();
    for part in Part::ALL {
        let file = File::create(folder.path(&format!("{part}.csv"))).unwrap();
        write_csv(&samples, part, file, &CsvExport::default()).unwrap();
    }
    let schema = schema(star, group);
    let inline = folder.config("train = 'train.csv'\nvalidation.file = 'validation.csv'\ntest = 'test.csv'");
    let (views, inline) = (prepare(&folder.config("samples = 'samples'"), &schema), prepare(&inline, &schema));
    Both { views, inline }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, max_global_rejects: 100_000, ..ProptestConfig::default() })]

    #[test]
    fn views_are_the_rows_written_in_line(star in stars(), group in prop::sample::select(&GROUPS[..])) {
        let both = both(&star, group);
        let (views, inline) = match (both.views, both.inline) {
            (Ok(views), Ok(inline)) => (views, inline),
            // A numeric column without any value has no encoder, either way.
            (Err(views), Err(inline)) => {
                prop_assert_eq!(views.to_string(), inline.to_string());
                return Err(TestCaseError::reject("no values"));
            }
            (views, inline) => return Err(TestCaseError::fail(format!("{views:?}, {inline:?}"))),
        };
        prop_assert_eq!(views.encoders().to_json().unwrap(), inline.encoders().to_json().unwrap());
        for (views, inline) in splits(&views).into_iter().zip(splits(&inline)) {
            prop_assert_eq!((views.rows(), views.positives()), (inline.rows(), inline.positives()));
            prop_assert_eq!(every_row(views), every_row(inline));
        }
    }

    /// Whatever a samples folder holds, it makes a dataset or is refused for its rows.
    #[test]
    fn any_samples_are_read_or_refused(star in crate::star::stars()) {
        let schema = "label = 'label'\nfeatures.item = { kind = 'category', column = 'movieId' }\n\
            features.past = { kind = 'sequence', column = 'history.movieId', max_length = 3, vocabulary = 'item' }";
        let config: SchemaConfig = toml::from_str(schema).unwrap();
        let train = &star.rows.train.labels;
        let both_labels = star.negatives.candidates.is_some() || train.contains(&0);
        match dataset(&star, &config.check().unwrap()).1 {
            Ok(dataset) => {
                prop_assert!(both_labels && train.contains(&1) && !star.rows.validation.labels.is_empty());
                let beside = star.negatives.candidates.as_ref().map_or(0, |candidates| candidates.per_positive);
                prop_assert_eq!(every_row(dataset.train()).rows, train.len() * (1 + beside as usize));
            }
            Err(DatasetError::NoRows { .. }) => {
                prop_assert!(train.is_empty() || star.rows.validation.labels.is_empty());
            }
            Err(DatasetError::OneClass { .. }) => prop_assert!(!both_labels || !train.contains(&1)),
            Err(other) => return Err(TestCaseError::fail(other.to_string())),
        }
    }

    /// Rows are put together by several threads, whose number and whose shares must not show.
    #[test]
    fn trap_10_neither_threads_nor_batches_change_a_row(star in stars(), rows in prop::collection::vec(any::<u64>(), 0..600)) {
        let both = both(&star, "userId");
        let Ok(views) = both.views else { return Err(TestCaseError::reject("no values")) };
        for split in splits(&views) {
            let rows: Vec<u64> = rows.iter().map(|row| row % split.rows()).collect();
            let gather = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let mut samples = Samples::default();
                pool.install(|| split.gather_epoch(&rows, 3, &mut samples)).unwrap();
                samples
            };
            let whole = gather(1);
            prop_assert_eq!(&whole, &gather(5));
            let mut used = every_row(split);
            for (place, row) in rows.iter().enumerate().take(20) {
                split.gather_epoch(&[*row], 3, &mut used).unwrap();
                prop_assert_eq!(only(&used, 0), only(&whole, place));
            }
        }
    }

    #[test]
    fn a_shuffled_epoch_shows_each_row_once(
        star in stars(), batch_size in 1..9_usize, prefetch in 1..4_usize, seed in any::<u64>(),
    ) {
        let both = both(&star, "userId");
        let Ok(views) = both.views else { return Err(TestCaseError::reject("no values")) };
        let whole = every_row(views.train());
        let expected: Vec<_> = (0..whole.rows).map(|row| format!("{:?}", only(&whole, row))).collect();
        let order = Order::Shuffled { seed, epoch: 0 };
        let plan = BatchPlan { batch_size, order, tail: Tail::MergeSingle, start: 0, prefetch };
        let batches: Vec<Samples> = Batches::new(views.train(), plan).unwrap().collect::<Result<_, _>>().unwrap();
        let rows = batches.iter().flat_map(|batch| (0..batch.rows).map(|row| format!("{:?}", only(batch, row))));
        let (mut found, mut expected) = (rows.collect::<Vec<_>>(), expected);
        found.sort();
        expected.sort();
        prop_assert_eq!(found, expected);
    }
}

/// One row of samples, as samples of one row.
fn only(samples: &Samples, row: usize) -> (Vec<f32>, Vec<u64>, Vec<i64>, Vec<Column>) {
    let column = |column: &Column| match column {
        Column::Category(ids) => Column::Category(vec![ids[row]]),
        Column::Numeric(numbers) => Column::Numeric(vec![numbers[row]]),
        Column::Sequence(lists) => Column::Category(lists.get(row).unwrap().to_vec()),
        Column::Times(times) => Column::Numeric(times.get(row).unwrap().iter().map(|time| *time as f32).collect()),
    };
    let Samples { labels, groups, times, columns, .. } = samples;
    (
        vec![labels.as_ref().unwrap()[row]],
        vec![groups.as_ref().unwrap()[row]],
        vec![times.as_ref().unwrap()[row]],
        columns.iter().map(column).collect(),
    )
}

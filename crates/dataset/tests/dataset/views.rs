//! Rows put together from tables are the rows of the same samples written in line.

use std::fs::File;
use std::ops::ControlFlow;
use std::path::Path;

use fain_dataset::{BatchPlan, Batches, Content, DataConfig, Dataset, DatasetError, Order, Origin, Split, Tail};
use fain_features::{Column, Samples, Schema, SchemaConfig};
use fain_samples::{ByPart, CsvExport, Draw, Field, Part, Place, SamplesFolder, TermTable, Values, write_csv};
use proptest::prelude::*;

use crate::star::{Shape, Star};
use crate::support::Place as Folder;

/// Every kind of feature over every table, with shared and own vocabularies, cut at both ends.
const SCHEMA: &str = r#"
    label = "label"
    time = "timestamp"
    [features]
    user = { kind = "category", column = "userId", min_count = 3 }
    gender = { kind = "category" }
    age = { kind = "numeric", scale = "quantile", quantiles = 5 }
    item = { kind = "category", column = "movieId" }
    genre = { kind = "category", min_count = 2 }
    genres = { kind = "sequence", max_length = 2 }
    price = { kind = "numeric" }
    device = { kind = "category" }
    hour = { kind = "numeric", scale = "min_max" }
    tags = { kind = "sequence", max_length = 1, keep = "first" }
    when = { kind = "numeric", column = "timestamp", scale = "none" }
    past = { kind = "sequence", column = "history.movieId", max_length = 3, vocabulary = "item" }
    past_genres = { kind = "sequence", column = "history.genre", max_length = 2, keep = "first" }
    behaviours = { kind = "sequence", column = "history.behaviour", max_length = 100, min_count = 2 }
    times = { kind = "times", column = "history.timestamp", max_length = 3 }
"#;

const NEGATIVES: &str = r#"
    negatives = { kind = "sequence", column = "negative.movieId", max_length = 3, vocabulary = "item" }
    negative_genres = { kind = "sequence", column = "negative.genre", max_length = 2, keep = "first" }
"#;

const GROUPS: [&str; 4] = ["userId", "gender", "genre", "device"];

fn schema(star: &Star, group: &str) -> Schema {
    let negatives = if star.negatives.history.is_some() { NEGATIVES } else { "" };
    let mut config: SchemaConfig = toml::from_str(&format!("{SCHEMA}{negatives}")).unwrap();
    config.group = Some(group.to_owned());
    config.check().unwrap()
}

fn prepare(config: &DataConfig, schema: &Schema) -> Result<Dataset, DatasetError> {
    Dataset::prepare(config, schema, &mut |_| ControlFlow::Continue(()))
}

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

/// Lists of one missing value cannot be written in line, so that no value of a list is missing.
fn readable(shape: Shape) -> Star {
    let mut star = Star::random(shape);
    for (table, texts) in &mut star.terms {
        if matches!(table, TermTable::Item(Field::Column(_)) | TermTable::Event(_)) {
            "present".clone_into(&mut texts[0]);
        }
    }
    for values in &mut star.events.columns {
        if let Values::Number(numbers) = values {
            numbers.iter_mut().filter(|number| number.is_nan()).for_each(|number| *number = 0.0);
        }
    }
    star
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

fn every_row(split: &Split) -> Samples {
    let mut samples = Samples::default();
    split.gather(&(0..split.rows()).collect::<Vec<u64>>(), &mut samples).unwrap();
    samples
}

fn splits(dataset: &Dataset) -> [&Split; 3] {
    [dataset.train(), dataset.validation(), dataset.test().unwrap()]
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
    fn neither_threads_nor_batches_change_a_row(star in stars(), rows in prop::collection::vec(any::<u64>(), 0..600)) {
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

/// A star with everything that is drawn, and enough of it.
fn large(draw: Draw) -> Star {
    let shape = Shape {
        users: 40,
        items: 30,
        max_length: 8,
        times: true,
        columns: true,
        candidates: Some(2),
        history: true,
        seed: 5,
    };
    let mut star = readable(shape);
    star.negatives.candidates.as_mut().unwrap().rule.draw = draw;
    star.negatives.history.as_mut().unwrap().draw = draw;
    star
}

/// The values of a feature.
fn column<'a>(split: &Split, samples: &'a Samples, feature: &str) -> &'a Column {
    let (place, _) = split.schema().feature(feature).unwrap();
    &samples.columns[place]
}

fn without_own_genres(star: &Star) -> Schema {
    let mut config = schema(star, "userId").config().clone();
    config.features.shift_remove("negative_genres");
    config.check().unwrap()
}

fn dataset(star: &Star, schema: &Schema) -> (Folder, Result<Dataset, DatasetError>) {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("samples")).unwrap();
    star.write(&folder.path("samples"), 1000);
    let dataset = prepare(&folder.config("samples = 'samples'"), schema);
    (folder, dataset)
}

#[test]
fn draws_of_an_epoch_are_its_own() {
    for (draw, changes) in [(Draw::Fixed, false), (Draw::Epoch, true)] {
        let star = large(draw);
        let (_folder, dataset) = dataset(&star, &without_own_genres(&star));
        let dataset = dataset.unwrap();
        let draws = |split: &Split, epoch: u64| {
            let mut samples = Samples::default();
            split.gather_epoch(&(0..split.rows()).collect::<Vec<u64>>(), epoch, &mut samples).unwrap();
            (column(split, &samples, "item").clone(), column(split, &samples, "negatives").clone())
        };
        let train = dataset.train();
        let (first, second) = (draws(train, 0), draws(train, 1));
        assert_eq!((first.0 != second.0, first.1 != second.1), (changes, changes));
        assert_eq!(second, draws(train, 1));
        for measured in [dataset.validation(), dataset.test().unwrap()] {
            assert_eq!(draws(measured, 0), draws(measured, 1));
        }
        // Batches have the draws of their plan's epoch.
        let of_batches = |order| {
            let plan = BatchPlan { batch_size: 10_000, order, tail: Tail::Keep, start: 0, prefetch: 1 };
            let mut batches = Batches::new(train, plan).unwrap();
            let batch = batches.next().unwrap().unwrap();
            let Column::Category(ids) = column(train, &batch, "item") else { panic!("{batch:?}") };
            let mut ids = ids.clone();
            ids.sort_unstable();
            ids
        };
        let sorted = |draws: &(Column, Column)| {
            let Column::Category(ids) = &draws.0 else { panic!("{draws:?}") };
            let mut ids = ids.clone();
            ids.sort_unstable();
            ids
        };
        assert_eq!(of_batches(Order::Sequential), sorted(&first));
        assert_eq!(of_batches(Order::Shuffled { seed: 1, epoch: 1 }), sorted(&second));
    }
}

#[test]
fn candidates_follow_their_positive_and_share_all_but_the_item() {
    let star = large(Draw::Fixed);
    let (_folder, dataset) = dataset(&star, &schema(&star, "userId"));
    let dataset = dataset.unwrap();
    let train = dataset.train();
    let samples = every_row(train);
    assert_eq!(train.rows(), 3 * star.rows.train.labels.len() as u64);
    assert_eq!(train.positives(), star.rows.train.labels.len() as u64);
    let labels = samples.labels.as_ref().unwrap();
    let Column::Category(items) = column(train, &samples, "item") else { panic!() };
    let Column::Sequence(past) = column(train, &samples, "past") else { panic!() };
    for stored in 0..samples.rows / 3 {
        let rows = [3 * stored, 3 * stored + 1, 3 * stored + 2];
        assert_eq!(rows.map(|row| labels[row].to_bits()), [1.0_f32, 0.0, 0.0].map(f32::to_bits));
        assert_ne!(items[rows[0]], items[rows[1]]);
        assert_ne!(items[rows[0]], items[rows[2]]);
        assert_eq!(past.get(rows[0]), past.get(rows[1]));
        // What the user has chosen is no negative.
        assert!(!past.get(rows[0]).unwrap().contains(&items[rows[1]]));
    }
}

#[test]
fn rows_are_known_by_user_item_and_time() {
    let star = large(Draw::Fixed);
    let (_folder, dataset) = dataset(&star, &schema(&star, "userId"));
    let dataset = dataset.unwrap();
    let rows = &star.rows;
    let origins: ByPart<fn(&Dataset, u64) -> Option<Origin>> =
        ByPart { train: Dataset::train_origin, validation: Dataset::validation_origin, test: Dataset::test_origin };
    for part in Part::ALL {
        let (rows, origin) = (rows.get(part), origins.get(part));
        let count = 3 * rows.labels.len() as u64;
        for row in 0..count {
            let stored = row as usize / 3;
            let user = star.text(TermTable::User(Field::Key), rows.users[stored]).to_owned();
            let item = star.text(TermTable::Item(Field::Key), rows.items[stored]).to_owned();
            let expected = Origin::Sample { user, item, time: Some(rows.times[stored]), drawn: row % 3 != 0 };
            assert_eq!(origin(&dataset, row), Some(expected));
        }
        assert_eq!((origin(&dataset, count), origin(&dataset, u64::MAX)), (None, None));
    }
    let sample = |drawn, time| Origin::Sample { user: "ann".to_owned(), item: "hat".to_owned(), time, drawn };
    assert_eq!(sample(false, Some(7)).to_string(), "user \"ann\", item \"hat\", time 7");
    assert_eq!(sample(true, None).to_string(), "a negative drawn beside user \"ann\", item \"hat\"");
}

#[test]
fn numbers_come_from_the_tables() {
    let star = large(Draw::Fixed);
    let mut config = schema(&star, "userId").config().clone();
    config.features.retain(|name, _| ["price", "age"].contains(&name.as_str()));
    for feature in config.features.values_mut() {
        let fain_features::FeatureConfig::Numeric(numeric) = feature else { panic!("{feature:?}") };
        (numeric.scale, numeric.quantiles) = (fain_features::Scale::None, None);
    }
    let (_folder, dataset) = dataset(&star, &config.check().unwrap());
    let dataset = dataset.unwrap();
    let test = every_row(dataset.test().unwrap());
    for (feature, place, rows) in
        [("age", Place::User, &star.rows.test.users), ("price", Place::Item, &star.rows.test.items)]
    {
        let Column::Numeric(found) = column(dataset.train(), &test, feature) else { panic!() };
        let numbers = star.columns(place).iter().find_map(|values| match values {
            Values::Number(numbers) => Some(numbers),
            _ => None,
        });
        for (stored, row) in rows.iter().enumerate() {
            let number = numbers.unwrap()[*row as usize];
            if !number.is_nan() {
                assert_eq!(found[3 * stored].to_bits(), (number as f32).to_bits());
            }
        }
    }
}

#[test]
fn the_manifest_says_what_is_read_where() {
    let star = large(Draw::Fixed);
    let (folder, dataset) = dataset(&star, &schema(&star, "genre"));
    let dataset = dataset.unwrap();
    let Content::Views(info) = &dataset.manifest().content else { panic!() };
    assert_eq!((info.user.as_str(), info.item.as_str(), info.max_length), ("userId", "movieId", 8));
    assert_eq!(info.negatives, star.negatives);
    let readings: Vec<String> =
        info.features.iter().map(|(name, reading)| format!("{name}: {reading:?}").to_lowercase()).collect();
    assert_eq!(
        readings.join(", "),
        "user: user, gender: user, age: user, item: item, genre: item, genres: item, price: item, device: row, hour: row, \
         tags: row, when: row, past: history, past_genres: history, behaviours: history, times: history, \
         negatives: negative, negative_genres: negative"
    );
    assert_eq!(format!("{:?}", info.group), "Some(Item)");
    let manifest = std::fs::read(folder.path("samples/manifest.json")).unwrap();
    assert_eq!((info.samples.file.as_str(), info.samples.bytes), ("manifest.json", manifest.len() as u64));
    assert_eq!(again(&folder, &schema(&star, "genre")), 0);
    assert!(again(&folder, &schema(&star, "gender")) > 0);
}

/// How often `prepare` reports.
fn again(folder: &Folder, schema: &Schema) -> usize {
    let mut reports = 0;
    let mut count = |_: &_| {
        reports += 1;
        ControlFlow::Continue(())
    };
    Dataset::prepare(&folder.config("samples = 'samples'"), schema, &mut count).unwrap();
    reports
}

#[test]
fn an_interrupt_leaves_nothing() {
    let star = large(Draw::Fixed);
    let folder = Folder::new();
    std::fs::create_dir(folder.path("samples")).unwrap();
    star.write(&folder.path("samples"), 1000);
    let schema = schema(&star, "userId");
    let mut stop_at = 0;
    loop {
        let mut reports = 0;
        let outcome = Dataset::prepare(&folder.config("samples = 'samples'"), &schema, &mut |_| {
            reports += 1;
            if reports > stop_at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        match outcome {
            Err(DatasetError::Interrupted) => assert_eq!(folder.cached(), [""; 0]),
            other => {
                other.unwrap();
                break;
            }
        }
        stop_at += 1;
    }
    // Fitting, three tables, and three parts at least.
    assert!(stop_at >= 7, "{stop_at}");
}

/// The refusal of a schema with another line.
fn refusal(change: impl Fn(&mut Star), from: &str, to: &str) -> String {
    let mut star = large(Draw::Epoch);
    change(&mut star);
    let text = format!("{SCHEMA}{}", NEGATIVES.lines().nth(1).unwrap());
    assert!(text.contains(from), "{from}");
    let config: SchemaConfig = toml::from_str(&text.replacen(from, to, 1)).unwrap();
    let (folder, dataset) = dataset(&star, &config.check().unwrap());
    assert_eq!(folder.cached(), [""; 0]);
    let path = format!("{}/", Path::new(&folder.path("")).display().to_string().trim_end_matches('/'));
    dataset.unwrap_err().to_string().replace(&path, "")
}

#[test]
fn what_a_schema_cannot_read_is_refused_by_name() {
    let nothing = |_: &mut Star| {};
    let cases = [
        (
            "column = \"movieId\"",
            "column = \"filmId\"",
            "samples: no column \"filmId\", which schema.features.item names; the header has: label, timestamp, userId, \
             gender, age, movieId, genres, genre, price, device, hour, tags, history.movieId, history.genre, \
             history.rating, history.behaviour, history.timestamp, negative.movieId, negative.genre",
        ),
        (
            "genre = { kind = \"category\", min_count = 2 }",
            "genre = { kind = \"category\", column = \"genres\" }",
            "schema.features.genre.kind = \"category\": the column \"genres\" of the samples holds a list of terms per \
             sample; a feature of this kind reads one term per sample",
        ),
        (
            "price = { kind = \"numeric\" }",
            "price = { kind = \"sequence\", column = \"history.rating\", max_length = 3 }",
            "schema.features.price.kind = \"sequence\": the column \"history.rating\" of the samples holds a list of \
             numbers per sample; a feature of this kind reads a list of terms per sample",
        ),
        (
            "genres = { kind = \"sequence\",",
            "genres = { kind = \"sequence\", separator = \",\",",
            "schema.features.genres.separator = \",\": must be left out: samples keep the terms of a list apart without one",
        ),
        (
            "genres = { kind = \"sequence\",",
            "genres = { kind = \"sequence\", weight_separator = \":\",",
            "schema.features.genres.weight_separator = \":\": must be left out: samples have no weights",
        ),
        (
            "label = \"label\"",
            "label = \"history.rating\"",
            "schema.label = \"history.rating\": the samples have a list of numbers per sample there; needed: the label, which is called \
             \"label\"",
        ),
        (
            "time = \"timestamp\"",
            "time = \"hour\"",
            "schema.time = \"hour\": the samples have a number per sample there; needed: the time of the sample",
        ),
        (
            "time = \"timestamp\"",
            "group = \"hour\"",
            "schema.group = \"hour\": the samples have a number per sample there; needed: one term per sample",
        ),
        (
            "time = \"timestamp\"",
            "ceiling = { blind = \"blind\", optimal = \"optimal\" }",
            "schema.ceiling = { .. }: cannot be known of candidates that are drawn, as the samples say",
        ),
        (
            "column = \"negative.movieId\", max_length = 3, vocabulary = \"item\"",
            "column = \"negative.movieId\", max_length = 3",
            "schema.features.negatives.vocabulary = (not set): must name the feature that reads the items themselves, as \
             negatives that are drawn anew in each epoch have no counts",
        ),
    ];
    for (from, to, message) in cases {
        assert_eq!(refusal(nothing, from, to), message);
    }
}

#[test]
fn parts_need_rows_and_both_labels() {
    let without = |part: Part| {
        move |star: &mut Star| {
            let empty = fain_samples::RowBlock::new(&star.layout);
            *star.rows.get_mut(part) = empty;
        }
    };
    let same = "label = \"label\"";
    assert_eq!(refusal(without(Part::Train), same, same), "samples: the samples have no training rows");
    assert_eq!(refusal(without(Part::Validation), same, same), "samples: the samples have no validation rows");
    let alike = |star: &mut Star| {
        star.negatives.candidates = None;
        star.rows.train.labels.fill(1);
    };
    let message = refusal(alike, same, same);
    assert!(message.starts_with("samples: column \"label\": "), "{message}");
    assert!(message.ends_with(" rows, all 1; training needs both 0 and 1"), "{message}");
    // Test rows may be missing.
    let mut star = large(Draw::Fixed);
    without(Part::Test)(&mut star);
    let (_folder, dataset) = dataset(&star, &schema(&star, "userId"));
    assert!(dataset.unwrap().test().is_none());
}

#[test]
fn samples_that_are_not_there_are_said_to_be_missing() {
    let folder = Folder::new();
    let schema = schema(&large(Draw::Fixed), "userId");
    let message = prepare(&folder.config("samples = 'none'"), &schema).unwrap_err().to_string();
    assert!(message.ends_with("none/manifest.json: the file is missing; needed: a file of a dataset"), "{message}");
    assert!(Dataset::cached_encoders(&folder.config("samples = 'none'"), &schema).unwrap().is_none());
}

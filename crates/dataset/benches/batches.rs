//! How many samples a second are put together, shuffled, in batches of 1024.
//!
//! `FAIN_DATASET` names the folder of a dataset. Without it, samples of the size of MovieLens-1M are made up: 6,040 users
//! with 165 events each, histories of up to 50, one candidate drawn beside each sample, and one item beside each event.
//! `RAYON_NUM_THREADS` sets the threads.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark fails by panicking, and prints what it measured"
)]

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use fain_dataset::{BatchPlan, Batches, DataConfig, Dataset, Order, Tail};
use fain_features::SchemaConfig;
use fain_samples::{
    CandidateNegatives, Distribution, Draw, EventBlock, Exclude, Field, ItemBlock, Layout, NegativeRule, Negatives,
    Part, RowBlock, SamplesWriter, TermTable, UserBlock,
};

const USERS: u32 = 6040;
const ITEMS: u32 = 3706;
const EVENTS: u32 = 165;
const EPOCHS: u64 = 3;

const SCHEMA: &str = "
    label = 'label'
    group = 'user'
    features.user = { kind = 'category' }
    features.item = { kind = 'category' }
    features.history = { kind = 'sequence', column = 'history.item', max_length = 50, vocabulary = 'item' }
";
const NEGATIVES: &str = "
    features.negatives = { kind = 'sequence', column = 'negative.item', max_length = 50, vocabulary = 'item' }
";

fn main() {
    if let Some(folder) = std::env::var_os("FAIN_DATASET") {
        return measure("the dataset", &Dataset::open(Path::new(&folder)).unwrap());
    }
    let place = tempfile::tempdir().unwrap();
    let samples = place.path().join("samples");
    std::fs::create_dir(&samples).unwrap();
    write_samples(&samples);
    for (name, schema) in
        [("histories", SCHEMA.to_owned()), ("histories and negatives", format!("{SCHEMA}{NEGATIVES}"))]
    {
        let schema: SchemaConfig = toml::from_str(&schema).unwrap();
        let mut data: DataConfig = toml::from_str("samples = 'samples'").unwrap();
        (data.root, data.cache) = (place.path().to_owned(), place.path().join("cache"));
        let started = Instant::now();
        let go_on = &mut |_: &_| ControlFlow::Continue(());
        let dataset = Dataset::prepare(&data, &schema.check().unwrap(), go_on).unwrap();
        println!("{name}: encoded in {:.2} s", started.elapsed().as_secs_f64());
        measure(name, &dataset);
    }
}

/// Runs through the training split.
fn measure(name: &str, dataset: &Dataset) {
    for epoch in 0..EPOCHS {
        let order = Order::Shuffled { seed: 1, epoch };
        let plan = BatchPlan { batch_size: 1024, order, tail: Tail::Keep, start: 0, prefetch: 2 };
        let started = Instant::now();
        let mut batches = Batches::new(dataset.train(), plan).unwrap();
        let mut rows = 0;
        while let Some(batch) = batches.next() {
            let batch = batch.unwrap();
            rows += batch.rows;
            batches.recycle(batch);
        }
        let seconds = started.elapsed().as_secs_f64();
        println!("{name}: {rows} samples in {seconds:.3} s, {:.0} samples/s", rows as f64 / seconds);
    }
}

/// Samples in the proportions of MovieLens-1M.
fn write_samples(folder: &Path) {
    let layout = Layout {
        user: "user".to_owned(),
        item: "item".to_owned(),
        time: None,
        max_length: 50,
        row_columns: Vec::new(),
        event_columns: Vec::new(),
        user_columns: Vec::new(),
        item_columns: Vec::new(),
    };
    let rule = || NegativeRule {
        distribution: Distribution::Popularity(0.75),
        exclude: Exclude::Past,
        draw: Draw::Epoch,
        seed: 1,
    };
    let candidates = Some(CandidateNegatives { per_positive: 1, rule: rule() });
    let negatives = Negatives { candidates, history: Some(rule()) };
    let mut writer = SamplesWriter::create(folder, layout.clone(), negatives).unwrap();
    writer.write_terms(TermTable::User(Field::Key), (0..USERS).map(|user| user.to_string())).unwrap();
    writer.write_terms(TermTable::Item(Field::Key), (0..ITEMS).map(|item| item.to_string())).unwrap();
    // A walk through the items that comes back to none within a user.
    let item = |event: u32| ((u64::from(event) * 7919) % u64::from(ITEMS)) as u32;
    let mut items = ItemBlock::new(&layout);
    items.counts = vec![0; ITEMS as usize];
    let (mut users, mut events) = (UserBlock::new(&layout), EventBlock::new(&layout));
    let mut rows = [Part::Train, Part::Validation].map(|part| (part, RowBlock::new(&layout)));
    for user in 0..USERS {
        let (start, end) = (user * EVENTS, (user + 1) * EVENTS);
        users.events_starts.push(start);
        users.events_ends.push(end);
        users.window_ends.push(end - 1);
        for event in start..end {
            events.items.push(item(event));
            items.counts[item(event) as usize] += 1;
            let (_, rows) = &mut rows[usize::from(event == end - 1)];
            rows.labels.push(1);
            rows.users.push(user);
            rows.items.push(item(event));
            rows.history_ends.push(event);
        }
    }
    writer.write_users(&users).unwrap();
    writer.write_items(&items).unwrap();
    writer.write_events(&events).unwrap();
    for (part, rows) in &rows {
        writer.write_rows(*part, rows).unwrap();
    }
    writer.finish(serde_json::Value::Null, Vec::new()).unwrap();
}

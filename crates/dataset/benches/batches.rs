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

#[path = "batches/shop.rs"]
mod shop;

use shop::{NEGATIVES, SCHEMA, Shop};

const EPOCHS: u64 = 3;

fn main() {
    if let Some(folder) = std::env::var_os("FAIN_DATASET") {
        return measure("the dataset", &Dataset::open(Path::new(&folder)).unwrap());
    }
    let place = tempfile::tempdir().unwrap();
    let samples = place.path().join("samples");
    std::fs::create_dir(&samples).unwrap();
    Shop { users: 6040, items: 3706, events: 165 }.write(&samples);
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

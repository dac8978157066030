//! Memory is asked for batch by batch, not row by row.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(unsafe_code, reason = "an allocator that counts is an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use fain_dataset::{DataConfig, Dataset};
use fain_features::{Samples, SchemaConfig};

#[path = "../benches/batches/shop.rs"]
mod shop;

/// The system's allocator, and how often it was asked.
struct Counting;

static ASKED: AtomicU64 = AtomicU64::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call is handed on unchanged to the system's allocator, which keeps the contract; counting allocates
// nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ASKED.fetch_add(1, Ordering::Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

fn dataset(place: &Path, schema: &str) -> Dataset {
    let schema: SchemaConfig = toml::from_str(schema).unwrap();
    let mut data: DataConfig = toml::from_str("samples = 'samples'").unwrap();
    (data.root, data.cache) = (place.to_owned(), place.join("cache"));
    Dataset::prepare(&data, &schema.check().unwrap(), &mut |_| ControlFlow::Continue(())).unwrap()
}

/// The only test of its program: other tests would ask for memory, too.
#[test]
fn a_larger_batch_asks_for_memory_no_more_often() {
    let place = tempfile::tempdir().unwrap();
    std::fs::create_dir(place.path().join("samples")).unwrap();
    shop::Shop { users: 40, items: 500, events: 165 }.write(&place.path().join("samples"));
    for schema in [shop::SCHEMA.to_owned(), format!("{}{}", shop::SCHEMA, shop::NEGATIVES)] {
        let dataset = dataset(place.path(), &schema);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let mut samples = Samples::default();
        let mut asked = |rows: u64| {
            let rows: Vec<u64> = (0..rows).map(|row| row * 7 % dataset.train().rows()).collect();
            let mut gather = |epoch| pool.install(|| dataset.train().gather_epoch(&rows, epoch, &mut samples)).unwrap();
            // The first batch makes room for the others.
            gather(0);
            let before = ASKED.load(Ordering::Relaxed);
            (1..=10).for_each(&mut gather);
            ASKED.load(Ordering::Relaxed) - before
        };
        let (large, small) = (asked(8192), asked(256));
        // 79,360 rows more, with 4 million events and as many negatives.
        assert!(large <= small + 20, "{large} for 10 batches of 8192 rows, {small} for 10 of 256");
        assert!(small <= 200, "{small} for 10 batches");
    }
}

//! Threads, and sizes of a batch.

use anyhow::Result;
use fain_autograd::Precision;

use crate::bench::Bench;
use crate::figures::{CurvePoint, Row, Unit};
use crate::lines::training::{DIEN, DIN};
use crate::lines::{Comparison, compare};
use crate::rounds::Side;
use crate::rows::Encoded;
use crate::runs::{Place, training_rate};
use crate::work::Work;

pub(super) const THREADS_ABOUT: &str = "Training on all threads of the table against one thread, batch 1,024. The limit \
     is what one thread reaches, times the threads.";

pub(super) const BATCH_SIZES_ABOUT: &str = "Training with batches of 32 to 8,192 samples.";

fn models(bench: &Bench) -> Result<[(&'static str, Encoded, Work); 2]> {
    let plain = bench.source.encode(DIN, false)?;
    let with_negatives = bench.source.encode(DIEN, true)?;
    let works = (Work::din(&plain.lengths), Work::dien(&with_negatives.lengths));
    Ok([("DIN", plain, works.0), ("DIEN of the notebook", with_negatives, works.1)])
}

pub(super) fn threads(bench: &Bench) -> Result<Vec<Row>> {
    let (seconds, threads, all) = (bench.seconds(), bench.threads, bench.place());
    let one_thread = Place { threads: 1, ..all };
    let mut rows = Vec::new();
    for (title, encoded, _) in &models(bench)? {
        let one: Side<'_> = Box::new(|| training_rate(encoded, 1024, one_thread, seconds));
        let comparison = Comparison {
            work: format!("{title}, threads: {threads}"),
            unit: Unit::Samples,
            limit: None,
            ours: Box::new(|| training_rate(encoded, 1024, all, seconds)),
            peers: vec![("fain on one thread".to_owned(), one)],
        };
        let mut row = compare(bench.rounds, comparison)?;
        row.limit = row.peers.first().map(|one| one.figure.median * f64::from(threads));
        rows.push(row);
    }
    tch::set_num_threads(i32::from(threads));
    Ok(rows)
}

pub(super) fn batch_sizes(bench: &Bench) -> Result<Vec<Row>> {
    let seconds = bench.seconds() / 2.0;
    let mut rows = Vec::new();
    for (title, encoded, work) in &models(bench)? {
        for batch in [32usize, 128, 512, 2048, 8192] {
            let comparison = Comparison {
                work: format!("{title}, batch {batch}"),
                unit: Unit::Samples,
                limit: bench.limit(work.training(), Precision::Float32),
                ours: Box::new(|| training_rate(encoded, batch, bench.place(), seconds)),
                peers: Vec::new(),
            };
            let place = CurvePoint { curve: (*title).to_owned(), at: batch as f64 };
            rows.push(Row { place: Some(place), ..compare(bench.rounds, comparison)? });
        }
    }
    Ok(rows)
}

//! Trainings, end to end.

use std::ops::RangeInclusive;

use anyhow::{Context, Result};
use fain_autograd::Precision;
use serde_json::json;

use crate::bench::Bench;
use crate::figures::{Figure, Peer, Row, Unit};
use crate::lines::{Comparison, compare};
use crate::python::{self, Python};
use crate::rounds::Side;
use crate::rows::Encoded;
use crate::runs::{self, Place};
use crate::work::Work;

pub(super) const DIN_ABOUT: &str = "DIN as torch-rechub builds it (embeddings of 16, attention 64-32 and network \
     256-128, batch normalisation and torch-rechub's Dice in both, Adam), from the encoded rows to the changed weights. \
     torch-rechub is fed by slices of tensors that lie ready in memory, and trains on the same ids. The limit is that of \
     the matrix products of real events; torch-rechub computes padding too.";

pub(super) const DIEN_ABOUT: &str = "DIEN of a notebook (embeddings of 16, attention 16-8 with Dice, AUGRU, auxiliary \
     network 100-50, network 32-16) against a plain PyTorch program: packed sequences, torch.nn.GRU, AUGRU as a loop in \
     Python. Then torch-rechub's DIEN (bilinear attention, inner products as auxiliary loss, network 256-128).";

pub(super) const DIN: &str = include_str!("../../experiments/din.toml");
pub(super) const DIEN: &str = include_str!("../../experiments/dien.toml");
const DIEN_OF_RECHUB: &str = include_str!("../../experiments/dien_rechub.toml");

/// Most passes over the training rows where quality is compared.
const EPOCHS: u64 = 3;

/// Of weights and of the order of rows, on both sides.
const SEEDS: RangeInclusive<u64> = 1..=3;

/// A model on both sides.
struct Model<'a> {
    /// Ours.
    encoded: &'a Encoded,
    work: Work,
    /// As `training.py` calls it.
    theirs: &'a str,
    /// As the table calls it.
    name: &'a str,
}

pub(super) fn din(bench: &Bench) -> Result<Vec<Row>> {
    let encoded = bench.source.encode(DIN, false)?;
    let work = Work::din(&encoded.lengths);
    let model = Model { encoded: &encoded, work, theirs: "din", name: "torch-rechub 0.9.0" };
    model.measure(bench, "DIN", bench.batch_sizes(&[1024]), 1024)
}

pub(super) fn dien(bench: &Bench) -> Result<Vec<Row>> {
    let encoded = bench.source.encode(DIEN, true)?;
    let work = Work::dien(&encoded.lengths);
    let model = Model { encoded: &encoded, work, theirs: "dien", name: "PyTorch program" };
    let mut rows = model.measure(bench, "DIEN of the notebook", bench.batch_sizes(&[128, 1024]), 1024)?;
    let encoded = bench.source.encode(DIEN_OF_RECHUB, true)?;
    let work = Work::dien_of_rechub(&encoded.lengths);
    let model = Model { encoded: &encoded, work, theirs: "dien_rechub", name: "torch-rechub 0.9.0" };
    rows.extend(model.measure(bench, "DIEN of torch-rechub", bench.batch_sizes(&[1024]), 1024)?);
    Ok(rows)
}

impl Model<'_> {
    /// A row for each batch size, and one for the quality.
    fn measure(&self, bench: &Bench, title: &str, batch_sizes: &[usize], batch_of_quality: usize) -> Result<Vec<Row>> {
        let folder = bench.python.is_some().then(|| self.encoded.export()).transpose()?;
        let start = |batch: usize, precision: Precision, compiled: bool| -> Result<Option<python::Peer>> {
            let (Some(python), Some(folder)) = (&bench.python, &folder) else { return Ok(None) };
            let (model, rows) = (self.theirs, folder.path());
            let settings =
                json!({ "model": model, "rows": rows, "batch": batch, "precision": precision, "compiled": compiled });
            python.start("training.py", settings).map(Some)
        };
        let seconds = bench.seconds();
        let ways: Vec<(Place, String)> = bench.ways(title);
        let mut rows = Vec::new();
        for (&batch, (place, title)) in batch_sizes.iter().flat_map(|batch| ways.iter().map(move |way| (batch, way))) {
            let (place, precision) = (*place, place.precision);
            let mut programs = Vec::new();
            for (compiled, way) in bench.python.iter().flat_map(Python::ways) {
                programs.extend(start(batch, precision, compiled)?.map(|peer| (format!("{}{way}", self.name), peer)));
            }
            let peers = programs.iter_mut().map(|(name, peer)| {
                let side: Side<'_> =
                    Box::new(move || peer.number(&json!({ "do": "train", "seconds": seconds }), "rate"));
                (name.clone(), side)
            });
            let row = compare(
                bench.rounds,
                Comparison {
                    work: format!("{title}, training, batch {batch}"),
                    unit: Unit::Samples,
                    limit: bench.limit(self.work.training(), precision),
                    ours: Box::new(|| runs::training_rate(self.encoded, batch, place, seconds)),
                    peers: peers.collect(),
                },
            )?;
            let cost = (precision == Precision::Float32).then(|| self.work.cost());
            rows.push(Row { cost, ..row });
        }
        for (place, title) in ways.iter().filter(|_| !bench.quick) {
            let mut peer = start(batch_of_quality, place.precision, false)?;
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            for seed in SEEDS {
                ours.push(runs::test_auc(self.encoded, batch_of_quality, *place, EPOCHS, seed)?);
                if let Some(peer) = &mut peer {
                    theirs.push(peer.number(&json!({ "do": "quality", "epochs": EPOCHS, "seed": seed }), "auc")?);
                }
            }
            let figure = |aucs: &[f64]| Figure::of(aucs).context("a test AUC is no number");
            let work =
                format!("{title}, at most {EPOCHS} epochs, batch {batch_of_quality}, median of {} seeds", ours.len());
            let mut row = Row::new(work, Unit::TestAuc, figure(&ours)?);
            if peer.is_some() {
                row.peers.push(Peer { name: self.name.to_owned(), figure: figure(&theirs)? });
            }
            rows.push(row);
        }
        Ok(rows)
    }
}

//! Recurrences, forward and backward.

use std::hint::black_box;
use std::time::Instant;

use anyhow::Result;
use fain_autograd::{Precision, autocast};
use fain_layers::{
    AttentionalGru, AttentionalGruConfig, AttentionalGruKind, Gru, GruConfig, Jagged, JaggedLayout, Recurrence,
    ResetGate,
};
use serde_json::json;
use tch::{Device, Kind, Tensor, nn};

use crate::bench::Bench;
use crate::figures::{Cost, Row, Unit};
use crate::lines::{Comparison, compare};
use crate::python;
use crate::rounds::Side;
use crate::work;

pub(super) const AUGRU_ABOUT: &str = "AUGRU over 1,024 histories of 5 to 50 events in float32, forward and backward, \
     with the gradients of events, scores and weights. The others are a loop over time in Python on packed sequences, and \
     torch.nn.GRU, which hears no scores. Operations are those of the matrix products. In bfloat16 our kernels, those of the \
     processor and of a GPU, go on in float32; on a GPU the products before and after them are bfloat16.";

pub(super) const GRU_ABOUT: &str = "The same with a GRU.";

const SAMPLES: u32 = 1024;
/// The first one is the width that the aim is set for.
const WIDTHS: [i64; 4] = [36, 16, 64, 128];

/// Lengths of 5 to 50 events in no order.
fn lengths() -> Vec<u32> {
    (0..SAMPLES).map(|sample| 5 + sample * 7919 % 46).collect()
}

pub(super) fn augru(bench: &Bench) -> Result<Vec<Row>> {
    rows(bench, "AUGRU", &[("augru", "PyTorch loop"), ("gru", "torch.nn.GRU")], |width| {
        let store = nn::VarStore::new(bench.device);
        let config = AttentionalGruConfig {
            kind: AttentionalGruKind::Augru,
            hidden: width,
            bias: true,
            reset: ResetGate::After,
        };
        let layer = AttentionalGru::new(&store.root(), width, config)?;
        Ok((store, Box::new(move |inputs, scores| Ok(layer.forward(inputs, scores, None)?.last()?))))
    })
}

pub(super) fn gru(bench: &Bench) -> Result<Vec<Row>> {
    rows(bench, "GRU", &[("gru", "torch.nn.GRU")], |width| {
        let store = nn::VarStore::new(bench.device);
        let layer = Gru::new(&store.root(), width, GruConfig { hidden: width, ..GruConfig::default() })?;
        Ok((store, Box::new(move |inputs, _| Ok(layer.forward(inputs, None)?.last()?))))
    })
}

/// Events and scores in, last states out.
type Forward = Box<dyn Fn(&Jagged, &Tensor) -> Result<Tensor>>;

fn rows(
    bench: &Bench,
    name: &str,
    theirs: &[(&str, &str)],
    build: impl Fn(i64) -> Result<(nn::VarStore, Forward)>,
) -> Result<Vec<Row>> {
    let seconds = bench.seconds() / 2.0;
    let ways = bench.ways(name);
    let on_gpu = matches!(bench.device, Device::Cuda(_));
    let lengths = lengths();
    let mut offsets = vec![0u32];
    offsets.extend(lengths.iter().scan(0, |end, length| {
        *end += length;
        Some(*end)
    }));
    let layout = JaggedLayout::new(&offsets, bench.device)?;
    let events = layout.events();
    let mut rows = Vec::new();
    for (width, (place, title)) in WIDTHS.into_iter().flat_map(|width| ways.iter().map(move |way| (width, way))) {
        let (place, precision) = (*place, place.precision);
        tch::manual_seed(1);
        let operations = 3.0 * events as f64 * work::recurrence(width as f64, width as f64);
        let inputs = Tensor::f_randn([events, width], (Kind::Float, bench.device))?.f_requires_grad_(true)?;
        let scores = Tensor::f_rand([events, 1], (Kind::Float, bench.device))?.f_requires_grad_(true)?;
        let history = Jagged::new(inputs.shallow_clone(), layout.clone())?;
        let (store, forward) = build(width)?;
        let mut wanted = vec![inputs];
        if name == "AUGRU" {
            wanted.push(scores.shallow_clone());
        }
        wanted.extend(store.trainable_variables());
        let mut peers: Vec<(String, python::Peer)> = Vec::new();
        if let Some(python) = &bench.python {
            for (script, shown) in theirs {
                for (compiled, way) in python.ways() {
                    // The layer of PyTorch is one operation already.
                    if compiled && *script == "gru" {
                        continue;
                    }
                    let settings = json!({
                        "width": width, "lengths": lengths, "run": script, "precision": precision, "compiled": compiled,
                    });
                    peers.push((format!("{shown}{way}"), python.start("recurrences.py", settings)?));
                }
            }
        }
        let sides = peers.iter_mut().map(|(shown, peer)| {
            let request = json!({ "seconds": seconds });
            let side: Side<'_> = Box::new(move || Ok(peer.number(&request, "rate")? * operations / 1e9));
            (shown.clone(), side)
        });
        let ours = || {
            let pass = || -> Result<()> {
                let last = autocast(place.device, precision, || forward(&history, &scores))??;
                let sum = last.f_sum(Kind::Float)?;
                black_box(Tensor::f_run_backward(&[sum], &wanted, false, false)?);
                Ok(())
            };
            pass()?;
            place.synchronize();
            let (mut passes, start) = (0, Instant::now());
            while start.elapsed().as_secs_f64() < seconds {
                // Ten at a time: a GPU that is waited for after each would wait for its orders.
                for _ in 0..if on_gpu { 10 } else { 1 } {
                    pass()?;
                    passes += 1;
                }
                place.synchronize();
            }
            Ok(f64::from(passes) * operations / start.elapsed().as_secs_f64() / 1e9)
        };
        let comparison = Comparison {
            work: format!("{title}, width {width}, {events} events"),
            unit: Unit::Gigaflops,
            limit: bench.limit(1e9, precision),
            ours: Box::new(ours),
            peers: sides.collect(),
        };
        let bytes = events as f64 * work::recurrence_bytes(width as f64, width as f64);
        // Of 10⁹ operations, the unit of the figure.
        let cost = Cost { operations: 1e9, bytes: bytes * 1e9 / operations };
        rows.push(Row {
            cost: (precision == Precision::Float32).then_some(cost),
            ..compare(bench.rounds, comparison)?
        });
    }
    Ok(rows)
}

//! Evaluation, and one request.

use std::time::Instant;

use anyhow::{Context, Result};
use fain_autograd::Precision;
use fain_dataset::{BatchPlan, Batches, Order, Tail};
use fain_features::{Column, Samples, Sequences};
use fain_models::{Candidates, FeatureSpace, Model, SpaceKind, candidate_logits, user_state};
use serde_json::json;
use tch::Device;

use crate::bench::Bench;
use crate::figures::{Figure, Peer, Row, Unit, percentile};
use crate::lines::training::{DIEN, DIN};
use crate::lines::{Comparison, compare};
use crate::rounds::Side;
use crate::rows::Encoded;
use crate::runs;
use crate::work::Work;

pub(super) const ABOUT: &str = "Evaluation in batches of 4,096: scores and AUC. torch-rechub is measured with its own \
     loop and loader, and with slices of tensors that lie ready in memory. Then one request, in-process, from encoded ids to \
     logits: one user with a history of 50 events and 500 candidates. fain reads the user once and scores the candidates \
     with that state; the other programs have no such thing and repeat the user 500 times, in tensors that lie ready.";

const CANDIDATES: usize = 500;

pub(super) fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (title, text, negatives, theirs, name) in [
        ("DIN", DIN, false, "din", "torch-rechub 0.9.0"),
        ("DIEN of the notebook", DIEN, true, "dien", "PyTorch program"),
    ] {
        let encoded = bench.source.encode(text, negatives)?;
        let work = if negatives { Work::dien(&encoded.lengths) } else { Work::din(&encoded.lengths) };
        tch::set_num_threads(i32::from(bench.threads));
        let (model, _variables) = runs::model(&encoded)?;
        let folder = bench.python.is_some().then(|| encoded.export()).transpose()?;
        let start = || match (&bench.python, &folder) {
            (Some(python), Some(folder)) => {
                let settings = json!({ "model": theirs, "rows": folder.path(), "batch": 1024 });
                python.start("training.py", settings).map(Some)
            }
            _ => Ok(None),
        };
        let (mut sliced, mut looped) = (start()?, if theirs == "din" { start()? } else { None });
        let seconds = bench.seconds();
        let mut peers: Vec<(String, Side<'_>)> = Vec::new();
        if let Some(peer) = &mut looped {
            let side: Side<'_> = Box::new(move || peer.number(&json!({ "do": "score_loader" }), "rate"));
            peers.push((format!("{name}, its own loop"), side));
        }
        if let Some(peer) = &mut sliced {
            let request = json!({ "do": "score", "seconds": seconds });
            let side: Side<'_> = Box::new(move || peer.number(&request, "rate"));
            peers.push((format!("{name}, slices"), side));
        }
        let comparison = Comparison {
            work: format!("{title}, evaluation"),
            unit: Unit::Samples,
            limit: bench.limit(work.scoring, Precision::Float32),
            ours: Box::new(|| runs::scoring_rate(&encoded, model.as_ref(), seconds)),
            peers,
        };
        rows.push(compare(bench.rounds, comparison)?);
        let repeats = if bench.quick { 20 } else { 300 };
        let request = Request::of(&encoded)?;
        let mut ours = Vec::new();
        for _ in 0..repeats {
            let start = Instant::now();
            request.answer(model.as_ref())?;
            ours.push(1e3 * start.elapsed().as_secs_f64());
        }
        let mut others: Option<Vec<f64>> = None;
        if let Some(peer) = &mut sliced {
            let answer = peer.ask(&json!({ "do": "request", "candidates": CANDIDATES, "repeats": repeats }))?;
            others = Some(serde_json::from_value(answer["milliseconds"].clone())?);
        }
        for (share, shown) in [(0.5, "median"), (0.99, "99th percentile")] {
            let figure = |times: &[f64]| percentile(times, share).map(Figure::single).context("nothing was measured");
            let work = format!("{title}, one user, {CANDIDATES} candidates, {shown}");
            let mut row = Row::new(work, Unit::Milliseconds, figure(&ours)?);
            if let Some(others) = &others {
                row.peers.push(Peer { name: name.to_owned(), figure: figure(others)? });
            }
            rows.push(row);
        }
    }
    Ok(rows)
}

/// One user and many candidates.
struct Request {
    space: FeatureSpace,
    /// One row.
    user: Samples,
    /// Ids of the candidates.
    items: Vec<u32>,
}

impl Request {
    /// The last user of the first training rows with the longest history.
    fn of(encoded: &Encoded) -> Result<Self> {
        let space = FeatureSpace::of(encoded.dataset.encoders());
        let history = space.position("history").context("there is no `history`")?;
        let Some(SpaceKind::Category(vocabulary)) = space.kind("item") else {
            anyhow::bail!("`item` is no category");
        };
        let items = space.vocabularies()[vocabulary].1 as u32;
        let plan = BatchPlan { batch_size: 8192, order: Order::Sequential, tail: Tail::Keep, start: 0, prefetch: 1 };
        let batch = Batches::new(encoded.dataset.train(), plan)?.next().context("there are no rows")??;
        let length = |row: usize| match &batch.columns[history] {
            Column::Sequence(lists) => lists.get(row).map_or(0, <[u32]>::len),
            _ => 0,
        };
        let row = (0..batch.rows).max_by_key(|&row| length(row)).context("there are no rows")?;
        let columns = batch.columns.iter().map(|column| match column {
            Column::Category(ids) => Column::Category(vec![ids[row]]),
            Column::Sequence(lists) => {
                let values = lists.get(row).unwrap_or_default().to_vec();
                let offsets = vec![0, values.len() as u32];
                Column::Sequence(Sequences { values, offsets, weights: None })
            }
            other => other.clone(),
        });
        let user = Samples { rows: 1, columns: columns.collect(), ..Samples::default() };
        Ok(Self { space, user, items: (0..CANDIDATES as u32).map(|number| number % items).collect() })
    }

    /// From ids to logits.
    fn answer(&self, model: &dyn Model) -> Result<Vec<f32>> {
        let user = user_state(model, &self.user, Device::Cpu)?;
        let items = Column::Category(self.items.clone());
        let candidates = Candidates::new(&self.space, vec![("item", items)], Device::Cpu)?;
        Ok(candidate_logits(model, &user, &candidates)?)
    }
}

//! AUC and AUC within users.

use std::cell::RefCell;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use fain_metrics::{GroupWeighting, auc, gauc, sigmoid};
use serde_json::json;

use crate::bench::Bench;
use crate::figures::{Row, Unit};
use crate::lines::{Comparison, compare};
use crate::npy;
use crate::python;
use crate::rounds::Side;
use crate::workspace;

pub(super) const ABOUT: &str = "AUC of 10 million scores, and AUC within a million users, weighed by their samples, on \
     the same scores. pandas is measured in two ways: scikit-learn called for each group (on 5,000 users: its time grows \
     with them), and ranks within groups for all users at once. Results agree to 9 digits, or the line fails.";

/// How far two exact results may be apart: the order of a sum of floats.
const AGREEMENT: f64 = 1e-9;

/// Random scores with labels that follow them.
struct Scores {
    predictions: Vec<f64>,
    labels: Vec<f32>,
    users: Vec<u64>,
}

impl Scores {
    fn new(samples: u64, users: u64) -> Self {
        let scores: Vec<f64> = (0..samples).map(|row| sigmoid((10.0 * uniform(row, 0) - 6.5) as f32)).collect();
        let labels =
            (0..samples).zip(&scores).map(|(row, &score)| f32::from(u8::from(uniform(row, 1) < score))).collect();
        let users = (0..samples).map(|row| (uniform(row, 2) * users as f64) as u64).collect();
        Self { predictions: scores, labels, users }
    }
}

/// A hash of `index`, spread evenly over `[0, 1)` (`SplitMix64`).
fn uniform(index: u64, stream: u64) -> f64 {
    let mut bits = (index.wrapping_mul(4) + stream + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

pub(super) fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let (samples, users) = if bench.quick { (200_000, 20_000) } else { (10_000_000, 1_000_000) };
    let few = users.min(5_000);
    let data = Scores::new(samples, users);
    std::fs::create_dir_all(workspace::work())?;
    let folder = tempfile::Builder::new().prefix("scores-").tempdir_in(workspace::work())?;
    let peer = match &bench.python {
        Some(python) => {
            npy::write(&folder.path().join("scores.npy"), &data.predictions)?;
            npy::write(&folder.path().join("labels.npy"), &data.labels)?;
            npy::write(&folder.path().join("users.npy"), &data.users)?;
            Some(RefCell::new(python.start("metrics.py", json!({ "folder": folder.path(), "few": few }))?))
        }
        None => None,
    };
    let side = |request, name, scale, expected| peer.as_ref().map(|peer| side(peer, request, name, scale, expected));
    // A round of the others takes half a minute.
    let rounds = bench.rounds.min(3);
    let value = auc(&data.predictions, &data.labels)?.context("the scores have no AUC")?;
    let of_users = gauc(&data.predictions, &data.labels, &data.users, GroupWeighting::Impressions)?;
    let within = of_users.context("no user has an AUC")?.value;
    let whole = Comparison {
        work: format!("AUC of {samples} scores"),
        unit: Unit::MillionRows,
        limit: None,
        ours: Box::new(|| {
            let start = Instant::now();
            auc(&data.predictions, &data.labels)?;
            Ok(samples as f64 / start.elapsed().as_secs_f64() / 1e6)
        }),
        peers: side("auc", "roc_auc_score of scikit-learn", 1e-6, Some(value)).into_iter().collect(),
    };
    let loops = side("loop", "pandas groupby, roc_auc_score for each user", 1.0, None);
    let ranks = side("ranks", "pandas groupby, ranks of all users", 1.0, Some(within));
    let grouped = Comparison {
        work: format!("AUC within {users} users"),
        unit: Unit::Users,
        limit: None,
        ours: Box::new(|| {
            let start = Instant::now();
            gauc(&data.predictions, &data.labels, &data.users, GroupWeighting::Impressions)?;
            Ok(users as f64 / start.elapsed().as_secs_f64())
        }),
        peers: loops.into_iter().chain(ranks).collect(),
    };
    Ok(vec![compare(rounds, whole)?, compare(rounds, grouped)?])
}

/// A side that also holds the other program's result to ours.
fn side<'a>(
    peer: &'a RefCell<python::Peer>,
    request: &'a str,
    name: &str,
    scale: f64,
    expected: Option<f64>,
) -> (String, Side<'a>) {
    let side: Side<'a> = Box::new(move || {
        let answer = peer.borrow_mut().ask(&json!({ "do": request }))?;
        let (Some(rate), Some(value)) = (answer["rate"].as_f64(), answer["value"].as_f64()) else {
            bail!("metrics.py answered {answer}");
        };
        if let Some(expected) = expected {
            ensure!((value - expected).abs() < AGREEMENT, "{request} gives {value}, ours is {expected}");
        }
        Ok(rate * scale)
    });
    (name.to_owned(), side)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn scores_say_something_about_their_labels() {
        let data = Scores::new(20_000, 500);
        let auc = auc(&data.predictions, &data.labels).unwrap().unwrap();
        assert!((0.8..0.95).contains(&auc), "{auc}");
        assert!(data.users.iter().all(|&user| user < 500));
        let clicks: f32 = data.labels.iter().sum();
        assert!((3_000.0..9_000.0).contains(&clicks), "{clicks}");
    }
}

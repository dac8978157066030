//! Times the metrics on random predictions: `cargo run --release --example timing [SAMPLES [USERS]]`.

#![allow(clippy::print_stdout, reason = "an example shows its results")]

use fain_metrics::{Evaluator, GroupWeighting, MetricError, auc, gauc, sigmoid};
use std::time::Instant;

/// A hash of `index`, spread evenly over `[0, 1)` (`SplitMix64`).
fn uniform(index: u64, stream: u64) -> f64 {
    let mut bits = (index.wrapping_mul(4) + stream + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

fn timed<T>(name: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    println!("{name:<20} {:.3} s", start.elapsed().as_secs_f64());
    result
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let samples: u64 = arguments.next().map_or(Ok(10_000_000), |text| text.parse())?;
    let users: u64 = arguments.next().map_or(Ok(1_000_000), |text| text.parse())?;

    // Logits from -6.5 to 3.5 with a click rate near 0.25, and labels drawn from them.
    let probabilities: Vec<f64> = (0..samples).map(|row| sigmoid((10.0 * uniform(row, 0) - 6.5) as f32)).collect();
    let labels: Vec<f32> = (0..samples)
        .zip(&probabilities)
        .map(|(row, &probability)| f32::from(u8::from(uniform(row, 1) < probability)))
        .collect();
    let groups: Vec<u64> = (0..samples).map(|row| (uniform(row, 2) * users as f64) as u64).collect();

    println!("{samples} samples of {users} users");
    let auc = timed("auc", || auc(&probabilities, &labels))?;
    let gauc = timed("gauc", || gauc(&probabilities, &labels, &groups, GroupWeighting::Impressions))?;
    let mut evaluator = Evaluator::new();
    timed("evaluator update", || -> Result<(), MetricError> {
        for start in (0..probabilities.len()).step_by(4096) {
            let rows = start..(start + 4096).min(probabilities.len());
            evaluator.update(&probabilities[rows.clone()], &labels[rows.clone()], Some(&groups[rows]))?;
        }
        Ok(())
    })?;
    let evaluation = timed("evaluator compute", || evaluator.compute());
    assert_eq!(evaluation.auc, auc);
    assert_eq!(evaluation.gauc, gauc.map(|gauc| gauc.value));
    println!("{evaluation:?}");
    Ok(())
}

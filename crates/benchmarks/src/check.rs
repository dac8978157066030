//! The fused recurrences of a device against plain operations on it.

use anyhow::{Result, ensure};
use fain_autograd::{Precision, autocast};
use fain_layers::{
    AttentionalGru, AttentionalGruConfig, AttentionalGruKind, Execution, Gru, GruConfig, Jagged, JaggedLayout,
    Recurrence, ResetGate,
};
use tch::{Device, Kind, Tensor, nn};

/// The largest difference that rounding explains, as a share of the largest number.
fn allowed(precision: Precision) -> f64 {
    match precision {
        Precision::Float32 => 1e-4,
        // Of products in bfloat16, the kernels make fewer than the plain operations.
        Precision::BFloat16 => 5e-2,
    }
}

/// `None` is a GRU, which hears no scores.
const CELLS: [Option<AttentionalGruKind>; 4] =
    [None, Some(AttentionalGruKind::Agru), Some(AttentionalGruKind::Augru), Some(AttentionalGruKind::AugruOfficial)];

/// Runs every cell both ways, forward and backward, and says how far the results are apart at most, as a
/// share of the largest number of each.
///
/// # Errors
/// They are further apart than rounding explains, or libtorch refuses.
pub(crate) fn recurrences(device: Device, precision: Precision) -> Result<f64> {
    let mut most = 0.0_f64;
    for cell in CELLS {
        for (hidden, samples) in [(1, 3), (16, 700), (36, 5000), (128, 300)] {
            let [plain, fused] =
                [Execution::Plain, Execution::Auto].map(|way| run(cell, (hidden, samples), way, (device, precision)));
            for (place, (plain, fused)) in plain?.iter().zip(&fused?).enumerate() {
                let largest = plain.f_abs()?.f_max()?.f_double_value(&[])?.max(1.0);
                let apart = plain.f_sub(fused)?.f_abs()?.f_max()?.f_double_value(&[])? / largest;
                let cell = cell.map_or("GRU".to_owned(), |cell| format!("{cell:?}"));
                ensure!(
                    apart <= allowed(precision),
                    "{cell} of width {hidden} differs from plain operations by {apart:.1e} ({place})"
                );
                most = most.max(apart);
            }
        }
    }
    Ok(most)
}

/// The states, and the gradients of events, scores, initial states and parameters.
fn run(
    cell: Option<AttentionalGruKind>,
    (hidden, samples): (i64, u32),
    execution: Execution,
    (device, precision): (Device, Precision),
) -> Result<Vec<Tensor>> {
    tch::manual_seed(1);
    let mut offsets = vec![0];
    for sample in 0..samples {
        offsets.push(offsets[sample as usize] + sample * 7919 % 12);
    }
    let layout = JaggedLayout::new(&offsets, device)?;
    // Drawn on the processor, so that both ways see the same numbers on any device.
    let leaf = |size: [i64; 2]| -> Result<Tensor> {
        let numbers = Tensor::f_rand(size, (Kind::Float, Device::Cpu))?;
        Ok(numbers.f_to_device(device)?.f_requires_grad_(true)?)
    };
    let width = 5;
    let inputs = leaf([layout.events(), width])?;
    let scores = leaf([layout.events(), 1])?;
    let initial = leaf([layout.rows(), hidden])?;
    let gradient = leaf([layout.events(), hidden])?.f_detach()?;
    let history = Jagged::new(inputs.shallow_clone(), layout)?;
    let store = nn::VarStore::new(device);
    let config = GruConfig { hidden, ..GruConfig::default() };
    let states = if let Some(kind) = cell {
        let config = AttentionalGruConfig { kind, hidden, bias: true, reset: ResetGate::After };
        let layer = AttentionalGru::new(&store.root(), width, config)?.with_execution(execution);
        autocast(device, precision, || layer.forward(&history, &scores, Some(&initial)))??
    } else {
        let layer = Gru::new(&store.root(), width, config)?.with_execution(execution);
        autocast(device, precision, || layer.forward(&history, Some(&initial)))??
    };
    let loss = states.values().f_mul(&gradient)?.f_sum(Kind::Float)?;
    let mut wanted = vec![inputs, initial];
    wanted.extend(cell.map(|_| scores));
    let mut variables: Vec<(String, Tensor)> = store.variables().into_iter().collect();
    variables.sort_by(|left, right| left.0.cmp(&right.0));
    wanted.extend(variables.into_iter().map(|(_, variable)| variable));
    let mut results = Tensor::f_run_backward(&[loss], &wanted, false, false)?;
    results.push(states.values().f_detach()?);
    Ok(results)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn the_processors_kernels_agree_with_plain_operations() {
        for (precision, least, bound) in [(Precision::Float32, 0.0, 1e-5), (Precision::BFloat16, 1e-4, 5e-2)] {
            let most = recurrences(Device::Cpu, precision).unwrap();
            assert!(most > least && most < bound, "{precision}: {most}");
        }
    }
}

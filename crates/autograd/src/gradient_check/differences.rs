//! The walk over the entries of some leaves.

use tch::{Device, Kind, TchError, Tensor};

use super::projection::Projection;
use super::{GradientCheck, GradientError, GradientReport};

/// A leaf of the graph, and what it is called.
pub(super) type Leaf<'a> = (String, &'a Tensor);

/// What is done where no output requires a gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Constant {
    /// It is an error.
    Refused,
    /// The gradients are zero, and the differences must be.
    Zero,
}

/// Holds the gradient of the projected outputs with respect to each leaf that requires one to differences.
pub(super) fn walk(
    call: &impl Fn() -> Result<Vec<Tensor>, GradientError>,
    leaves: &[Leaf<'_>],
    options: &GradientCheck,
    constant: Constant,
) -> Result<GradientReport, GradientError> {
    options.check()?;
    for (name, leaf) in leaves {
        let kind = leaf.f_kind()?;
        if kind != Kind::Double {
            return Err(GradientError::Kind { input: name.clone(), kind });
        }
    }
    let leaves: Vec<&Leaf<'_>> = leaves.iter().filter(|(_, leaf)| leaf.requires_grad()).collect();
    if leaves.is_empty() {
        return Err(GradientError::NoInput);
    }
    let (projection, gradients) = tch::with_grad(|| analytic(call, &leaves, constant))?;
    let mut report = GradientReport { entries: 0, largest_difference: 0.0 };
    let _not_recorded = tch::no_grad_guard();
    let here = call()?;
    for ((name, leaf), gradient) in leaves.into_iter().zip(gradients) {
        for flat in (0..gradient.len()).step_by(gradient.len().div_ceil(options.entries).max(1)) {
            let outputs_at = |offset: f64| with_moved(leaf, flat, offset, call);
            let (above, below) = (outputs_at(options.step)?, outputs_at(-options.step)?);
            let slopes = if options.kinks {
                [projection.difference(&above, &here)?, projection.difference(&here, &below)?]
                    .map(|difference| difference / options.step)
            } else {
                [projection.difference(&above, &below)? / (2.0 * options.step); 2]
            };
            let analytic = gradient[flat];
            let numeric = f64::midpoint(slopes[0], slopes[1]);
            let (low, high) = (slopes[0].min(slopes[1]), slopes[0].max(slopes[1]));
            let outside = if (low..=high).contains(&analytic) {
                0.0
            } else {
                (analytic - low).abs().min((analytic - high).abs())
            };
            let allowed = options.absolute + options.relative * low.abs().max(high.abs());
            // Written so that a NaN on either side does not pass.
            let passes = outside <= allowed && numeric.is_finite();
            if !passes {
                let entry = entry(&leaf.size(), flat);
                return Err(GradientError::Mismatch { input: name.clone(), entry, analytic, numeric });
            }
            report.entries += 1;
            report.largest_difference = report.largest_difference.max(outside);
        }
    }
    Ok(report)
}

/// The projection that fits the outputs, and its gradient for each leaf.
fn analytic(
    call: &impl Fn() -> Result<Vec<Tensor>, GradientError>,
    leaves: &[&Leaf<'_>],
    constant: Constant,
) -> Result<(Projection, Vec<Vec<f64>>), GradientError> {
    let outputs = call()?;
    if !outputs.iter().any(Tensor::requires_grad) {
        if constant == Constant::Refused {
            return Err(GradientError::NoOutput);
        }
        let zeros = leaves.iter().map(|(_, leaf)| vec![0.0; leaf.numel()]).collect();
        return Ok((Projection::new(&outputs, |_| true)?, zeros));
    }
    let projection = Projection::new(&outputs, Tensor::requires_grad)?;
    let tensors: Vec<&Tensor> = leaves.iter().map(|(_, leaf)| *leaf).collect();
    let gradients = Tensor::f_run_backward(&[projection.apply(&outputs)?], &tensors, false, false)?;
    let mut gradients = gradients.into_iter();
    let mut next = |leaf: &Tensor| match gradients.next() {
        Some(gradient) if gradient.defined() => values(&gradient),
        // Nothing flowed back: that says the derivative is 0.
        _ => Ok(vec![0.0; leaf.numel()]),
    };
    let gradients = tensors.into_iter().map(&mut next).collect::<Result<_, TchError>>()?;
    Ok((projection, gradients))
}

/// The outputs while one entry of a leaf is moved. The leaf is as before then, to the last bit.
fn with_moved(
    leaf: &Tensor,
    flat: usize,
    offset: f64,
    call: &impl Fn() -> Result<Vec<Tensor>, GradientError>,
) -> Result<Vec<Tensor>, GradientError> {
    let mut entry = leaf.f_detach()?.f_view([-1])?.f_get(flat as i64)?;
    let before = f64::try_from(&entry)?;
    let _moved = entry.f_fill_(before + offset)?;
    let outputs = call();
    let _restored = entry.f_fill_(before)?;
    outputs
}

/// The entries in the order of the indices.
fn values(tensor: &Tensor) -> Result<Vec<f64>, TchError> {
    let tensor = tensor.f_to_dense(None::<Kind>, false)?;
    Vec::try_from(tensor.f_to_device(Device::Cpu)?.f_contiguous()?.f_view([-1])?)
}

/// The indices of an entry from its place in the contiguous tensor.
fn entry(size: &[i64], flat: usize) -> Vec<i64> {
    let mut rest = flat as i64;
    let mut indices: Vec<i64> = size
        .iter()
        .rev()
        .map(|&length| {
            let index = rest % length;
            rest /= length;
            index
        })
        .collect();
    indices.reverse();
    indices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_found_again() {
        assert_eq!(entry(&[2, 3, 4], 0), [0, 0, 0]);
        assert_eq!(entry(&[2, 3, 4], 23), [1, 2, 3]);
        assert_eq!(entry(&[2, 3, 4], 17), [1, 1, 1]);
        assert!(entry(&[], 0).is_empty());
    }
}

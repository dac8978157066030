//! Dice by the statistics of each row, as one differentiable function on the CPU, by the kernels of `fain-kernels`.

use fain_autograd::{Buffer, Context, Element, Function, apply, slice};
use fain_kernels::{Real, row_dice_backward, row_dice_forward};
use tch::{Device, Kind, Tensor};

use super::PER_SAMPLE_EPSILON;
use crate::LayerError;
use crate::threads::Threads;

/// Whether there are kernels for these operands.
pub(super) fn applies(input: &Tensor, alpha: &Tensor) -> bool {
    let fits = |kind: Kind| {
        [input, alpha].into_iter().all(|of| of.device() == Device::Cpu && of.f_kind().is_ok_and(|of| of == kind))
    };
    fits(Kind::Float) || fits(Kind::Double)
}

/// `[B, H]` and `[1]` → `[B, H]`.
pub(super) fn per_sample(input: &Tensor, alpha: &Tensor) -> Result<Tensor, LayerError> {
    let mut outputs = apply(RowDice { needed: [false; 2] }, &[&input.f_contiguous()?, &alpha.f_contiguous()?])?;
    // There is one, as the forward pass below returns one.
    Ok(outputs.swap_remove(0))
}

/// The differentiable function of input and `α`.
struct RowDice {
    /// Which inputs a gradient flows back to, known after the forward pass.
    needed: [bool; 2],
}

impl Function for RowDice {
    type Error = LayerError;

    fn forward(&mut self, context: &mut Context<'_>, inputs: &[Tensor]) -> Result<Vec<Tensor>, LayerError> {
        self.needed = [context.needs_gradient(0), context.needs_gradient(1)];
        context.save_for_backward(&inputs.iter().collect::<Vec<&Tensor>>());
        Ok(vec![match inputs[0].kind() {
            Kind::Float => output::<f32>(inputs)?,
            _ => output::<f64>(inputs)?,
        }])
    }

    fn backward(&mut self, saved: &[Tensor], gradients: &[Option<Tensor>]) -> Result<Vec<Option<Tensor>>, LayerError> {
        let [Some(gradient)] = gradients else { return Ok(vec![None, None]) };
        let gradient = gradient.f_contiguous()?;
        let gradients = match gradient.kind() {
            Kind::Float => gradients_of::<f32>(saved, &gradient)?,
            _ => gradients_of::<f64>(saved, &gradient)?,
        };
        Ok(gradients.into_iter().zip(self.needed).map(|(gradient, needed)| needed.then_some(gradient)).collect())
    }
}

fn width(inputs: &[Tensor]) -> usize {
    inputs[0].size()[1] as usize
}

fn output<T: Element + Real>(inputs: &[Tensor]) -> Result<Tensor, LayerError> {
    let mut output = Buffer::<T>::unspecified(&inputs[0].size())?;
    let (rows, alpha) = (slice::<T>(&inputs[0])?, slice::<T>(&inputs[1])?[0]);
    row_dice_forward(width(inputs), rows, alpha, PER_SAMPLE_EPSILON, output.as_mut_slice(), &Threads)?;
    Ok(output.into_tensor())
}

fn gradients_of<T: Element + Real>(inputs: &[Tensor], gradient: &Tensor) -> Result<[Tensor; 2], LayerError> {
    let mut by_input = Buffer::<T>::unspecified(&inputs[0].size())?;
    let mut by_alpha = Buffer::<T>::new(&[1])?;
    let (rows, alpha) = (slice::<T>(&inputs[0])?, slice::<T>(&inputs[1])?[0]);
    by_alpha.as_mut_slice()[0] = row_dice_backward(
        width(inputs),
        rows,
        alpha,
        PER_SAMPLE_EPSILON,
        slice::<T>(gradient)?,
        by_input.as_mut_slice(),
        &Threads,
    )?;
    Ok([by_input.into_tensor(), by_alpha.into_tensor()])
}

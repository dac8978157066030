//! The loss of the auxiliary network as one differentiable function on the CPU, by the kernels of `fain-kernels`.

use fain_autograd::{Buffer, Context, Element, Function, apply, slice};
use fain_kernels::{DenseLayer, DenseLayerGradients, PairGradients, PairNetwork, Pairs, Real, pair_loss};
use tch::{Device, Kind, Tensor};

use crate::threads::Threads;
use crate::{LayerError, Linear};

/// How many inputs stand before the layers' weights and biases: states, clicks, others.
const ROWS: usize = 3;

/// Whether there are kernels for these operands.
fn applies(inputs: &[Tensor]) -> bool {
    let fits =
        |kind: Kind| inputs.iter().all(|of| of.device() == Device::Cpu && of.f_kind().is_ok_and(|of| of == kind));
    fits(Kind::Float) || fits(Kind::Double)
}

/// The mean over clicks and others: `states` `[P, H]`, `clicks` and `others` `[P, D]`, with at least one row → a scalar;
/// `None` where there are no kernels for them. The logistic function follows each of the `layers`, of which the last has
/// one output, but the last.
pub(super) fn mean_loss(
    [states, clicks, others]: [&Tensor; ROWS],
    layers: &[&Linear],
) -> Result<Option<Tensor>, LayerError> {
    let mut inputs = Vec::with_capacity(ROWS + 2 * layers.len());
    for rows in [states, clicks, others] {
        inputs.push(rows.f_contiguous()?);
    }
    for layer in layers {
        inputs.push(layer.weight().f_contiguous()?);
        inputs.push(layer.bias().f_contiguous()?);
    }
    if !applies(&inputs) {
        return Ok(None);
    }
    let function = PairLoss { needed: Vec::new(), gradients: Vec::new() };
    let mut outputs = apply(function, &inputs.iter().collect::<Vec<&Tensor>>())?;
    // There is one, as the forward pass below returns one.
    Ok(Some(outputs.swap_remove(0)))
}

/// The differentiable function of the rows, and of weight and bias of every layer.
///
/// The forward pass computes the gradients too, while a tile is at hand. The backward pass has only to multiply them by
/// the gradient of the loss.
struct PairLoss {
    /// Which inputs a gradient flows back to, known after the forward pass.
    needed: Vec<bool>,
    /// Of all inputs, if one is needed.
    gradients: Vec<Tensor>,
}

impl Function for PairLoss {
    type Error = LayerError;

    fn forward(&mut self, context: &mut Context<'_>, inputs: &[Tensor]) -> Result<Vec<Tensor>, LayerError> {
        self.needed = (0..inputs.len()).map(|index| context.needs_gradient(index)).collect();
        Ok(vec![match inputs[0].kind() {
            Kind::Float => self.loss::<f32>(inputs)?,
            _ => self.loss::<f64>(inputs)?,
        }])
    }

    fn backward(&mut self, _saved: &[Tensor], gradients: &[Option<Tensor>]) -> Result<Vec<Option<Tensor>>, LayerError> {
        let [Some(gradient)] = gradients else { return Ok(self.needed.iter().map(|_| None).collect()) };
        let product = |(needed, of): (&bool, &Tensor)| needed.then(|| Ok(of.f_mul(gradient)?)).transpose();
        self.needed.iter().zip(&self.gradients).map(product).collect()
    }
}

impl PairLoss {
    fn loss<T: Element + Real>(&mut self, inputs: &[Tensor]) -> Result<Tensor, LayerError> {
        let numbers = inputs.iter().map(slice::<T>).collect::<Result<Vec<&[T]>, _>>()?;
        let (rows, layers) = numbers.split_at(ROWS);
        let pairs = Pairs { states: rows[0], clicks: rows[1], others: rows[2] };
        let layers: Vec<DenseLayer<'_, T>> =
            layers.chunks_exact(2).map(|layer| DenseLayer { weight: layer[0], bias: layer[1] }).collect();
        let network =
            PairNetwork { first: layers[0], hidden: &layers[1..layers.len() - 1], last: layers[layers.len() - 1] };
        let width = |index: usize| inputs[index].size()[1] as usize;
        let (state_width, event_width) = (width(0), width(1));
        let mut loss = Buffer::<T>::new(&[])?;
        loss.as_mut_slice()[0] = if self.needed.contains(&true) {
            let mut buffers = inputs
                .iter()
                .map(|input| Buffer::<T>::unspecified(&input.size()))
                .collect::<Result<Vec<Buffer<T>>, _>>()?;
            let mut slices = buffers.iter_mut().map(Buffer::as_mut_slice);
            let mut next = || slices.next().unwrap_or_default();
            let (states, clicks, others) = (next(), next(), next());
            let layers = layers.iter().map(|_| DenseLayerGradients { weight: next(), bias: next() }).collect();
            let mut gradients = PairGradients { states, clicks, others, layers };
            let loss = pair_loss(state_width, event_width, &pairs, &network, Some(&mut gradients), &Threads)?;
            self.gradients = buffers.into_iter().map(Buffer::into_tensor).collect();
            loss
        } else {
            pair_loss(state_width, event_width, &pairs, &network, None, &Threads)?
        };
        Ok(loss.into_tensor())
    }
}

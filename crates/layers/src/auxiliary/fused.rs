//! The auxiliary loss as one differentiable function on the CPU, by the kernels of `fain-kernels`.

use fain_autograd::{Buffer, Context, Element, Function, apply, autocast_kind, slice};
use fain_kernels::{
    DenseLayer, DenseLayerGradients, PairGradients, PairNetwork, Pairs, Real, inner_pair_loss, pair_loss,
};
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

/// Which rows of states and events make pairs, and what is wanted of them.
pub(super) struct Paired<'a> {
    /// Where each sample's rows start, and the last one's end.
    pub(super) offsets: &'a [u32],
    /// How far the events stand after their state.
    pub(super) distance: usize,
    /// What the mean is multiplied by. It is known before the gradients are computed, so that none has to be multiplied
    /// afterwards.
    pub(super) factor: f64,
}

/// The mean over clicks and others, times a factor: `states` `[N, H]`, `clicks` and `others` `[N, D]`, with at least one
/// pair → a scalar; `None` where there are no kernels for them. The logistic function follows each of the `layers`, of
/// which the last has one output, but the last. Without layers the logit is the inner product.
pub(super) fn mean_loss(
    paired: &Paired<'_>,
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
    // Autocast has its own kernels for matrix products; without layers there are none.
    let narrow = !layers.is_empty() && autocast_kind(Device::Cpu).is_some();
    if narrow || !applies(&inputs) {
        return Ok(None);
    }
    let Paired { offsets, distance, factor } = *paired;
    let function = PairLoss { offsets: offsets.to_vec(), distance, factor, needed: Vec::new(), gradients: Vec::new() };
    let mut outputs = apply(function, &inputs.iter().collect::<Vec<&Tensor>>())?;
    // There is one, as the forward pass below returns one.
    Ok(Some(outputs.swap_remove(0)))
}

/// The differentiable function of the rows, and of weight and bias of every layer.
///
/// The forward pass computes the gradients too, while a tile is at hand. The backward pass has only to multiply them by
/// the gradient of the loss, if that is not 1.
struct PairLoss {
    offsets: Vec<u32>,
    distance: usize,
    factor: f64,
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
        let as_they_are = gradient.f_double_value(&[])?.to_bits() == 1.0f64.to_bits();
        let product = |(needed, of): (&bool, &Tensor)| {
            let product = || Ok(if as_they_are { of.shallow_clone() } else { of.f_mul(gradient)? });
            needed.then(product).transpose()
        };
        self.needed.iter().zip(&self.gradients).map(product).collect()
    }
}

impl PairLoss {
    fn loss<T: Element + Real>(&mut self, inputs: &[Tensor]) -> Result<Tensor, LayerError> {
        let numbers = inputs.iter().map(slice::<T>).collect::<Result<Vec<&[T]>, _>>()?;
        let (rows, layers) = numbers.split_at(ROWS);
        let pairs = Pairs {
            offsets: &self.offsets,
            distance: self.distance,
            states: rows[0],
            clicks: rows[1],
            others: rows[2],
            factor: self.factor,
        };
        let widths = [0, 1].map(|index: usize| inputs[index].size()[1] as usize);
        let mut loss = Buffer::<T>::unspecified(&[])?;
        loss.as_mut_slice()[0] = if self.needed.contains(&true) {
            let mut buffers = inputs
                .iter()
                .map(|input| Buffer::<T>::unspecified(&input.size()))
                .collect::<Result<Vec<Buffer<T>>, _>>()?;
            let mut slices = buffers.iter_mut().map(Buffer::as_mut_slice);
            let mut next = || slices.next().unwrap_or_default();
            let (states, clicks, others) = (next(), next(), next());
            let by_layers =
                layers.chunks_exact(2).map(|_| DenseLayerGradients { weight: next(), bias: next() }).collect();
            let mut gradients = PairGradients { states, clicks, others, layers: by_layers };
            let loss = run(widths, &pairs, layers, Some(&mut gradients))?;
            self.gradients = buffers.into_iter().map(Buffer::into_tensor).collect();
            loss
        } else {
            run(widths, &pairs, layers, None)?
        };
        Ok(loss.into_tensor())
    }
}

/// The kernel for these layers, weight and bias of each.
fn run<T: Real>(
    [state_width, event_width]: [usize; 2],
    pairs: &Pairs<'_, T>,
    layers: &[&[T]],
    gradients: Option<&mut PairGradients<'_, T>>,
) -> Result<T, LayerError> {
    let layers: Vec<DenseLayer<'_, T>> =
        layers.chunks_exact(2).map(|layer| DenseLayer { weight: layer[0], bias: layer[1] }).collect();
    Ok(match layers[..] {
        [first, ref hidden @ .., last] => {
            let network = PairNetwork { first, hidden, last };
            pair_loss(state_width, event_width, pairs, &network, gradients, &Threads)?
        }
        _ => inner_pair_loss(state_width, pairs, gradients, &Threads)?,
    })
}

//! The auxiliary loss as one differentiable function on the CPU, by the kernels of `fain-kernels`.

use fain_autograd::{Background, Buffer, Context, Element, Function, apply, autocast_kind, background, slice};
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
    let function = PairLoss { offsets: offsets.to_vec(), distance, factor, needed: Vec::new(), state: State::Empty };
    let mut outputs = apply(function, &inputs.iter().collect::<Vec<&Tensor>>())?;
    // There is one, as the forward pass below returns one.
    Ok(Some(outputs.swap_remove(0)))
}

/// The differentiable function of the rows, and of weight and bias of every layer.
///
/// The forward pass computes the gradients too, while a tile is at hand. The backward pass has only to multiply them by
/// the gradient of the loss, if that is not 1.
///
/// Nothing needs them before: within [`overlap`](fain_autograd::overlap) they are left to other threads, and so is the
/// loss.
struct PairLoss {
    offsets: Vec<u32>,
    distance: usize,
    factor: f64,
    /// Which inputs a gradient flows back to, known after the forward pass.
    needed: Vec<bool>,
    state: State,
}

/// What the forward pass leaves for the backward pass.
enum State {
    /// Nothing yet.
    Empty,
    /// The gradients of all inputs; none if none is needed.
    Ready(Vec<Tensor>),
    /// They are being computed, and so is the loss, whose place is `loss`. (It is not the function's output itself, which
    /// would keep the function that keeps it.)
    Coming { loss: Tensor, found: Background<Result<Found, LayerError>> },
}

/// What the kernel gives.
struct Found {
    loss: Tensor,
    gradients: Vec<Tensor>,
    /// What it has read. The thread that made them drops them.
    _inputs: Vec<Tensor>,
}

impl Function for PairLoss {
    type Error = LayerError;

    fn forward(&mut self, context: &mut Context<'_>, inputs: &[Tensor]) -> Result<Vec<Tensor>, LayerError> {
        self.needed = (0..inputs.len()).map(|index| context.needs_gradient(index)).collect();
        let loss = match inputs[0].kind() {
            Kind::Float => self.loss::<f32>(inputs)?,
            _ => self.loss::<f64>(inputs)?,
        };
        if matches!(self.state, State::Coming { .. }) {
            // libtorch refuses the backward pass if somebody changes them meanwhile.
            context.save_for_backward(&inputs.iter().collect::<Vec<&Tensor>>());
        }
        Ok(vec![loss])
    }

    fn backward(&mut self, _saved: &[Tensor], gradients: &[Option<Tensor>]) -> Result<Vec<Option<Tensor>>, LayerError> {
        self.state = match std::mem::replace(&mut self.state, State::Empty) {
            State::Coming { mut loss, found } => {
                let found = found.join()??;
                loss.f_copy_(&found.loss)?;
                State::Ready(found.gradients)
            }
            state => state,
        };
        let (State::Ready(found), [Some(gradient)]) = (&self.state, gradients) else {
            return Ok(self.needed.iter().map(|_| None).collect());
        };
        let as_they_are = gradient.f_double_value(&[])?.to_bits() == 1.0f64.to_bits();
        let product = |(needed, of): (&bool, &Tensor)| {
            let product = || Ok(if as_they_are { of.shallow_clone() } else { of.f_mul(gradient)? });
            needed.then(product).transpose()
        };
        self.needed.iter().zip(found).map(product).collect()
    }
}

impl PairLoss {
    fn loss<T: Element + Real>(&mut self, inputs: &[Tensor]) -> Result<Tensor, LayerError> {
        let mut buffers = Vec::new();
        if self.needed.contains(&true) {
            for input in inputs {
                buffers.push(Buffer::<T>::unspecified(&input.size())?);
            }
        }
        // Inner products are soon done, and libtorch's own operations want the other threads.
        let at_once = buffers.is_empty() || inputs.len() == ROWS;
        let work = Work {
            offsets: std::mem::take(&mut self.offsets),
            distance: self.distance,
            factor: self.factor,
            inputs: inputs.iter().map(Tensor::shallow_clone).collect(),
            buffers,
        };
        if at_once {
            return Ok(self.ready(work.run()?));
        }
        let found = background(move || work.run());
        if !found.is_left() {
            let found = found.join()??;
            return Ok(self.ready(found));
        }
        let loss = Tensor::f_full([], f64::NAN, (T::KIND, Device::Cpu))?;
        self.state = State::Coming { loss: loss.f_detach()?, found };
        Ok(loss)
    }

    /// Keeps the gradients, and gives the loss.
    fn ready(&mut self, found: Found) -> Tensor {
        self.state = State::Ready(found.gradients);
        found.loss
    }
}

/// All that the kernel needs.
struct Work<T: Element> {
    offsets: Vec<u32>,
    distance: usize,
    factor: f64,
    inputs: Vec<Tensor>,
    /// For the gradients of the inputs; none if they are not needed.
    buffers: Vec<Buffer<T>>,
}

impl<T: Element + Real> Work<T> {
    fn run(self) -> Result<Found, LayerError> {
        let Self { offsets, distance, factor, inputs, mut buffers } = self;
        let numbers = inputs.iter().map(slice::<T>).collect::<Result<Vec<&[T]>, _>>()?;
        let (rows, layers) = numbers.split_at(ROWS);
        let pairs = Pairs { offsets: &offsets, distance, states: rows[0], clicks: rows[1], others: rows[2], factor };
        let widths = [0, 1].map(|index: usize| inputs[index].size()[1] as usize);
        let mut loss = Buffer::<T>::unspecified(&[])?;
        loss.as_mut_slice()[0] = if buffers.is_empty() {
            kernel(widths, &pairs, layers, None)?
        } else {
            let mut slices = buffers.iter_mut().map(Buffer::as_mut_slice);
            let mut next = || slices.next().unwrap_or_default();
            let (states, clicks, others) = (next(), next(), next());
            let by_layers =
                layers.chunks_exact(2).map(|_| DenseLayerGradients { weight: next(), bias: next() }).collect();
            kernel(widths, &pairs, layers, Some(&mut PairGradients { states, clicks, others, layers: by_layers }))?
        };
        let gradients = buffers.into_iter().map(Buffer::into_tensor).collect();
        Ok(Found { loss: loss.into_tensor(), gradients, _inputs: inputs })
    }
}

/// The kernel for these layers, weight and bias of each.
fn kernel<T: Real>(
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

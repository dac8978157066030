//! The first dense map of the scoring network as one differentiable function on the CPU, by the kernels of
//! `fain-kernels`.

use fain_autograd::{Buffer, Context, Element, Function, apply, autocast_kind, slice};
use fain_kernels::{Real, TargetPairGradients, TargetPairs, target_pairs_backward, target_pairs_forward};
use tch::{Device, Kind, Tensor};

use crate::threads::Threads;
use crate::{Jagged, JaggedLayout, LayerError};

/// What the map reads beside the events.
#[derive(Clone, Copy)]
pub(super) struct PairOperands<'a> {
    /// `[B, H]`: what depends on the candidate alone.
    pub(super) base: &'a Tensor,
    /// `[H, D]`: the events' weight.
    pub(super) weight: &'a Tensor,
    /// The candidate `[B, D]`, and the weight `[H, D]` of its product with an event.
    pub(super) product: Option<(&'a Tensor, &'a Tensor)>,
}

impl<'a> PairOperands<'a> {
    fn list(self) -> impl Iterator<Item = &'a Tensor> {
        let product = self.product.into_iter().flat_map(|(candidate, weight)| [candidate, weight]);
        [self.base, self.weight].into_iter().chain(product)
    }
}

/// Whether there are kernels for these operands: not under autocast, which has its own for matrix products.
pub(super) fn applies(operands: PairOperands<'_>, history: &Jagged) -> bool {
    let Ok(kind @ (Kind::Float | Kind::Double)) = history.values().f_kind() else { return false };
    let same = |of: &Tensor| of.device() == Device::Cpu && of.f_kind().is_ok_and(|of| of == kind);
    autocast_kind(Device::Cpu).is_none() && same(history.values()) && operands.list().all(same)
}

/// `[N, H]`.
pub(super) fn pairs(operands: PairOperands<'_>, history: &Jagged) -> Result<Tensor, LayerError> {
    let inputs = std::iter::once(history.values()).chain(operands.list());
    let inputs = inputs.map(Tensor::f_contiguous).collect::<Result<Vec<Tensor>, _>>()?;
    let function = PairLayer { layout: history.layout().clone(), needed: Vec::new() };
    let mut outputs = apply(function, &inputs.iter().collect::<Vec<&Tensor>>())?;
    // There is one, as the forward pass below returns one.
    Ok(outputs.swap_remove(0))
}

/// The differentiable function of events, base, weight, and maybe candidate and the product's weight.
struct PairLayer {
    layout: JaggedLayout,
    /// Which inputs a gradient flows back to, known after the forward pass.
    needed: Vec<bool>,
}

impl Function for PairLayer {
    type Error = LayerError;

    fn forward(&mut self, context: &mut Context<'_>, inputs: &[Tensor]) -> Result<Vec<Tensor>, LayerError> {
        self.needed = (0..inputs.len()).map(|index| context.needs_gradient(index)).collect();
        context.save_for_backward(&inputs.iter().collect::<Vec<&Tensor>>());
        Ok(vec![match inputs[0].kind() {
            Kind::Float => self.output::<f32>(inputs)?,
            _ => self.output::<f64>(inputs)?,
        }])
    }

    fn backward(&mut self, saved: &[Tensor], gradients: &[Option<Tensor>]) -> Result<Vec<Option<Tensor>>, LayerError> {
        let [Some(gradient)] = gradients else {
            return Ok(self.needed.iter().map(|_| None).collect());
        };
        let gradient = gradient.f_contiguous()?;
        match gradient.kind() {
            Kind::Float => self.gradients::<f32>(saved, &gradient),
            _ => self.gradients::<f64>(saved, &gradient),
        }
    }
}

/// `D` and `H`.
fn widths(inputs: &[Tensor]) -> (usize, usize) {
    let size = inputs[2].size();
    (size[1] as usize, size[0] as usize)
}

impl PairLayer {
    fn pairs<'a, T: Element>(&'a self, inputs: &'a [Tensor]) -> Result<TargetPairs<'a, T>, LayerError> {
        let product = match &inputs[3..] {
            [candidate, weight] => Some((slice::<T>(candidate)?, slice::<T>(weight)?)),
            _ => None,
        };
        Ok(TargetPairs {
            offsets: self.layout.host_offsets(),
            events: slice(&inputs[0])?,
            base: slice(&inputs[1])?,
            weight: slice(&inputs[2])?,
            product,
        })
    }

    fn output<T: Element + Real>(&self, inputs: &[Tensor]) -> Result<Tensor, LayerError> {
        let (width, hidden) = widths(inputs);
        let mut output = Buffer::<T>::unspecified(&[self.layout.events(), hidden as i64])?;
        target_pairs_forward(width, hidden, &self.pairs::<T>(inputs)?, output.as_mut_slice(), &Threads)?;
        Ok(output.into_tensor())
    }

    /// The gradients of the inputs that need one.
    fn gradients<T: Element + Real>(
        &self,
        inputs: &[Tensor],
        gradient: &Tensor,
    ) -> Result<Vec<Option<Tensor>>, LayerError> {
        let (width, hidden) = widths(inputs);
        let mut buffers = inputs
            .iter()
            .zip(&self.needed)
            .map(|(input, needed)| needed.then(|| Buffer::<T>::unspecified(&input.size())).transpose())
            .collect::<Result<Vec<_>, _>>()?;
        let mut slices = buffers.iter_mut().map(|buffer| buffer.as_mut().map(Buffer::as_mut_slice));
        let mut next = || slices.next().flatten();
        // Fields are evaluated in the order of the inputs.
        let mut gradients = TargetPairGradients {
            events: next(),
            base: next(),
            weight: next(),
            candidate: next(),
            product_weight: next(),
        };
        let pairs = self.pairs::<T>(inputs)?;
        target_pairs_backward(width, hidden, &pairs, slice(gradient)?, &mut gradients, &Threads)?;
        Ok(buffers.into_iter().map(|buffer| buffer.map(Buffer::into_tensor)).collect())
    }
}

//! Batch normalisation, and Dice of it, as one differentiable function on the CPU, by the kernels of `fain-kernels`.

use fain_autograd::{Buffer, Context, Element, Function, apply, slice};
use fain_kernels::{
    Normalization, NormalizationGradients, Real, column_statistics, normalize_backward, normalize_forward,
};
use tch::{Device, Kind, Tensor};

use crate::LayerError;
use crate::threads::Threads;

/// What a normalisation reads beside its input, each `[H]`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operands<V> {
    /// Mean and variance; `None` takes those of the rows.
    pub(super) statistics: Option<(V, V)>,
    pub(super) scale: Option<V>,
    pub(super) shift: Option<V>,
    /// The `α` of Dice; `None` is the normalisation alone.
    pub(super) alpha: Option<V>,
}

impl<V: Copy> Operands<V> {
    /// The same operands with other values; `map` sees them in the order of the function's inputs.
    fn try_map<R, E>(self, mut map: impl FnMut(V) -> Result<R, E>) -> Result<Operands<R>, E> {
        let statistics = match self.statistics {
            Some((mean, variance)) => Some((map(mean)?, map(variance)?)),
            None => None,
        };
        Ok(Operands {
            statistics,
            scale: self.scale.map(&mut map).transpose()?,
            shift: self.shift.map(&mut map).transpose()?,
            alpha: self.alpha.map(&mut map).transpose()?,
        })
    }
}

/// Whether there are kernels for these operands.
pub(super) fn applies(input: &Tensor, operands: Operands<&Tensor>) -> bool {
    let Ok(kind @ (Kind::Float | Kind::Double)) = input.f_kind() else { return false };
    let same = |operand: &Tensor| operand.device() == Device::Cpu && operand.f_kind().is_ok_and(|of| of == kind);
    same(input) && operands.try_map(|operand| if same(operand) { Ok(()) } else { Err(()) }).is_ok()
}

/// What comes of the rows.
pub(super) struct Normalized {
    /// `[B, H]`
    pub(super) output: Tensor,
    /// Mean and biased variance of the rows, each `[H]`, where they were taken.
    pub(super) statistics: Option<(Tensor, Tensor)>,
}

/// `input` is `[B, H]`.
pub(super) fn forward(input: &Tensor, epsilon: f64, operands: Operands<&Tensor>) -> Result<Normalized, LayerError> {
    let mut inputs = vec![input.f_contiguous()?];
    let places = operands.try_map(|operand| {
        inputs.push(operand.f_contiguous()?);
        Ok::<usize, LayerError>(inputs.len() - 1)
    })?;
    let function = Normalize { epsilon, places, needed: Vec::new() };
    let mut outputs = apply(function, &inputs.iter().collect::<Vec<&Tensor>>())?;
    let statistics = (outputs.len() == 3).then(|| {
        let variance = outputs.swap_remove(2);
        (outputs.swap_remove(1), variance)
    });
    // There is one, as the forward pass below returns one or three.
    Ok(Normalized { output: outputs.swap_remove(0), statistics })
}

/// The differentiable function. Without statistics among its inputs it has them as its second and third output.
struct Normalize {
    epsilon: f64,
    /// Where each operand stands among the inputs.
    places: Operands<usize>,
    /// Which inputs a gradient flows back to, known after the forward pass.
    needed: Vec<bool>,
}

impl Function for Normalize {
    type Error = LayerError;

    fn forward(&mut self, context: &mut Context<'_>, inputs: &[Tensor]) -> Result<Vec<Tensor>, LayerError> {
        self.needed = (0..inputs.len()).map(|index| context.needs_gradient(index)).collect();
        let outputs = match inputs[0].kind() {
            Kind::Float => self.outputs::<f32>(inputs)?,
            _ => self.outputs::<f64>(inputs)?,
        };
        let statistics: Vec<&Tensor> = outputs[1..].iter().collect();
        context.mark_non_differentiable(&statistics);
        context.save_for_backward(&inputs.iter().chain(statistics).collect::<Vec<&Tensor>>());
        Ok(outputs)
    }

    fn backward(&mut self, saved: &[Tensor], gradients: &[Option<Tensor>]) -> Result<Vec<Option<Tensor>>, LayerError> {
        let Some(Some(gradient)) = gradients.first() else {
            return Ok(self.needed.iter().map(|_| None).collect());
        };
        let gradient = gradient.f_contiguous()?;
        match gradient.kind() {
            Kind::Float => self.gradients::<f32>(saved, &gradient),
            _ => self.gradients::<f64>(saved, &gradient),
        }
    }
}

impl Normalize {
    fn outputs<T: Element + Real>(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, LayerError> {
        let size = inputs[0].size();
        let (width, rows) = (size[1] as usize, slice::<T>(&inputs[0])?);
        let mut output = Buffer::<T>::unspecified(&size)?;
        let mut taken = None;
        if self.places.statistics.is_none() {
            let mut mean = Buffer::<T>::new(&size[1..])?;
            let mut variance = Buffer::<T>::new(&size[1..])?;
            column_statistics(width, rows, mean.as_mut_slice(), variance.as_mut_slice(), &Threads)?;
            taken = Some((mean.into_tensor(), variance.into_tensor()));
        }
        let normalization = self.normalization(inputs, taken.as_ref())?;
        normalize_forward(width, rows, &normalization, output.as_mut_slice(), &Threads)?;
        let statistics = taken.into_iter().flat_map(|(mean, variance)| [mean, variance]);
        Ok(std::iter::once(output.into_tensor()).chain(statistics).collect())
    }

    /// `taken` are the statistics of the rows, where none are among the inputs.
    fn normalization<'a, T: Element + Real>(
        &self,
        inputs: &'a [Tensor],
        taken: Option<&'a (Tensor, Tensor)>,
    ) -> Result<Normalization<'a, T>, LayerError> {
        let numbers = self.places.try_map(|place| slice::<T>(&inputs[place]))?;
        let (mean, variance) = match (numbers.statistics, taken) {
            (Some(statistics), _) => statistics,
            (None, Some((mean, variance))) => (slice::<T>(mean)?, slice::<T>(variance)?),
            // The kernel refuses them by their length.
            (None, None) => (&[][..], &[][..]),
        };
        let Operands { scale, shift, alpha, .. } = numbers;
        Ok(Normalization { mean, variance, epsilon: self.epsilon, scale, shift, alpha })
    }

    /// The gradients of the inputs that need one.
    fn gradients<T: Element + Real>(
        &self,
        saved: &[Tensor],
        gradient: &Tensor,
    ) -> Result<Vec<Option<Tensor>>, LayerError> {
        let (inputs, taken) = saved.split_at(self.needed.len());
        let taken = match taken {
            [mean, variance] => Some((mean.shallow_clone(), variance.shallow_clone())),
            _ => None,
        };
        let size = inputs[0].size();
        let normalization = self.normalization::<T>(inputs, taken.as_ref())?;
        let mut by_input = Buffer::<T>::unspecified(&size)?;
        let buffer = |place: Option<usize>| {
            place.filter(|&place| self.needed[place]).map(|_| Buffer::<T>::new(&size[1..])).transpose()
        };
        let Operands { scale, shift, alpha, .. } = self.places;
        let mut learned = [buffer(scale)?, buffer(shift)?, buffer(alpha)?];
        let [by_scale, by_shift, by_alpha] = &mut learned;
        normalize_backward(
            size[1] as usize,
            slice(&inputs[0])?,
            &normalization,
            taken.is_some(),
            slice(gradient)?,
            by_input.as_mut_slice(),
            &mut NormalizationGradients {
                scale: by_scale.as_mut().map(Buffer::as_mut_slice),
                shift: by_shift.as_mut().map(Buffer::as_mut_slice),
                alpha: by_alpha.as_mut().map(Buffer::as_mut_slice),
            },
            &Threads,
        )?;
        let mut gradients: Vec<Option<Tensor>> = self.needed.iter().map(|_| None).collect();
        gradients[0] = self.needed[0].then(|| by_input.into_tensor());
        for (place, gradient) in [scale, shift, alpha].into_iter().zip(learned) {
            if let Some(place) = place {
                gradients[place] = gradient.map(Buffer::into_tensor);
            }
        }
        Ok(gradients)
    }
}

//! The differentiable function of hidden layers.

use fain_autograd::{Buffer, Context, Element, Function, apply, slice};
use fain_kernels::{
    DenseLayer, HiddenActivation, HiddenCorrection, HiddenGradients, HiddenLayer, HiddenRows, HiddenUpstream,
    Normalization, Real, hidden_backward, hidden_forward, hidden_stride,
};
use tch::{Kind, Tensor};

use super::places::{ActivationPlaces, HiddenPlaces, NormPlaces};
use super::statistics::{Statistics, columns, normalized};
use crate::LayerError;
use crate::dice::PER_SAMPLE_EPSILON;
use crate::number::Number;
use crate::threads::Threads;

/// Inputs are the first layer's rows `[B, H]` and what the places say. Outputs are the result and, for each
/// normalisation without given statistics, mean and biased variance of its rows.
pub(super) struct Hidden {
    layers: Vec<HiddenPlaces>,
    /// Which inputs a gradient flows back to, known after the forward pass.
    needed: Vec<bool>,
}

impl Hidden {
    pub(super) fn new(layers: Vec<HiddenPlaces>) -> Self {
        Self { layers, needed: Vec::new() }
    }

    pub(super) fn apply(self, inputs: &[Tensor]) -> Result<Vec<Tensor>, LayerError> {
        Ok(apply(self, &inputs.iter().collect::<Vec<&Tensor>>())?)
    }

    fn takes_statistics(&self) -> bool {
        self.layers.iter().flat_map(HiddenPlaces::norms).any(|norm| norm.given.is_none())
    }
}

impl Function for Hidden {
    type Error = LayerError;

    fn forward(&mut self, context: &mut Context<'_>, inputs: &[Tensor]) -> Result<Vec<Tensor>, LayerError> {
        self.needed = (0..inputs.len()).map(|index| context.needs_gradient(index)).collect();
        let Passed { output, rows, statistics } = match inputs[0].kind() {
            Kind::Float => self.pass::<f32>(inputs)?,
            _ => self.pass::<f64>(inputs)?,
        };
        let taken: Vec<Tensor> = statistics.into_iter().flatten().flat_map(|of| [of.mean, of.variance]).collect();
        context.mark_non_differentiable(&taken.iter().collect::<Vec<&Tensor>>());
        context.save_for_backward(&inputs.iter().chain(&taken).chain(&rows).collect::<Vec<&Tensor>>());
        Ok(std::iter::once(output).chain(taken).collect())
    }

    fn backward(&mut self, saved: &[Tensor], gradients: &[Option<Tensor>]) -> Result<Vec<Option<Tensor>>, LayerError> {
        let Some(Some(gradient)) = gradients.first() else {
            return Ok(self.needed.iter().map(|_| None).collect());
        };
        let gradient = gradient.f_contiguous()?;
        match gradient.kind() {
            Kind::Float => self.gradients::<f32>(saved, gradient),
            _ => self.gradients::<f64>(saved, gradient),
        }
    }
}

/// What a forward pass leaves.
struct Passed {
    output: Tensor,
    /// The dense maps' results, `[B, stride]`, in the order of the layers from the second on; none where all layers
    /// went through in one pass.
    rows: Vec<Tensor>,
    /// For each normalisation; `None` where they were given.
    statistics: Vec<Option<Statistics>>,
}

/// The operands of a layer that are not slices of the inputs.
struct Prepared<T> {
    /// For every unit, where one slope or a constant stands for all.
    slope: Vec<T>,
}

/// The rows of a layer.
fn rows_of<T: Element>(tensor: &Tensor) -> Result<HiddenRows<'_, T>, LayerError> {
    Ok(HiddenRows { numbers: slice(tensor)?, stride: tensor.size()[1] as usize })
}

fn tensor_of<T: Element>(numbers: &[T], size: &[i64]) -> Result<Tensor, LayerError> {
    let mut buffer = Buffer::<T>::unspecified(size)?;
    buffer.as_mut_slice().copy_from_slice(numbers);
    Ok(buffer.into_tensor())
}

impl Hidden {
    /// The units of each layer.
    fn widths(&self, inputs: &[Tensor]) -> Vec<usize> {
        let next = self.layers.iter().filter_map(|layer| layer.dense).map(|(_, bias)| inputs[bias].numel());
        std::iter::once(inputs[0].size()[1] as usize).chain(next).take(self.layers.len()).collect()
    }

    fn pass<T: Number>(&self, inputs: &[Tensor]) -> Result<Passed, LayerError> {
        let (widths, recorded) = (self.widths(inputs), self.needed.contains(&true));
        if !recorded && !self.takes_statistics() {
            return self.at_once::<T>(inputs, &widths);
        }
        let batch = inputs[0].size()[0];
        let mut passed = Passed { output: Tensor::new(), rows: Vec::new(), statistics: Vec::new() };
        let mut of_rows: Option<Statistics> = None;
        for (index, (layer, &width)) in self.layers.iter().zip(&widths).enumerate() {
            let rows = if index == 0 { &inputs[0] } else { &passed.rows[index - 1] };
            let first = passed.statistics.len();
            Self::take_statistics::<T>(layer, inputs, rows, width, of_rows.as_ref(), &mut passed.statistics)?;
            let prepared = Self::prepare(layer, inputs, width)?;
            let hidden = Self::layer::<T>(layer, inputs, &prepared, &passed.statistics[first..])?;
            let dense = Self::dense::<T>(layer, inputs)?;
            let outputs = dense.map_or(width, |dense| dense.bias.len());
            let across = if dense.is_some() { hidden_stride::<T>(outputs) } else { width };
            let mut output = Buffer::<T>::unspecified(&[batch, across as i64])?;
            let wanted = index + 1 < self.layers.len()
                && across > 1
                && self.layers[index + 1].norms().next().is_some_and(|norm| norm.given.is_none());
            let column = || Buffer::<T>::unspecified(&[outputs as i64]);
            let mut buffers = wanted.then(|| Ok::<_, LayerError>((column()?, column()?))).transpose()?;
            let statistics = buffers.as_mut().map(|(mean, variance)| (mean.as_mut_slice(), variance.as_mut_slice()));
            let (rows, dense) = (rows_of(rows)?, dense.as_slice());
            hidden_forward(width, &rows, &[hidden], dense, output.as_mut_slice(), statistics, &Threads)?;
            of_rows = buffers
                .map(|(mean, variance)| Statistics { mean: mean.into_tensor(), variance: variance.into_tensor() });
            if index + 1 < self.layers.len() {
                passed.rows.push(output.into_tensor());
            } else {
                passed.output = narrowed(output.into_tensor(), outputs)?;
            }
        }
        Ok(passed)
    }

    /// All layers in one pass over the rows: their statistics are known, and nothing is kept.
    fn at_once<T: Number>(&self, inputs: &[Tensor], widths: &[usize]) -> Result<Passed, LayerError> {
        let given: Vec<Option<Statistics>> = vec![None, None];
        let prepared = self.layers.iter().zip(widths).map(|(layer, &width)| Self::prepare(layer, inputs, width));
        let prepared = prepared.collect::<Result<Vec<_>, _>>()?;
        let layers = self.layers.iter().zip(&prepared);
        let layers = layers.map(|(layer, prepared)| Self::layer::<T>(layer, inputs, prepared, &given));
        let layers = layers.collect::<Result<Vec<_>, _>>()?;
        let dense = self.layers.iter().filter_map(|layer| Self::dense::<T>(layer, inputs).transpose());
        let dense = dense.collect::<Result<Vec<_>, _>>()?;
        let complete = dense.len() == layers.len();
        let outputs = dense.last().filter(|_| complete).map_or(widths[widths.len() - 1], |dense| dense.bias.len());
        let across = if complete { hidden_stride::<T>(outputs) } else { outputs };
        let mut output = Buffer::<T>::unspecified(&[inputs[0].size()[0], across as i64])?;
        let rows = rows_of(&inputs[0])?;
        hidden_forward(widths[0], &rows, &layers, &dense, output.as_mut_slice(), None, &Threads)?;
        let output = narrowed(output.into_tensor(), outputs)?;
        Ok(Passed { output, rows: Vec::new(), statistics: Vec::new() })
    }

    /// Adds what the normalisations of a layer take from its rows. Those of Dice behind another normalisation follow
    /// from the first.
    fn take_statistics<T: Number>(
        layer: &HiddenPlaces,
        inputs: &[Tensor],
        rows: &Tensor,
        width: usize,
        known: Option<&Statistics>,
        statistics: &mut Vec<Option<Statistics>>,
    ) -> Result<(), LayerError> {
        for (index, norm) in layer.norms().enumerate() {
            let taken = match (norm.given, &layer.norm) {
                (Some(_), _) => None,
                (None, Some(first)) if index == 1 => {
                    let before = statistics.last().and_then(Option::as_ref);
                    before.map(|before| normalized::<T>(first, inputs, before)).transpose()?
                }
                (None, _) => Some(match known {
                    Some(of) => Statistics { mean: of.mean.shallow_clone(), variance: of.variance.shallow_clone() },
                    None => columns::<T>(rows, width)?,
                }),
            };
            statistics.push(taken);
        }
        Ok(())
    }

    fn prepare<T: Number>(layer: &HiddenPlaces, inputs: &[Tensor], width: usize) -> Result<Prepared<T>, LayerError> {
        let slope = match &layer.activation {
            ActivationPlaces::Constant(slope) => vec![T::of(*slope); width],
            ActivationPlaces::Slope(place) => match slice::<T>(&inputs[*place])? {
                &[slope] => vec![slope; width],
                slopes => slopes.to_vec(),
            },
            _ => Vec::new(),
        };
        Ok(Prepared { slope })
    }

    /// `taken` are the statistics of the layer's normalisations, where none are among the inputs.
    fn layer<'a, T: Element + Real>(
        layer: &HiddenPlaces,
        inputs: &'a [Tensor],
        prepared: &'a Prepared<T>,
        taken: &'a [Option<Statistics>],
    ) -> Result<HiddenLayer<'a, T>, LayerError> {
        let normalization = |norm: &NormPlaces, taken: Option<&'a Option<Statistics>>, alpha: Option<usize>| {
            let of = |place: usize| slice::<T>(&inputs[place]);
            let (mean, variance) = match (norm.given, taken.and_then(Option::as_ref)) {
                (Some((mean, variance)), _) => (of(mean)?, of(variance)?),
                (None, Some(taken)) => (slice(&taken.mean)?, slice(&taken.variance)?),
                // The kernel refuses lists without numbers.
                (None, None) => (&[][..], &[][..]),
            };
            let (scale, shift) = (norm.scale.map(of).transpose()?, norm.shift.map(of).transpose()?);
            let alpha = alpha.map(of).transpose()?;
            Ok::<_, LayerError>(Normalization { mean, variance, epsilon: norm.epsilon, scale, shift, alpha })
        };
        let mut taken = taken.iter();
        let norm = layer.norm.as_ref().map(|norm| normalization(norm, taken.next(), None)).transpose()?;
        let activation = match &layer.activation {
            ActivationPlaces::Identity => HiddenActivation::Identity,
            ActivationPlaces::Constant(_) | ActivationPlaces::Slope(_) => HiddenActivation::Slope(&prepared.slope),
            ActivationPlaces::Sigmoid => HiddenActivation::Sigmoid,
            ActivationPlaces::Dice(norm, alpha) => {
                HiddenActivation::Dice(normalization(norm, taken.next(), Some(*alpha))?)
            }
            ActivationPlaces::RowDice(alpha) => HiddenActivation::RowDice {
                alpha: slice::<T>(&inputs[*alpha])?.first().copied().unwrap_or_default(),
                epsilon: PER_SAMPLE_EPSILON,
            },
        };
        Ok(HiddenLayer { norm, activation })
    }

    fn dense<'a, T: Element>(
        layer: &HiddenPlaces,
        inputs: &'a [Tensor],
    ) -> Result<Option<DenseLayer<'a, T>>, LayerError> {
        let Some((weight, bias)) = layer.dense else { return Ok(None) };
        Ok(Some(DenseLayer { weight: slice(&inputs[weight])?, bias: slice(&inputs[bias])? }))
    }

    fn gradients<T: Number>(&self, saved: &[Tensor], gradient: Tensor) -> Result<Vec<Option<Tensor>>, LayerError> {
        let (inputs, rest) = saved.split_at(self.needed.len());
        let (mut rest, mut statistics) = (rest.iter(), Vec::new());
        for norm in self.layers.iter().flat_map(HiddenPlaces::norms) {
            let taken = if norm.given.is_none() { rest.next().zip(rest.next()) } else { None };
            statistics.push(
                taken.map(|(mean, variance)| Statistics {
                    mean: mean.shallow_clone(),
                    variance: variance.shallow_clone(),
                }),
            );
        }
        let rows: Vec<&Tensor> = std::iter::once(&inputs[0]).chain(rest).collect();
        let widths = self.widths(inputs);
        let mut results: Vec<Option<Tensor>> = self.needed.iter().map(|_| None).collect();
        let mut flowing = widened::<T>(gradient, self.layers.last().is_some_and(|layer| layer.dense.is_some()))?;
        let mut pending: Option<HiddenCorrection<T>> = None;
        let mut end = statistics.len();
        for (index, (layer, &width)) in self.layers.iter().zip(&widths).enumerate().rev() {
            let start = end - layer.norms().count();
            let prepared = Self::prepare(layer, inputs, width)?;
            let hidden = Self::layer::<T>(layer, inputs, &prepared, &statistics[start..end])?;
            end = start;
            let dense = Self::dense::<T>(layer, inputs)?;
            let reference = rows.get(index + 1).map(|rows| slice::<T>(rows)).transpose()?;
            let upstream = HiddenUpstream { gradient: slice(&flowing)?, correction: pending.as_ref().zip(reference) };
            let mut output = Buffer::<T>::unspecified(&rows[index].size())?;
            let (of, into, moves) = (rows_of(rows[index])?, output.as_mut_slice(), self.takes_statistics());
            let found = hidden_backward(width, &of, &hidden, dense.as_ref(), moves, &upstream, into, &Threads)?;
            if let (0, true, Some(correction)) = (index, self.needed[0], &found.correction) {
                correction.apply(&of, output.as_mut_slice(), &Threads)?;
            }
            flowing = output.into_tensor();
            self.keep(layer, inputs, &found, &mut results)?;
            pending = found.correction;
        }
        if self.needed[0] {
            results[0] = Some(flowing);
        }
        Ok(results)
    }

    /// Brings the gradients of what a layer learns to the places of the inputs.
    fn keep<T: Number>(
        &self,
        layer: &HiddenPlaces,
        inputs: &[Tensor],
        found: &HiddenGradients<T>,
        results: &mut [Option<Tensor>],
    ) -> Result<(), LayerError> {
        let mut keep = |place: Option<usize>, numbers: &[T]| -> Result<(), LayerError> {
            let Some(place) = place.filter(|&place| self.needed[place]) else { return Ok(()) };
            let size = inputs[place].size();
            let one_of_many = inputs[place].numel() == 1 && numbers.len() > 1;
            results[place] = Some(if one_of_many {
                let sum = numbers.iter().fold(T::default(), |sum, &number| sum + number);
                tensor_of(&[sum], &size)?
            } else {
                tensor_of(numbers, &size)?
            });
            Ok(())
        };
        if let Some((weight, bias)) = layer.dense {
            keep(Some(weight), &found.weight)?;
            keep(Some(bias), &found.bias)?;
        }
        if let Some(norm) = &layer.norm {
            keep(norm.scale, &found.scale)?;
            keep(norm.shift, &found.shift)?;
        }
        match &layer.activation {
            ActivationPlaces::Identity | ActivationPlaces::Constant(_) | ActivationPlaces::Sigmoid => Ok(()),
            ActivationPlaces::Slope(place) | ActivationPlaces::RowDice(place) => keep(Some(*place), &found.alpha),
            ActivationPlaces::Dice(norm, alpha) => {
                keep(norm.scale, &found.dice_scale)?;
                keep(norm.shift, &found.dice_shift)?;
                keep(Some(*alpha), &found.alpha)
            }
        }
    }
}

/// Without the columns that fill up a row.
fn narrowed(rows: Tensor, width: usize) -> Result<Tensor, LayerError> {
    let width = width as i64;
    Ok(if rows.size()[1] == width { rows } else { rows.f_narrow(1, 0, width)?.f_contiguous()? })
}

/// With the columns that fill up a row behind a dense map.
fn widened<T: Number>(gradient: Tensor, dense: bool) -> Result<Tensor, LayerError> {
    let width = gradient.size()[1];
    let across = hidden_stride::<T>(width as usize) as i64;
    if !dense || across == width {
        return Ok(gradient);
    }
    Ok(gradient.f_constant_pad_nd([0, across - width])?)
}

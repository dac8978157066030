//! Hidden layers as one differentiable function on the CPU, by the kernels of `fain-kernels`: between two dense maps
//! nothing is written down.

use fain_autograd::autocast_kind;
use tch::{Device, Kind, Tensor};

use super::Layer;
use super::function::Hidden;
use super::places::{ActivationPlaces, HiddenPlaces, NormPlaces};
use crate::{Activation, BatchNorm, LayerError, Linear, Mode};

/// The function's inputs, and where each of them stands.
struct Inputs(Vec<Tensor>);

impl Inputs {
    fn add(&mut self, tensor: &Tensor) -> Result<usize, LayerError> {
        self.0.push(tensor.f_contiguous()?);
        Ok(self.0.len() - 1)
    }

    fn add_norm(&mut self, norm: &BatchNorm, mode: Mode) -> Result<NormPlaces, LayerError> {
        let mut add = |tensor: Option<&Tensor>| tensor.map(|tensor| self.add(tensor)).transpose();
        let (scale, shift) = norm.affine();
        let (mean, variance) = norm.running();
        let given = !mode.is_training();
        Ok(NormPlaces {
            epsilon: norm.epsilon(),
            scale: add(scale)?,
            shift: add(shift)?,
            given: add(given.then_some(mean))?.zip(add(given.then_some(variance))?),
        })
    }
}

/// The layers from the result of the first dense map on; with `output`, also that map of the last layer. `None` where
/// there are no kernels for them, as under autocast.
///
/// # Shapes
/// - `first` `[B, hidden[0]]` → `[B, outputs]`
pub(super) fn forward(
    first: &Tensor,
    layers: &[Layer],
    output: Option<&Linear>,
    mode: Mode,
) -> Result<Option<Tensor>, LayerError> {
    if autocast_kind(first.device()).is_some() {
        return Ok(None);
    }
    let mut inputs = Inputs(Vec::new());
    inputs.add(first)?;
    let mut places = Vec::with_capacity(layers.len());
    for (index, layer) in layers.iter().enumerate() {
        let dense = layers.get(index + 1).map(|next| &next.dense).or(output);
        places.push(HiddenPlaces {
            norm: layer.norm.as_ref().map(|norm| inputs.add_norm(norm, mode)).transpose()?,
            activation: match &layer.activation {
                Activation::Relu => ActivationPlaces::Constant(0.0),
                Activation::LeakyRelu => ActivationPlaces::Constant(0.01),
                Activation::Linear => ActivationPlaces::Constant(1.0),
                Activation::Sigmoid => ActivationPlaces::Sigmoid,
                Activation::Prelu(slope) => ActivationPlaces::Slope(inputs.add(slope)?),
                Activation::Dice(dice) => match dice.norm() {
                    Some(norm) => ActivationPlaces::Dice(inputs.add_norm(norm, mode)?, inputs.add(dice.alpha())?),
                    None => ActivationPlaces::RowDice(inputs.add(dice.alpha())?),
                },
            },
            dense: dense
                .map(|dense| Ok::<_, LayerError>((inputs.add(dense.weight())?, inputs.add(dense.bias())?)))
                .transpose()?,
        });
    }
    let Ok(kind @ (Kind::Float | Kind::Double)) = first.f_kind() else { return Ok(None) };
    let same = |tensor: &Tensor| tensor.device() == Device::Cpu && tensor.f_kind().is_ok_and(|of| of == kind);
    if !inputs.0.iter().all(same) {
        return Ok(None);
    }
    let mut outputs = Hidden::new(places).apply(&inputs.0)?.into_iter();
    let result = outputs.next();
    if mode.is_training() {
        let rows = first.size()[0];
        for layer in layers {
            let dice = if let Activation::Dice(dice) = &layer.activation { dice.norm() } else { None };
            for norm in layer.norm.iter().chain(dice) {
                if let Some((mean, variance)) = outputs.next().zip(outputs.next()) {
                    norm.move_towards(&mean, &variance, rows)?;
                }
            }
        }
    }
    Ok(result)
}

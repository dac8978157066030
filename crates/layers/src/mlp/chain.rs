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

/// Where the layers begin.
pub(super) enum Start<'a> {
    /// At the input of the first dense map, `[B, inputs]`.
    Input(&'a Tensor),
    /// At its result, `[B, hidden[0]]`.
    First(&'a Tensor),
}

/// The layers; with `output`, also that map of the last layer. `None` where there are no kernels for them, as under
/// autocast.
///
/// # Shapes
/// - → `[B, outputs]`
pub(super) fn forward(
    start: &Start<'_>,
    layers: &[Layer],
    output: Option<&Linear>,
    mode: Mode,
) -> Result<Option<Tensor>, LayerError> {
    let (Start::Input(rows) | Start::First(rows)) = start;
    if autocast_kind(rows.device()).is_some() {
        return Ok(None);
    }
    let mut inputs = Inputs(Vec::new());
    inputs.add(rows)?;
    let mut places = Vec::with_capacity(layers.len() + 1);
    if let (Start::Input(_), Some(first)) = (start, layers.first()) {
        // A layer that changes nothing, before the first map.
        let dense = Some((inputs.add(first.dense.weight())?, inputs.add(first.dense.bias())?));
        places.push(HiddenPlaces { norm: None, activation: ActivationPlaces::Identity, dense });
    }
    for (index, layer) in layers.iter().enumerate() {
        let dense = layers.get(index + 1).map(|next| &next.dense).or(output);
        places.push(HiddenPlaces {
            norm: layer.norm.as_ref().map(|norm| inputs.add_norm(norm, mode)).transpose()?,
            activation: match &layer.activation {
                Activation::Relu => ActivationPlaces::Constant(0.0),
                Activation::LeakyRelu => ActivationPlaces::Constant(0.01),
                Activation::Linear => ActivationPlaces::Identity,
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
    let Ok(kind @ (Kind::Float | Kind::Double)) = rows.f_kind() else { return Ok(None) };
    let same = |tensor: &Tensor| tensor.device() == Device::Cpu && tensor.f_kind().is_ok_and(|of| of == kind);
    if !inputs.0.iter().all(same) {
        return Ok(None);
    }
    let mut outputs = Hidden::new(places).apply(&inputs.0)?.into_iter();
    let result = outputs.next();
    if mode.is_training() {
        let rows = rows.size()[0];
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

//! The loss of a network that tells the event which followed a state from one that did not, with its gradients, in one
//! pass over the pairs.

mod entry;
mod inner;
mod layer;
mod network;
mod output;
mod products;
mod rows;
mod sums;
mod task;
mod turn;

use crate::error::{KernelError, check_length};
use crate::instruction_set::{Detected, InstructionSet};
use crate::pool::Pool;
use crate::problem::{check_offsets, length};
use crate::scalar::Real;
use crate::tasks::run_all;

use rows::{paired_rows, scale, tasks};

pub use inner::{inner_pair_loss, inner_pair_loss_with};
pub(crate) use network::Network;
pub(crate) use rows::PairTask;
pub(crate) use sums::Sums;
pub(crate) use task::run;

/// States and events of histories, sample after sample. The state of row `i` is paired with the events of row
/// `i + distance`, for every row where both are of one sample: `P` pairs.
#[derive(Clone, Copy, Debug)]
pub struct Pairs<'a, T> {
    /// Where the rows of each sample start, and the last one's end: `[B + 1]`, the last is `N`.
    pub offsets: &'a [u32],
    /// How far the events stand after their state: 1 for what followed, 0 for what stands side by side.
    pub distance: usize,
    /// `[N, state_width]`
    pub states: &'a [T],
    /// The events, `[N, event_width]`.
    pub clicks: &'a [T],
    /// In their place events that did not happen, `[N, event_width]`.
    pub others: &'a [T],
    /// What the mean over the pairs is multiplied by, and so are its gradients.
    pub factor: f64,
}

/// `y = x Wᵀ + b`.
#[derive(Clone, Copy, Debug)]
pub struct DenseLayer<'a, T> {
    /// `[outputs, inputs]`
    pub weight: &'a [T],
    /// `[outputs]`; its length says how many there are.
    pub bias: &'a [T],
}

/// A network that reads a state and an event side by side and gives a logit. The logistic function follows every layer
/// but the last.
#[derive(Clone, Copy, Debug)]
pub struct PairNetwork<'a, T> {
    /// Its inputs are the columns of the state, then those of the event.
    pub first: DenseLayer<'a, T>,
    /// The layers between the first and the last.
    pub hidden: &'a [DenseLayer<'a, T>],
    /// One output.
    pub last: DenseLayer<'a, T>,
}

/// Where the gradients of a [`DenseLayer`] go.
#[derive(Debug)]
pub struct DenseLayerGradients<'a, T> {
    /// `[outputs, inputs]`
    pub weight: &'a mut [T],
    /// `[outputs]`
    pub bias: &'a mut [T],
}

/// Where the gradients of [`pair_loss`] and [`inner_pair_loss`] go. What was in the buffers is overwritten; rows of no pair get zeros.
#[derive(Debug)]
pub struct PairGradients<'a, T> {
    /// Of [`Pairs::states`].
    pub states: &'a mut [T],
    /// Of [`Pairs::clicks`].
    pub clicks: &'a mut [T],
    /// Of [`Pairs::others`].
    pub others: &'a mut [T],
    /// Of the first layer, each of [`PairNetwork::hidden`], and the last; none for inner products.
    pub layers: Vec<DenseLayerGradients<'a, T>>,
}

/// The mean over `2P` entries of `−log σ(z)` for the clicks and `−log(1 − σ(z))` for the others, where `z` is the logit
/// of a state and an event, times [`Pairs::factor`]; and its gradients if they are asked for. With the widest vectors of this processor.
///
/// Deep Interest Evolution Network, section 4.2, <https://arxiv.org/abs/1809.03672>. The first layer is split,
/// `W·[h, e] = Wh·h + We·e`, and `Wh·h` is computed once for both events. A tile of rows goes through all layers and back
/// while it is in the nearest caches: nothing is kept of the hidden layers. Without pairs it is 0, and so are the
/// gradients. The result is the same to the last bit for any pool.
///
/// # Errors
/// [`KernelError`] names the buffer, its length and the length needed, or the width that is 0; nothing has been written
/// then.
pub fn pair_loss<T: Real>(
    state_width: usize,
    event_width: usize,
    pairs: &Pairs<'_, T>,
    network: &PairNetwork<'_, T>,
    gradients: Option<&mut PairGradients<'_, T>>,
    pool: &dyn Pool,
) -> Result<T, KernelError> {
    pair_loss_with(InstructionSet::best(), state_width, event_width, pairs, network, gradients, pool)
}

/// [`pair_loss`] with a chosen instruction set.
///
/// # Errors
/// As [`pair_loss`], and [`KernelError::Unavailable`] where the processor lacks the instructions.
pub fn pair_loss_with<T: Real>(
    set: InstructionSet,
    state_width: usize,
    event_width: usize,
    pairs: &Pairs<'_, T>,
    network: &PairNetwork<'_, T>,
    mut gradients: Option<&mut PairGradients<'_, T>>,
    pool: &dyn Pool,
) -> Result<T, KernelError> {
    let set = Detected::new(set)?;
    check(state_width, event_width, pairs, network, gradients.as_deref())?;
    let rows = paired_rows(pairs);
    let scale = scale(pairs, &rows);
    let network =
        Network::new(network, [state_width, event_width], T::lanes(set), gradients.is_some().then_some(scale));
    let work = tasks(pairs, [state_width, event_width], &rows, gradients.as_deref_mut());
    let parts = run_all(pool, work, |task| T::pair_loss(set, &network, task))?;
    let mut parts = parts.into_iter();
    let mut total = parts.next().unwrap_or_else(|| Sums::new(&network));
    for part in parts {
        total.merge(&part);
    }
    if let Some(gradients) = gradients {
        total.write(&network, &mut gradients.layers);
    }
    Ok(total.loss() * scale)
}

/// Checks everything.
fn check<T: Real>(
    state_width: usize,
    event_width: usize,
    pairs: &Pairs<'_, T>,
    network: &PairNetwork<'_, T>,
    gradients: Option<&PairGradients<'_, T>>,
) -> Result<(), KernelError> {
    check_pairs(state_width, event_width, pairs, gradients)?;
    let layers = || std::iter::once(&network.first).chain(network.hidden).chain([&network.last]);
    let mut inputs = state_width + event_width;
    for layer in layers() {
        if layer.bias.is_empty() {
            return Err(KernelError::Zero { name: "a layer's bias" });
        }
        check_length("weight", layer.weight.len(), layer.bias.len() * inputs)?;
        inputs = layer.bias.len();
    }
    check_length("the last layer's bias", network.last.bias.len(), 1)?;
    if let Some(gradients) = gradients {
        check_length("gradients of layers", gradients.layers.len(), layers().count())?;
        for (layer, gradients) in layers().zip(&gradients.layers) {
            check_length("gradient of weight", gradients.weight.len(), layer.weight.len())?;
            check_length("gradient of bias", gradients.bias.len(), layer.bias.len())?;
        }
    }
    Ok(())
}

/// Checks rows and the buffers of their gradients.
fn check_pairs<T>(
    state_width: usize,
    event_width: usize,
    pairs: &Pairs<'_, T>,
    gradients: Option<&PairGradients<'_, T>>,
) -> Result<(), KernelError> {
    for (name, width) in [("state width", state_width), ("event width", event_width)] {
        if width == 0 {
            return Err(KernelError::Zero { name });
        }
    }
    check_offsets(pairs.offsets)?;
    let events = pairs.offsets.last().map_or(0, |&events| events as usize);
    length("states", Some(pairs.states), events, state_width)?;
    length("clicks", Some(pairs.clicks), events, event_width)?;
    length("others", Some(pairs.others), events, event_width)?;
    if let Some(gradients) = gradients {
        check_length("gradient of states", gradients.states.len(), pairs.states.len())?;
        check_length("gradient of clicks", gradients.clicks.len(), pairs.clicks.len())?;
        check_length("gradient of others", gradients.others.len(), pairs.others.len())?;
    }
    Ok(())
}

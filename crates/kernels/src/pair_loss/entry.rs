//! One entry of the loss: a logit, and whether its event happened.

use crate::activation::{log_1p, negative_exponential, sigmoid};
use crate::level::Level;
use crate::scalar::Scalar;

/// `−log σ(z)` for an event that happened, `−log(1 − σ(z))` for one that did not: `log(1 + exp(x))` for `−z` or `z`.
#[inline(always)]
pub(super) fn entry_loss<T: Scalar, L: Level>(logit: T, happened: bool) -> T {
    let x = if happened { T::ZERO - logit } else { logit };
    let positive = if x < T::ZERO { T::ZERO } else { x };
    let magnitude = if x < T::ZERO { T::ZERO - x } else { x };
    positive + log_1p::<T, L>(negative_exponential::<T, L>(magnitude))
}

/// The derivative of [`entry_loss`].
#[inline(always)]
pub(super) fn entry_slope<T: Scalar, L: Level>(logit: T, happened: bool) -> T {
    sigmoid::<T, L>(logit) - if happened { T::ONE } else { T::ZERO }
}

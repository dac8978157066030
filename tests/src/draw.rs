//! Numbers that look drawn and are the same in every run.

use std::collections::BTreeMap;

use tch::{Kind, Tensor, nn};

use crate::GoldenError;

/// Numbers between −1 and 1, by their seed alone: libtorch's generator is shared by all tests of a process.
///
/// # Errors
/// [`GoldenError::Torch`] when `size` is not the shape of a tensor.
pub fn draw(seed: u64, size: &[i64], kind: Kind) -> Result<Tensor, GoldenError> {
    let mut state = seed;
    let count: i64 = size.iter().product();
    let numbers: Vec<f64> = (0..count)
        .map(|_| {
            // SplitMix64.
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut bits = state;
            bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            bits ^= bits >> 31;
            (bits >> 11) as f64 / (1u64 << 52) as f64 - 1.0
        })
        .collect();
    Ok(Tensor::f_from_slice(&numbers)?.f_reshape(size)?.f_to_kind(kind)?)
}

/// Gives every variable of a layer drawn values of `kind`; running variances lie between 0.5 and 1.5.
///
/// # Errors
/// [`GoldenError::Torch`] when libtorch refuses.
pub fn draw_variables(
    store: &mut nn::VarStore,
    seed: u64,
    kind: Kind,
) -> Result<BTreeMap<String, Tensor>, GoldenError> {
    store.set_kind(kind);
    let variables: BTreeMap<String, Tensor> = store.variables().into_iter().collect();
    for (index, (name, variable)) in variables.iter().enumerate() {
        let mut value = draw(seed.wrapping_add(index as u64), &variable.size(), kind)?;
        if name.ends_with("running_var") {
            value = value.f_abs()?.f_add_scalar(0.5)?;
        }
        tch::no_grad(|| variable.shallow_clone().f_copy_(&value))?;
    }
    Ok(variables)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn a_seed_gives_its_numbers_and_no_others() {
        let numbers = |seed| Vec::<f64>::try_from(draw(seed, &[500], Kind::Double).unwrap()).unwrap();
        assert_eq!(numbers(3), numbers(3));
        assert_ne!(numbers(3), numbers(4));
        assert!(numbers(3).iter().all(|number| (-1.0..1.0).contains(number)));
        let mean = numbers(3).iter().sum::<f64>() / 500.0;
        assert!(mean.abs() < 0.1, "{mean}");
        assert_eq!(draw(3, &[0, 2], Kind::Float).unwrap().size(), [0, 2]);
    }
}

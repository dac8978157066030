//! Sigmoid and hyperbolic tangent, written so that a loop over them becomes vector instructions.
//!
//! `exp(-x) = 2^n · exp(r)` with `n` the whole number next to `-x / ln 2` and `r` the rest, `|r| <= ln 2 / 2`. No branch,
//! no table; comparisons are written so that NaN passes.

use crate::level::Level;
use crate::scalar::Scalar;

/// `left * right + addend`: in one instruction where there is one, else in two.
#[inline(always)]
pub(crate) fn multiply_add<T: Scalar, L: Level>(left: T, right: T, addend: T) -> T {
    if L::FUSED { left.fused(right, addend) } else { left * right + addend }
}

/// `Σ_i left[i] · right[i]`, summed in `W` lanes.
#[inline(always)]
pub(crate) fn inner_product<T: Scalar, L: Level, const W: usize>(left: &[T], right: &[T]) -> T {
    let (left, right) = (left.as_chunks::<W>(), right.as_chunks::<W>());
    let mut sums = [T::ZERO; W];
    for (left, right) in left.0.iter().zip(right.0) {
        for w in 0..W {
            sums[w] = multiply_add::<T, L>(left[w], right[w], sums[w]);
        }
    }
    let mut sum = T::ZERO;
    for lane in sums {
        sum += lane;
    }
    for (&left, &right) in left.1.iter().zip(right.1) {
        sum = multiply_add::<T, L>(left, right, sum);
    }
    sum
}

/// `1 / (1 + exp(-x))`.
#[inline(always)]
pub(crate) fn sigmoid<T: Scalar, L: Level>(x: T) -> T {
    sigmoids::<T, L, 1>([x])[0]
}

/// [`sigmoid`] of several numbers, step by step side by side: each step waits for the one before.
#[inline(always)]
pub(crate) fn sigmoids<T: Scalar, L: Level, const P: usize>(x: [T; P]) -> [T; P] {
    // An exponential that is infinite makes the quotient 0; an inverse that is made step by step has to be told.
    let lowest = if L::DIVIDES { T::EXP_INFINITE } else { T::EXP_LOWEST };
    let parts = reduce::<T, L, P>(each(x, |x| clamp(x, lowest, T::EXP_HIGHEST)));
    let series = series::<T, L, P>(parts);
    let series = both(series, parts, |series, (_, rest)| multiply_add::<T, L>(series, rest, -T::ONE));
    let powers = both(series, parts, |series, (_, rest)| multiply_add::<T, L>(series, rest, T::ONE));
    let divisors = both(parts, powers, |(scale, _), power| multiply_add::<T, L>(scale, power, T::ONE));
    let results = T::over::<L, P>([T::ONE; P], divisors);
    if L::DIVIDES {
        return results;
    }
    both(x, results, |x, result| if x < T::EXP_LOWEST { T::ZERO } else { result })
}

/// [`sigmoid`] of every number of some vectors, two of them side by side.
#[inline(always)]
pub(crate) fn sigmoids_of<T: Scalar, L: Level, const W: usize>(vectors: &mut [[T; W]]) {
    let (pairs, rest) = vectors.as_chunks_mut::<2>();
    for pair in pairs {
        *pair = side_by_side::<T, L, W, 2>(pair);
    }
    for vector in rest {
        [*vector] = side_by_side::<T, L, W, 1>(&[*vector]);
    }
}

/// [`sigmoid`] of every number of `P` vectors side by side.
#[inline(always)]
fn side_by_side<T: Scalar, L: Level, const W: usize, const P: usize>(x: &[[T; W]; P]) -> [[T; W]; P] {
    let mut results = *x;
    for w in 0..W {
        let mut lane = [T::ZERO; P];
        for p in 0..P {
            lane[p] = x[p][w];
        }
        let lane = sigmoids::<T, L, P>(lane);
        for p in 0..P {
            results[p][w] = lane[p];
        }
    }
    results
}

/// [`sigmoid`] of a number from -1 to 1, of a quarter of the instructions: there it is 1/2 and a short odd polynomial.
#[inline(always)]
pub(crate) fn sigmoid_within_one<T: Scalar, L: Level>(x: T) -> T {
    let (first, coefficients) = T::SIGMOID_SERIES;
    let (square, mut series) = (x * x, first);
    for &coefficient in coefficients {
        series = multiply_add::<T, L>(series, square, coefficient);
    }
    multiply_add::<T, L>(x, series, T::HALF)
}

/// `(1 - exp(-2x)) / (1 + exp(-2x))` of several numbers, as [`sigmoids`]; the numerator is computed without
/// cancellation, so that small results are exact too.
#[inline(always)]
pub(crate) fn tanhs<T: Scalar, L: Level, const P: usize>(x: [T; P]) -> [T; P] {
    let exponents = negative_exponents::<T, L, P>(each(x, |x| {
        let x = clamp(x, -T::TANH_ONE, T::TANH_ONE);
        x + x
    }));
    let differences = each(exponents, |(scale, rest)| multiply_add::<T, L>(-scale, rest, T::ONE - scale));
    T::over::<L, P>(differences, each(differences, |difference| T::ONE + T::ONE - difference))
}

/// `exp(-x)` for `x` from 0 on.
#[inline(always)]
pub(crate) fn negative_exponential<T: Scalar, L: Level>(x: T) -> T {
    let [(scale, rest)] = negative_exponents::<T, L, 1>([clamp(x, T::ZERO, T::EXP_HIGHEST)]);
    multiply_add::<T, L>(scale, rest, scale)
}

/// `log(1 + x)` for `x` from 0 to 1.
///
/// It is `2 artanh(s)` with `s = x / (2 + x)`, at most 1/3, and so `2 s (1 + s²/3 + s⁴/5 + …)`; the first missing term is
/// below 2e-9 (`f32`) or 4e-18 (`f64`).
#[inline(always)]
pub(crate) fn log_1p<T: Scalar, L: Level>(x: T) -> T {
    let two = T::ONE + T::ONE;
    let s = x / (two + x);
    let square = s * s;
    let mut series = T::ZERO;
    for term in (0..T::LOG_TERMS).rev() {
        series = multiply_add::<T, L>(series, square, T::from_f64(1.0 / f64::from(2 * term + 1)));
    }
    two * s * series
}

/// `(2^n, exp(-r) - 1)`, whose exponents add up to `-x`.
#[inline(always)]
fn negative_exponents<T: Scalar, L: Level, const P: usize>(x: [T; P]) -> [(T, T); P] {
    let parts = reduce::<T, L, P>(x);
    let series = series::<T, L, P>(parts);
    both(parts, series, |(scale, rest), series| (scale, multiply_add::<T, L>(rest * rest, series, -rest)))
}

/// `(2^n, r)` with `r - n · ln 2 = x`.
#[inline(always)]
fn reduce<T: Scalar, L: Level, const P: usize>(x: [T; P]) -> [(T, T); P] {
    let shifted = each(x, |x| multiply_add::<T, L>(x, -T::LOG2_E, T::ROUND));
    let whole = each(shifted, |shifted| shifted - T::ROUND);
    let rest = match T::LN_2 {
        // The product is not rounded.
        Some(ln_2) if L::FUSED => both(whole, x, |whole, x| multiply_add::<T, L>(whole, ln_2, x)),
        _ => {
            let rest = both(whole, x, |whole, x| multiply_add::<T, L>(whole, T::LN_2_HIGH, x));
            both(whole, rest, |whole, rest| multiply_add::<T, L>(whole, T::LN_2_LOW, rest))
        }
    };
    both(shifted, rest, |shifted, rest| (shifted.power_of_two(), rest))
}

/// `(exp(-r) - 1 + r) / r²`.
#[inline(always)]
fn series<T: Scalar, L: Level, const P: usize>(parts: [(T, T); P]) -> [T; P] {
    let (first, coefficients) = T::EXP_SERIES;
    let mut series = [first; P];
    for &coefficient in coefficients {
        series = both(series, parts, |series, (_, rest)| multiply_add::<T, L>(series, rest, coefficient));
    }
    series
}

/// `operation` of each number; written as a loop, which is inlined for certain.
#[inline(always)]
pub(crate) fn each<T: Copy, U: Copy + Default, const P: usize>(x: [T; P], operation: impl Fn(T) -> U) -> [U; P] {
    let mut results = [U::default(); P];
    for p in 0..P {
        results[p] = operation(x[p]);
    }
    results
}

/// As [`each`], of two numbers.
#[inline(always)]
pub(crate) fn both<T: Copy, U: Copy, V: Copy + Default, const P: usize>(
    x: [T; P],
    y: [U; P],
    operation: impl Fn(T, U) -> V,
) -> [V; P] {
    let mut results = [V::default(); P];
    for p in 0..P {
        results[p] = operation(x[p], y[p]);
    }
    results
}

#[inline(always)]
fn clamp<T: Scalar>(x: T, lowest: T, highest: T) -> T {
    let x = if x > highest { highest } else { x };
    if x < lowest { lowest } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::{Operation, Portable};

    fn tanh<T: Scalar, L: Level>(x: T) -> T {
        tanhs::<T, L, 1>([x])[0]
    }

    /// Multiplies and adds in one, by software where it must be.
    #[derive(Clone, Copy)]
    struct Fused;

    impl Level for Fused {
        const FUSED: bool = true;
        const DIVIDES: bool = false;
        const EVENTS: usize = 1;

        fn run<O: Operation>(self, operation: O) -> O::Output {
            operation.run(self)
        }
    }

    /// As AVX2 does it.
    #[derive(Clone, Copy)]
    struct FusedDivides;

    impl Level for FusedDivides {
        const FUSED: bool = true;
        const DIVIDES: bool = true;
        const EVENTS: usize = 1;

        fn run<O: Operation>(self, operation: O) -> O::Output {
            operation.run(self)
        }
    }

    /// `f64` results at arguments from -40 to 40, and close to 0.
    fn arguments() -> impl Iterator<Item = f64> {
        let coarse = (-40_000..=40_000).map(|index| f64::from(index) * 1e-3);
        let fine = (-300i32..=300).map(|index| f64::from(index).signum() * 10f64.powi(-index.abs() / 10));
        coarse.chain(fine)
    }

    fn exact_sigmoid(x: f64) -> f64 {
        1.0 / (1.0 + (-x).exp())
    }

    #[test]
    fn double_precision_holds_to_a_few_units_of_the_last_place() {
        for x in arguments() {
            for (result, expected) in [
                (sigmoid::<f64, Portable>(x), exact_sigmoid(x)),
                (sigmoid::<f64, Fused>(x), exact_sigmoid(x)),
                (tanh::<f64, Portable>(x), x.tanh()),
                (tanh::<f64, Fused>(x), x.tanh()),
            ] {
                let error = (result - expected).abs();
                assert!(error <= 4.0 * f64::EPSILON * expected.abs(), "at {x}: {result} is not {expected}");
            }
        }
    }

    #[test]
    fn single_precision_holds_to_a_few_units_of_the_last_place() {
        for x in arguments().map(|x| x as f32) {
            let exact = f64::from(x);
            for (result, expected) in [
                (sigmoid::<f32, Portable>(x), exact_sigmoid(exact)),
                (sigmoid::<f32, Fused>(x), exact_sigmoid(exact)),
                (sigmoid::<f32, FusedDivides>(x), exact_sigmoid(exact)),
                (tanh::<f32, Portable>(x), exact.tanh()),
                (tanh::<f32, Fused>(x), exact.tanh()),
                (tanh::<f32, FusedDivides>(x), exact.tanh()),
            ] {
                let error = (f64::from(result) - expected).abs();
                assert!(error <= 2.0 * f64::from(f32::EPSILON) * expected.abs(), "at {x}: {result} is not {expected}");
            }
        }
    }

    #[test]
    fn the_short_sigmoid_holds_to_a_few_units_of_the_last_place() {
        for x in arguments().filter(|x| x.abs() <= 1.0) {
            let (double, single) = (sigmoid_within_one::<f64, Fused>(x), sigmoid_within_one::<f32, Portable>(x as f32));
            let (exact, exact_single) = (exact_sigmoid(x), exact_sigmoid(f64::from(x as f32)));
            assert!((double - exact).abs() <= 2.0 * f64::EPSILON * exact, "at {x}: {double} is not {exact}");
            let error = (f64::from(single) - exact_single).abs();
            assert!(error <= f64::from(f32::EPSILON) * exact_single, "at {x}: {single} is not {exact_single}");
        }
        assert!(sigmoid_within_one::<f32, Fused>(f32::NAN).is_nan());
    }

    #[test]
    fn the_logarithm_holds_to_a_few_units_of_the_last_place() {
        for index in 0..=10_000 {
            let x = f64::from(index) * 1e-4;
            let (double, single) = (log_1p::<f64, Fused>(x), log_1p::<f32, Fused>(x as f32));
            let (exact, exact_single) = (x.ln_1p(), f64::from(x as f32).ln_1p());
            assert!((double - exact).abs() <= 4.0 * f64::EPSILON * exact, "at {x}: {double} is not {exact}");
            let error = (f64::from(single) - exact_single).abs();
            assert!(error <= 2.0 * f64::from(f32::EPSILON) * exact_single, "at {x}: {single} is not {exact_single}");
        }
    }

    #[test]
    #[allow(clippy::float_cmp, reason = "saturation is exact")]
    fn far_arguments_give_exact_limits() {
        for x in [1e4, f32::MAX, f32::INFINITY] {
            assert_eq!((sigmoid::<f32, Fused>(x), sigmoid::<f32, Fused>(-x)), (1.0, 0.0));
            assert_eq!((tanh::<f32, Fused>(x), tanh::<f32, Fused>(-x)), (1.0, -1.0));
            assert_eq!((sigmoid::<f32, FusedDivides>(x), sigmoid::<f32, FusedDivides>(-x)), (1.0, 0.0));
        }
        for x in [1e4, f64::MAX, f64::INFINITY] {
            assert_eq!((sigmoid::<f64, Portable>(x), sigmoid::<f64, Portable>(-x)), (1.0, 0.0));
            assert_eq!((tanh::<f64, Portable>(x), tanh::<f64, Portable>(-x)), (1.0, -1.0));
            assert_eq!((sigmoid::<f64, FusedDivides>(x), sigmoid::<f64, FusedDivides>(-x)), (1.0, 0.0));
        }
        assert_eq!((sigmoid::<f32, Fused>(0.0), tanh::<f32, Fused>(0.0)), (0.5, 0.0));
    }

    #[test]
    fn sigmoid_falls_to_zero_without_a_jump() {
        for index in 0..4000 {
            let x = -80.0 - index as f32 * 0.01;
            let expected = exact_sigmoid(f64::from(x));
            for result in [sigmoid::<f32, Fused>(x), sigmoid::<f32, FusedDivides>(x)] {
                let error = (f64::from(result) - expected).abs();
                // Below the normal numbers the result is 0.
                assert!(error <= 1e-6 * expected || error <= f64::from(f32::MIN_POSITIVE), "at {x}");
            }
        }
    }

    #[test]
    fn quotients_are_wrong_by_one_unit_at_most() {
        // The numerators of a sigmoid and of a tanh.
        let divisors = (0..125_000).map(|index| 2.0f32.powf(index as f32 * 1e-3));
        let small = (0..4096).map(|index| 1.0 + index as f32 / 4096.0);
        for divisor in divisors.chain(small) {
            for number in [1.0, divisor - 2.0] {
                let [quotient] = f32::over::<Fused, 1>([number], [divisor]);
                let exact = f64::from(number) / f64::from(divisor);
                let error = (f64::from(quotient) - exact).abs();
                assert!(error <= exact.abs() * f64::from(f32::EPSILON), "{number} / {divisor} is not {quotient}");
            }
        }
    }

    #[test]
    fn numbers_side_by_side_do_not_touch_each_other() {
        let x = [-3.0f32, f32::NAN, 100.0, 0.25];
        let (side_by_side, tanh_side_by_side) = (sigmoids::<_, Fused, 4>(x), tanhs::<_, Fused, 4>(x));
        for p in 0..4 {
            assert_eq!(side_by_side[p].to_bits(), sigmoid::<_, Fused>(x[p]).to_bits());
            assert_eq!(tanh_side_by_side[p].to_bits(), tanh::<_, Fused>(x[p]).to_bits());
        }
    }

    #[test]
    fn not_a_number_stays() {
        assert!(sigmoid::<f32, Fused>(f32::NAN).is_nan());
        assert!(sigmoid::<f32, FusedDivides>(f32::NAN).is_nan());
        assert!(tanh::<f32, Portable>(f32::NAN).is_nan());
        assert!(sigmoid::<f64, Portable>(f64::NAN).is_nan());
        assert!(tanh::<f64, Fused>(f64::NAN).is_nan());
    }
}

//! The two element types and the numbers that their exponential needs.

use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use crate::activation::{both, each};
use crate::entry::Entry;
use crate::level::Level;

/// An element type of the kernels: `f32` or `f64`.
#[allow(private_bounds, reason = "nobody else implements this trait, and what it needs is the kernels' own affair")]
pub trait Real: Scalar {}

impl Real for f32 {}
impl Real for f64 {}

/// What the kernels need of an element.
pub(crate) trait Scalar:
    Copy
    + Debug
    + Default
    + PartialOrd
    + Add<Output = Self>
    + AddAssign
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + Send
    + Sync
    + Entry
    + 'static
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// 1/2.
    const HALF: Self;
    /// log2(e).
    const LOG2_E: Self;
    /// ln 2, where the nearest number is close enough for its multiples up to the largest exponent.
    const LN_2: Option<Self>;
    /// ln 2 with so few bits that its product with a small whole number is exact.
    const LN_2_HIGH: Self;
    /// What is missing in [`Self::LN_2_HIGH`].
    const LN_2_LOW: Self;
    /// Adding this number rounds to a whole number, which then stands in the low bits, already as the exponent of a
    /// power of two.
    const ROUND: Self;
    /// Below this argument `1 / (1 + exp(-x))` is less than the normal numbers, and taken as 0.
    const EXP_LOWEST: Self;
    /// At this argument `exp(-x)` is infinite.
    const EXP_INFINITE: Self;
    /// From this argument on `exp(-x)` is taken as 0.
    const EXP_HIGHEST: Self;
    /// From this argument on the hyperbolic tangent is 1 in this type.
    const TANH_ONE: Self;
    /// `(exp(-s) - 1 + s) / s²` for `|s| <= ln 2 / 2`: coefficients, the highest power before the others.
    const EXP_SERIES: (Self, &'static [Self]);
    /// `(1 / (1 + exp(-x)) - 1/2) / x` in powers of `x²` for `|x| <= 1`: coefficients, the highest power before the others.
    const SIGMOID_SERIES: (Self, &'static [Self]);
    /// Terms of the series of the logarithm.
    const LOG_TERMS: i32;

    /// `self * factor + addend`, in one rounding.
    fn fused(self, factor: Self, addend: Self) -> Self;
    /// The square root, rounded correctly.
    fn sqrt(self) -> Self;
    /// The nearest number of this type.
    fn from_f64(number: f64) -> Self;
    /// The same number.
    fn to_f64(self) -> f64;
    /// 2 to the power `n`, where `self` is `n + ROUND`; 0 one step below the normal numbers.
    fn power_of_two(self) -> Self;
    /// `numbers / divisors` for divisors from 1 to the largest whose inverse is a normal number. Where the level does not
    /// divide, a quotient may be wrong by one unit of the last place, and by a few for the last divisors, from `2^125` on.
    fn over<L: Level, const P: usize>(numbers: [Self; P], divisors: [Self; P]) -> [Self; P];
}

impl Scalar for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const HALF: Self = 0.5;
    const LOG2_E: Self = std::f32::consts::LOG2_E;
    // Wrong by 1.9e-9, and so by 2.4e-7 at most.
    const LN_2: Option<Self> = Some(std::f32::consts::LN_2);
    const LN_2_HIGH: Self = 0.693_359_4;
    const LN_2_LOW: Self = -2.121_944_4e-4;
    const ROUND: Self = 12_582_912.0 + 127.0;
    const EXP_LOWEST: Self = -87.336_5;
    const EXP_INFINITE: Self = -88.8;
    const EXP_HIGHEST: Self = 88.0;
    const TANH_ONE: Self = 10.0;
    // Fitted so that the largest relative error of the exponential, 3.1e-9, is the least.
    const EXP_SERIES: (Self, &'static [Self]) =
        (1.381_442_8e-3, &[-8.368_786e-3, 4.166_839_6e-2, -1.666_652e-1, 4.999_999_4e-1]);
    // Fitted so that the largest error of the logistic function, 1.5e-9, is the least.
    const SIGMOID_SERIES: (Self, &'static [Self]) =
        (1.634_528e-5, &[-2.061_020_7e-4, 2.081_339_2e-3, -2.083_298_5e-2, 2.499_999_8e-1]);
    const LOG_TERMS: i32 = 8;

    #[inline(always)]
    fn fused(self, factor: Self, addend: Self) -> Self {
        self.mul_add(factor, addend)
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        self.sqrt()
    }

    #[inline(always)]
    fn from_f64(number: f64) -> Self {
        number as Self
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    #[inline(always)]
    fn power_of_two(self) -> Self {
        Self::from_bits(self.to_bits() << 23)
    }

    #[inline(always)]
    fn over<L: Level, const P: usize>(numbers: [Self; P], divisors: [Self; P]) -> [Self; P] {
        if L::DIVIDES {
            return both(numbers, divisors, |number, divisor| number / divisor);
        }
        // The exponent's sign is turned by a subtraction of bits, which leaves an error of 5 % at most; then three terms
        // of 1 / (1 - error), and one step of Newton's method on the quotient.
        let inverses = each(divisors, |divisor| Self::from_bits(0x7ef3_0000_u32.wrapping_sub(divisor.to_bits())));
        let errors = both(divisors, inverses, |divisor, inverse| (-divisor).mul_add(inverse, 1.0));
        let terms = each(errors, |error| error.mul_add(error, error));
        let inverses = both(terms, inverses, |terms, inverse| terms.mul_add(inverse, inverse));
        let quotients = both(numbers, inverses, |number, inverse| number * inverse);
        let products = both(divisors, quotients, |divisor, quotient| (-divisor, quotient));
        let errors = both(products, numbers, |(divisor, quotient), number| divisor.mul_add(quotient, number));
        both(both(errors, inverses, |error, inverse| (error, inverse)), quotients, |(error, inverse), quotient| {
            error.mul_add(inverse, quotient)
        })
    }
}

impl Scalar for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const HALF: Self = 0.5;
    const LOG2_E: Self = std::f64::consts::LOG2_E;
    const LN_2: Option<Self> = None;
    const LN_2_HIGH: Self = 6.931_471_803_691_238e-1;
    const LN_2_LOW: Self = 1.908_214_929_270_587_7e-10;
    const ROUND: Self = 6_755_399_441_055_744.0 + 1023.0;
    const EXP_LOWEST: Self = -708.396_4;
    const EXP_INFINITE: Self = -709.9;
    const EXP_HIGHEST: Self = 709.0;
    const TANH_ONE: Self = 20.0;
    // Taylor's series: its first missing term is below 4e-18.
    const EXP_SERIES: (Self, &'static [Self]) = (
        -1.0 / 6_227_020_800.0,
        &[
            1.0 / 479_001_600.0,
            -1.0 / 39_916_800.0,
            1.0 / 3_628_800.0,
            -1.0 / 362_880.0,
            1.0 / 40_320.0,
            -1.0 / 5_040.0,
            1.0 / 720.0,
            -1.0 / 120.0,
            1.0 / 24.0,
            -1.0 / 6.0,
            1.0 / 2.0,
        ],
    );
    // Fitted in the same way; the largest error is 1.3e-17.
    const SIGMOID_SERIES: (Self, &'static [Self]) = (
        -1.367_210_292_319_413_7e-10,
        &[
            2.065_518_776_339_347_5e-9,
            -2.199_304_260_128_806e-8,
            2.190_807_510_018_267_3e-7,
            -2.163_797_029_955_19e-6,
            2.135_689_870_717_886_8e-5,
            -2.108_134_877_691_489e-4,
            2.083_333_332_904_591_5e-3,
            -2.083_333_333_331_368e-2,
            2.499_999_999_999_997_3e-1,
        ],
    );
    const LOG_TERMS: i32 = 17;

    #[inline(always)]
    fn fused(self, factor: Self, addend: Self) -> Self {
        self.mul_add(factor, addend)
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        self.sqrt()
    }

    #[inline(always)]
    fn from_f64(number: f64) -> Self {
        number
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }

    #[inline(always)]
    fn power_of_two(self) -> Self {
        Self::from_bits(self.to_bits() << 52)
    }

    #[inline(always)]
    fn over<L: Level, const P: usize>(numbers: [Self; P], divisors: [Self; P]) -> [Self; P] {
        both(numbers, divisors, |number, divisor| number / divisor)
    }
}

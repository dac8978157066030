//! How far a number may lie from the golden one.

use crate::GoldenError;

/// The float kind a layer is run in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precision {
    /// float32, as in training.
    Single,
    /// float64, which leaves no room for a wrong formula.
    Double,
}

impl Precision {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Single, Self::Double];

    /// The kind of tensors in this precision.
    pub fn kind(self) -> tch::Kind {
        match self {
            Self::Single => tch::Kind::Float,
            Self::Double => tch::Kind::Double,
        }
    }
}

/// `|x − reference| ≤ absolute + relative · |reference|`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    /// Allowed everywhere.
    pub absolute: f64,
    /// Allowed on top, as a share of the reference.
    pub relative: f64,
}

impl Tolerance {
    /// The same bound, absolute and relative.
    pub fn both(bound: f64) -> Self {
        Self { absolute: bound, relative: bound }
    }

    /// How far `got` may lie from `expected`.
    pub fn allowed(self, expected: f64) -> f64 {
        self.absolute + self.relative * expected.abs()
    }

    /// The distance as a share of what is allowed: at most 1 when the tolerance is met, never met by a NaN.
    pub fn share(self, got: f64, expected: f64) -> f64 {
        let share = (got - expected).abs() / self.allowed(expected);
        if share.is_nan() { f64::INFINITY } else { share }
    }
}

/// The tolerances of one section of a case, by what is compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Of outputs.
    pub out: Tolerance,
    /// Of gradients with respect to inputs.
    pub grad_in: Tolerance,
    /// Of gradients with respect to parameters.
    pub grad: Tolerance,
    /// Of buffers after the forward pass.
    pub buffer: Tolerance,
}

impl Bounds {
    /// One tolerance for everything.
    pub fn all(tolerance: Tolerance) -> Self {
        Self { out: tolerance, grad_in: tolerance, grad: tolerance, buffer: tolerance }
    }

    /// The tolerance of the part `out`, `grad_in`, `grad` or `buffer`.
    ///
    /// # Errors
    /// [`GoldenError::Fixture`] for any other part.
    pub fn of(&self, part: &str) -> Result<Tolerance, GoldenError> {
        match part {
            "out" => Ok(self.out),
            "grad_in" => Ok(self.grad_in),
            "grad" => Ok(self.grad),
            "buffer" => Ok(self.buffer),
            _ => Err(GoldenError::Fixture {
                place: "a section".to_owned(),
                problem: format!("{part:?} is none of out, grad_in, grad, buffer"),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLERANCE: Tolerance = Tolerance { absolute: 2e-6, relative: 1e-5 };

    #[test]
    fn the_bound_grows_with_the_reference() {
        assert!((TOLERANCE.allowed(-3.0) - 3.2e-5).abs() < 1e-18);
        assert!(TOLERANCE.share(-3.000_03, -3.0) < 1.0);
        assert!(TOLERANCE.share(-3.000_04, -3.0) > 1.0);
    }

    #[test]
    fn nan_and_infinity_never_meet_a_number() {
        for got in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(TOLERANCE.share(got, 0.0) > 1.0);
        }
        assert!(TOLERANCE.share(f64::NAN, f64::NAN) > 1.0);
    }

    #[test]
    fn an_unknown_part_is_refused() {
        let bounds = Bounds::all(TOLERANCE);
        assert_eq!(bounds.of("grad").ok(), Some(TOLERANCE));
        let error = bounds.of("gradient").map_err(|error| error.to_string());
        assert_eq!(error, Err("a section: \"gradient\" is none of out, grad_in, grad, buffer".to_owned()));
    }
}

//! What the layers' own loops need of an element.

use fain_autograd::Element;
use fain_kernels::Real;

/// An element of the kernels that a setting can be turned into.
pub(crate) trait Number: Element + Real {
    /// The nearest number of this type.
    fn of(setting: f64) -> Self;
}

impl Number for f32 {
    fn of(setting: f64) -> Self {
        setting as Self
    }
}

impl Number for f64 {
    fn of(setting: f64) -> Self {
        setting
    }
}

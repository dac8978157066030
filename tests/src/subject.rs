//! What a layer must offer to be held to golden values.

use std::collections::BTreeMap;

use fain_layers::{LayerError, Mode};
use tch::{Tensor, nn};

use crate::{Case, Exclusion, GoldenError, Inputs, Section, Tolerance};

/// A built layer: from inputs to outputs, each with the name that the fixture gives it.
pub type Forward = Box<dyn Fn(&Inputs, Mode) -> Result<Vec<(&'static str, Tensor)>, GoldenError>>;

/// A layer under test.
pub trait Subject {
    /// Registers the layer's variables for the configuration of `case`.
    ///
    /// # Errors
    /// [`GoldenError::Layer`] when the layer refuses; [`GoldenError::Form`] or [`GoldenError::Fixture`] when the case
    /// asks for what the layer does not have.
    fn build(&self, variables: &nn::Path<'_>, case: &Case) -> Result<Forward, GoldenError>;

    /// As [`Subject::build`], where sections of one case are run in different ways.
    ///
    /// # Errors
    /// As [`Subject::build`].
    fn build_for(&self, variables: &nn::Path<'_>, case: &Case, _section: &Section) -> Result<Forward, GoldenError> {
        self.build(variables, case)
    }

    /// Copies the fixture's parameters and buffers into `store` as users would, and gives our name of each by the
    /// fixture's. `None` where the names come from [`Subject::rename_in`].
    ///
    /// # Errors
    /// As [`Subject::build`], and what the reader of the values gives.
    fn load(&self, _case: &Case, _store: &nn::VarStore) -> Result<Option<BTreeMap<String, String>>, GoldenError> {
        Ok(None)
    }

    /// Our name of the variable that the fixture calls `reference`.
    fn rename(&self, reference: &str) -> String {
        reference.to_owned()
    }

    /// As [`Subject::rename`], where the name depends on the case: a reference that numbers its layers through, for
    /// example.
    ///
    /// # Errors
    /// As [`Subject::build`].
    fn rename_in(&self, _case: &Case, reference: &str) -> Result<String, GoldenError> {
        Ok(self.rename(reference))
    }

    /// A parameter or buffer of the fixture as ours is laid out.
    ///
    /// # Errors
    /// As [`Subject::build`].
    fn import(&self, _case: &Case, _reference: &str, value: &Tensor) -> Result<Tensor, GoldenError> {
        Ok(value.shallow_clone())
    }

    /// The way back: our variable, or its gradient, as the fixture's is laid out.
    ///
    /// # Errors
    /// As [`Subject::build`].
    fn export(&self, _case: &Case, _reference: &str, value: &Tensor) -> Result<Tensor, GoldenError> {
        Ok(value.shallow_clone())
    }

    /// Inputs that are padded by the input `lengths` and do not have the shape `[B, T, D]`, by which others are found.
    fn sequences(&self) -> &[&str] {
        &[]
    }

    /// A word for the report where a fixture is held against several subjects.
    fn variant(&self) -> Option<&'static str> {
        None
    }

    /// Why `tensor` (`out/y`, `grad/weight`, …) of a section is not held to its golden value, if it is not;
    /// for the `refusal` of a section without golden values, why the layer need not refuse.
    ///
    /// # Errors
    /// As [`Subject::build`].
    fn excluded(
        &self,
        _case: &Case,
        _section: &Section,
        _tensor: &str,
    ) -> Result<Option<&'static Exclusion>, GoldenError> {
        Ok(None)
    }

    /// What a float64 run is held to.
    fn double(&self, _case: &Case) -> Tolerance {
        Tolerance::both(1e-9)
    }

    /// Whether this is the error that a section without golden values asks for.
    fn is_expected(&self, error: &GoldenError) -> bool {
        matches!(error, GoldenError::Layer(LayerError::TooFewRows { .. }))
    }
}

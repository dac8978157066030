//! What whole models as subjects have in common: features from fixtures, and weights by a mapping.

use std::collections::BTreeMap;
use std::path::Path;

use fain_models::{
    FeatureSpace, ImportError, InputColumn, InterestConfig, ModelError, SpaceFeature, SpaceKind, StateDict,
    WeightMapping, import_state,
};
use fain_tests::{Case, GoldenError, Inputs, Padding};
use tch::{Tensor, nn};

/// The error of a layer in a model is that layer's.
pub(crate) fn refused(error: ModelError) -> GoldenError {
    match error {
        ModelError::Layer(error) => error.into(),
        error => GoldenError::Other(Box::new(error)),
    }
}

/// The mapping of `tests/mappings`.
pub(crate) fn mapping(name: &str) -> Result<WeightMapping, GoldenError> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings").join(format!("{name}.toml"));
    WeightMapping::read(&file).map_err(not_imported)
}

/// Takes in the initial values of a case; gives our names by those of the fixture.
pub(crate) fn import(
    case: &Case,
    store: &nn::VarStore,
    mapping: &WeightMapping,
) -> Result<BTreeMap<String, String>, GoldenError> {
    let values = case.tensors("param/").chain(case.tensors("buffer/"));
    let values = values.map(|(name, value)| (name.to_owned(), value.shallow_clone())).collect();
    let report = import_state(store, &StateDict::new(case.id(), values), mapping).map_err(not_imported)?;
    Ok(report.tensors.into_iter().map(|tensor| (tensor.theirs, tensor.ours)).collect())
}

pub(crate) fn not_imported(error: ImportError) -> GoldenError {
    GoldenError::Other(Box::new(error))
}

/// Features in order: the name, and for a category or a list its vocabulary among `vocabularies`.
pub(crate) fn space(features: &[(&str, SpaceKind)], vocabularies: &[(&str, i64)]) -> Result<FeatureSpace, GoldenError> {
    let feature = |&(name, kind): &(&str, SpaceKind)| SpaceFeature { name: name.to_owned(), kind };
    let vocabulary = |&(name, size): &(&str, i64)| (name.to_owned(), size as usize);
    let features = features.iter().map(feature).collect();
    FeatureSpace::from_parts(features, vocabularies.iter().map(vocabulary).collect()).map_err(refused)
}

/// A history read in the light of a candidate.
pub(crate) fn interest(candidate: &str, history: &str) -> InterestConfig {
    InterestConfig {
        candidate: vec![candidate.to_owned()],
        history: vec![history.to_owned()],
        ..InterestConfig::default()
    }
}

/// Ids `[B]`.
pub(crate) fn category(inputs: &Inputs, name: &str) -> Result<InputColumn, GoldenError> {
    Ok(InputColumn::Category(inputs.tensor(name)?.shallow_clone()))
}

/// Padded ids `[B, T]`.
pub(crate) fn list(ids: &Tensor, padding: &Padding) -> Result<InputColumn, GoldenError> {
    let (ids, layout) = padding.pack_ids(ids)?;
    Ok(InputColumn::Sequence(ids, layout))
}

/// Numbers `[B]` or `[B, 1]`.
pub(crate) fn number(numbers: &Tensor) -> Result<InputColumn, GoldenError> {
    Ok(InputColumn::Numeric(numbers.f_reshape([-1])?))
}

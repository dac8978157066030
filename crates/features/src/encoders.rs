//! All that turns a row into a sample.

use crate::checked::Schema;
use crate::column::ColumnRule;
use crate::error::{DataError, EncodersError};
use crate::numeric::NumericEncoder;
use crate::stored;
use crate::vocabulary::Vocabulary;

/// A schema with the vocabularies and numbers learnt from training rows: all that turns a row into a sample.
///
/// [`EncoderFitter`](crate::EncoderFitter) makes them. They travel with a model, so that a row is encoded for
/// a prediction as it was for training.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoders {
    schema: Schema,
    pub(crate) rules: Vec<ColumnRule>,
    vocabularies: Vec<Vocabulary>,
    /// In the order of the schema's features; `None` for features that are not numeric.
    numbers: Vec<Option<NumericEncoder>>,
    digest: String,
}

impl Encoders {
    /// Joins what belongs together: a vocabulary per name of the schema's vocabularies, and an encoder per
    /// numeric feature.
    pub(crate) fn new(
        schema: Schema,
        vocabularies: Vec<Vocabulary>,
        numbers: Vec<NumericEncoder>,
    ) -> Result<Self, EncodersError> {
        let rules = ColumnRule::all(&schema);
        let mut numbers = numbers.into_iter();
        let numbers = rules
            .iter()
            .map(|rule| match rule {
                ColumnRule::Numeric { .. } => numbers.next(),
                _ => None,
            })
            .collect();
        let mut encoders = Self { schema, rules, vocabularies, numbers, digest: String::new() };
        encoders.digest = stored::digest(&encoders)?;
        Ok(encoders)
    }

    /// What [`Encoders::new`] joined.
    pub(crate) fn into_parts(self) -> (Schema, Vec<Vocabulary>, Vec<NumericEncoder>) {
        (self.schema, self.vocabularies, self.numbers.into_iter().flatten().collect())
    }

    /// The schema.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The vocabularies, in the order of [`Schema::vocabularies`].
    pub fn vocabularies(&self) -> &[Vocabulary] {
        &self.vocabularies
    }

    /// One vocabulary, by the index that [`FeatureKind`](crate::FeatureKind) holds.
    ///
    /// # Panics
    /// If the schema has fewer vocabularies, as indexing a slice does.
    pub fn vocabulary(&self, index: usize) -> &Vocabulary {
        &self.vocabularies[index]
    }

    /// The encoder of a numeric feature, by its place in [`Schema::features`]; `None` for other features.
    pub fn numeric(&self, feature: usize) -> Option<&NumericEncoder> {
        self.numbers.get(feature)?.as_ref()
    }

    /// The id of a term in a category or sequence feature, given by its place in [`Schema::features`].
    ///
    /// # Errors
    /// [`DataError::Kind`] for another feature.
    pub fn encode_term(&self, feature: usize, term: &str) -> Result<u32, DataError> {
        match self.rules.get(feature) {
            Some(ColumnRule::Category { vocabulary } | ColumnRule::Sequence { vocabulary, .. }) => {
                Ok(self.vocabularies[*vocabulary].id(term))
            }
            _ => Err(DataError::kind_of(&self.schema, feature, "terms")),
        }
    }

    /// The scaled number of a numeric feature, given by its place in [`Schema::features`]; `None` is a missing one.
    ///
    /// # Errors
    /// [`DataError::Kind`] for another feature; [`DataError::Number`] for a number that the feature does not take.
    pub fn encode_number(&self, feature: usize, value: Option<f64>) -> Result<f32, DataError> {
        match self.numeric(feature) {
            Some(encoder) => {
                let value = DataError::check_number(&self.schema, self.rules.get(feature), feature, value)?;
                Ok(encoder.encode(value))
            }
            None => Err(DataError::kind_of(&self.schema, feature, "numbers that are scaled")),
        }
    }

    /// The id of a number in a bucket feature, given by its place in [`Schema::features`]; `None` is a missing one.
    ///
    /// # Errors
    /// [`DataError::Kind`] for another feature; [`DataError::Number`] for a number that the feature does not take.
    pub fn encode_bucket(&self, feature: usize, value: Option<f64>) -> Result<u32, DataError> {
        match self.rules.get(feature) {
            Some(rule @ ColumnRule::Bucket { vocabulary }) => {
                let value = DataError::check_number(&self.schema, Some(rule), feature, value)?;
                Ok(self.vocabularies[*vocabulary].id_of_number(value))
            }
            _ => Err(DataError::kind_of(&self.schema, feature, "numbers that are divided into intervals")),
        }
    }

    /// xxh3-128 of [`Encoders::to_json`], in hexadecimal: equal for equal encoders.
    pub fn digest(&self) -> String {
        self.digest.clone()
    }

    /// The encoders as JSON on one line; docs/formats/encoders.md describes it. Equal encoders give equal bytes.
    ///
    /// # Errors
    /// [`EncodersError::Json`].
    pub fn to_json(&self) -> Result<String, EncodersError> {
        stored::to_json(self)
    }

    /// Reads what [`Encoders::to_json`] wrote.
    ///
    /// # Errors
    /// [`EncodersError`] for text that is not JSON, another format or version, or content that contradicts
    /// the schema inside.
    pub fn from_json(json: &str) -> Result<Self, EncodersError> {
        stored::from_json(json)
    }
}

//! Rows to samples.

use xxhash_rust::xxh3::xxh3_64;

use crate::binding::{Binding, Place};
use crate::checked::{FeatureKind, Schema};
use crate::error::{DataError, EncodersError};
use crate::numeric::{NumericEncoder, parse_number};
use crate::samples::{Column, Samples, Sequences, Times};
use crate::sequence::SequenceRule;
use crate::stored;
use crate::time::parse_time;
use crate::vocabulary::Vocabulary;
use crate::weight::WeightRule;
use fain_tables::Record;

const LABEL: &str = "0 or 1";
const PROBABILITY: &str = "a probability between 0 and 1";

/// A schema with the vocabularies and numbers learnt from training rows: all that turns a row into a sample.
///
/// [`EncoderFitter`](crate::EncoderFitter) makes them. They travel with a model, so that a row is encoded for
/// a prediction as it was for training.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoders {
    schema: Schema,
    vocabularies: Vec<Vocabulary>,
    /// In the order of the schema's features.
    columns: Vec<ColumnEncoder>,
    digest: String,
}

#[derive(Debug, Clone, PartialEq)]
enum ColumnEncoder {
    Category { vocabulary: usize },
    Sequence { vocabulary: usize, rule: SequenceRule, weights: Option<WeightRule> },
    Numeric(NumericEncoder),
    Times(SequenceRule),
}

impl Encoders {
    /// Joins what belongs together: a vocabulary per name of the schema's vocabularies, and an encoder per
    /// numeric feature.
    pub(crate) fn new(
        schema: Schema,
        vocabularies: Vec<Vocabulary>,
        numbers: Vec<NumericEncoder>,
    ) -> Result<Self, EncodersError> {
        let mut numbers = numbers.into_iter();
        let columns = schema
            .features()
            .iter()
            .filter_map(|feature| match &feature.kind {
                FeatureKind::Category { vocabulary } => Some(ColumnEncoder::Category { vocabulary: *vocabulary }),
                FeatureKind::Sequence { vocabulary, separator, weight_separator, max_length, keep } => {
                    Some(ColumnEncoder::Sequence {
                        vocabulary: *vocabulary,
                        rule: SequenceRule::new(separator, *max_length, *keep),
                        weights: weight_separator.as_deref().map(WeightRule::new),
                    })
                }
                FeatureKind::Numeric { .. } => numbers.next().map(ColumnEncoder::Numeric),
                FeatureKind::Times { separator, max_length, keep } => {
                    Some(ColumnEncoder::Times(SequenceRule::new(separator, *max_length, *keep)))
                }
            })
            .collect();
        let mut encoders = Self { schema, vocabularies, columns, digest: String::new() };
        encoders.digest = stored::digest(&encoders)?;
        Ok(encoders)
    }

    /// The schema.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The vocabularies, in the order of [`Schema::vocabularies`].
    pub fn vocabularies(&self) -> &[Vocabulary] {
        &self.vocabularies
    }

    /// One vocabulary, by the index that [`FeatureKind`] holds.
    ///
    /// # Panics
    /// If the schema has fewer vocabularies, as indexing a slice does.
    pub fn vocabulary(&self, index: usize) -> &Vocabulary {
        &self.vocabularies[index]
    }

    /// The encoder of a numeric feature, by its place in [`Schema::features`]; `None` for other features.
    pub fn numeric(&self, feature: usize) -> Option<&NumericEncoder> {
        match self.columns.get(feature)? {
            ColumnEncoder::Numeric(encoder) => Some(encoder),
            _ => None,
        }
    }

    /// xxh3-128 of [`Encoders::to_json`], in hexadecimal: equal for equal encoders.
    pub fn digest(&self) -> String {
        self.digest.clone()
    }

    /// The encoders as JSON, version 1, on one line. Equal encoders give equal bytes.
    ///
    /// - `format`: `fain-encoders`; `version`: 1
    /// - `schema`: the schema as written
    /// - `vocabularies`: one per name of [`Schema::vocabularies`], in that order, with `feature`, the name, and
    ///   `terms`, sorted by code point; the id of a term is its place, counted from 1
    /// - `numbers`: one per numeric feature, in the order of the schema, with `feature`, `mean`, `scale` and what
    ///   it learnt: `deviation` (standard), `lowest` and `highest` (`min_max`), `quantiles` (quantile)
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

    /// Encodes one row and appends it to `out`, which [`Samples::new`] made for the same schema and parts.
    ///
    /// # Errors
    /// [`TableError::Value`](fain_tables::TableError::Value) for a label other than 0 and 1, a number that is none, or a probability that is
    /// none; [`DataError::Mismatch`] for a record of another file, or a binding or samples of another schema
    /// or other parts. After an error `out` may hold a part of the row: clear it.
    pub fn encode(&self, record: &Record, binding: &Binding, out: &mut Samples) -> Result<(), DataError> {
        binding.check(record, self.columns.len())?;
        if out.columns.len() != self.columns.len() {
            return Err(DataError::Mismatch { what: "samples" });
        }
        encode_parts(record, binding, out)?;
        for ((encoder, place), column) in self.columns.iter().zip(&binding.features).zip(&mut out.columns) {
            match (encoder, place, column) {
                (ColumnEncoder::Category { vocabulary }, Some(place), Column::Category(ids)) => {
                    ids.push(self.vocabularies[*vocabulary].id(record.get(place.index)));
                }
                (ColumnEncoder::Sequence { vocabulary, rule, weights }, Some(place), Column::Sequence(sequences)) => {
                    let vocabulary = &self.vocabularies[*vocabulary];
                    let wrong = |term: &str, allowed| binding.wrong_term(record, place, term, allowed);
                    let Sequences { values, offsets, weights: out } = sequences;
                    match (weights, out) {
                        (None, None) => rule.visit(record.get(place.index), |term| {
                            values.push(vocabulary.id(term));
                            Ok(())
                        }),
                        (Some(split), Some(out)) => rule.visit(record.get(place.index), |text| {
                            let (term, weight) = split.split(text).map_err(|allowed| wrong(text, allowed))?;
                            values.push(vocabulary.id(term));
                            out.push(weight);
                            Ok(())
                        }),
                        _ => Err(DataError::Mismatch { what: "samples" }),
                    }?;
                    close(values.len(), offsets).ok_or_else(|| binding.run_too_long(record, place))?;
                }
                (ColumnEncoder::Times(rule), Some(place), Column::Times(times)) => {
                    let wrong = |term: &str, allowed| binding.wrong_term(record, place, term, allowed);
                    rule.visit(record.get(place.index), |text| {
                        times.values.push(parse_time(text).map_err(|allowed| wrong(text, allowed))?);
                        Ok::<(), DataError>(())
                    })?;
                    close(times.values.len(), &mut times.offsets).ok_or_else(|| binding.run_too_long(record, place))?;
                }
                (ColumnEncoder::Sequence { .. }, None, Column::Sequence(Sequences { offsets, .. }))
                | (ColumnEncoder::Times(_), None, Column::Times(Times { offsets, .. })) => {
                    // An empty list ends where the one before did.
                    let end = offsets.last().copied().unwrap_or_default();
                    offsets.push(end);
                }
                (ColumnEncoder::Numeric(encoder), Some(place), Column::Numeric(numbers)) => {
                    numbers.push(encoder.encode(binding.value(record, place, parse_number)?));
                }
                (_, None, _) => return Err(DataError::Mismatch { what: "binding" }),
                _ => return Err(DataError::Mismatch { what: "samples" }),
            }
        }
        out.rows += 1;
        Ok(())
    }
}

fn encode_parts(record: &Record, binding: &Binding, out: &mut Samples) -> Result<(), DataError> {
    match (&binding.label, &mut out.labels) {
        (Some(place), Some(labels)) => labels.push(binding.value(record, place, parse_label)?),
        (None, None) => {}
        _ => return Err(DataError::Mismatch { what: "samples" }),
    }
    match (&binding.group, &mut out.groups) {
        (Some(place), Some(groups)) => groups.push(xxh3_64(record.get(place.index).as_bytes())),
        (None, None) => {}
        _ => return Err(DataError::Mismatch { what: "samples" }),
    }
    match (&binding.time, &mut out.times) {
        (Some(place), Some(times)) => times.push(binding.value(record, place, parse_time)?),
        (None, None) => {}
        _ => return Err(DataError::Mismatch { what: "samples" }),
    }
    match (&binding.ceiling, &mut out.ceiling) {
        (Some((blind, optimal)), Some(ceiling)) => {
            let probability = |place: &Place| binding.value(record, place, parse_probability);
            ceiling.blind.push(probability(blind)?);
            ceiling.optimal.push(probability(optimal)?);
        }
        (None, None) => {}
        _ => return Err(DataError::Mismatch { what: "samples" }),
    }
    Ok(())
}

/// Ends the list of a row; `None` when offsets of 32 bits do not reach that far.
fn close(values: usize, offsets: &mut Vec<u32>) -> Option<()> {
    offsets.push(u32::try_from(values).ok()?);
    Some(())
}

fn parse_label(text: &str) -> Result<f32, &'static str> {
    match text {
        "0" | "0.0" => Ok(0.0),
        "1" | "1.0" => Ok(1.0),
        _ => Err(LABEL),
    }
}

fn parse_probability(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|probability| (0.0..=1.0).contains(probability)).ok_or(PROBABILITY)
}

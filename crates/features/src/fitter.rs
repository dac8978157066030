//! Encoders learnt from training rows.

use crate::binding::Binding;
use crate::checked::{FeatureKind, Schema};
use crate::encoders::Encoders;
use crate::error::DataError;
use crate::numeric::{NumericFitter, parse_number};
use crate::sequence::SequenceRule;
use crate::terms::MOST_TERMS;
use crate::time::parse_time;
use crate::vocabulary::TermCounter;
use crate::weight::WeightRule;
use fain_tables::Record;

/// Learns encoders from the training rows, one pass, row by row.
///
/// Show it training rows only: a vocabulary or a mean that has seen test rows leaks them.
/// A vocabulary counts the terms of every feature that shares it, and of a sequence the terms that are kept.
#[derive(Debug, Clone)]
pub struct EncoderFitter {
    schema: Schema,
    counters: Vec<TermCounter>,
    /// In the order of the schema's features.
    columns: Vec<ColumnFitter>,
}

#[derive(Debug, Clone)]
enum ColumnFitter {
    Category {
        vocabulary: usize,
    },
    Sequence {
        vocabulary: usize,
        rule: SequenceRule,
        weights: Option<WeightRule>,
    },
    Numeric(Box<NumericFitter>),
    /// Nothing is learnt from times, which are only read; so a wrong one is found before the rows are encoded.
    Times(SequenceRule),
}

impl EncoderFitter {
    /// A fitter that has seen nothing.
    pub fn new(schema: Schema) -> Self {
        let columns = schema
            .features()
            .iter()
            .map(|feature| match &feature.kind {
                FeatureKind::Category { vocabulary } => ColumnFitter::Category { vocabulary: *vocabulary },
                FeatureKind::Sequence { vocabulary, separator, weight_separator, max_length, keep } => {
                    ColumnFitter::Sequence {
                        vocabulary: *vocabulary,
                        rule: SequenceRule::new(separator, *max_length, *keep),
                        weights: weight_separator.as_deref().map(WeightRule::new),
                    }
                }
                FeatureKind::Numeric { scale } => ColumnFitter::Numeric(Box::new(NumericFitter::new(*scale))),
                FeatureKind::Times { separator, max_length, keep } => {
                    ColumnFitter::Times(SequenceRule::new(separator, *max_length, *keep))
                }
            })
            .collect();
        let counters = vec![TermCounter::default(); schema.vocabularies().len()];
        Self { schema, counters, columns }
    }

    /// Takes one training row in.
    ///
    /// # Errors
    /// [`TableError::Value`](fain_tables::TableError::Value) for a number that is none, [`DataError::VocabularyFull`], and
    /// [`DataError::Mismatch`] for a record of another file, or a binding of another schema or with features left out.
    pub fn observe(&mut self, record: &Record, binding: &Binding) -> Result<(), DataError> {
        binding.check(record, self.columns.len())?;
        for (column, place) in self.columns.iter_mut().zip(&binding.features) {
            // A vocabulary without the terms of one of its features would be another one.
            let place = place.as_ref().ok_or(DataError::Mismatch { what: "binding" })?;
            let counted = match column {
                ColumnFitter::Category { vocabulary } => {
                    let term = record.get(place.index);
                    self.counters[*vocabulary].observe(term).then_some(()).ok_or(*vocabulary)
                }
                ColumnFitter::Sequence { vocabulary, rule, weights } => {
                    let counter = &mut self.counters[*vocabulary];
                    let wrong = |term: &str, allowed| binding.wrong_term(record, place, term, allowed);
                    let mut fits = true;
                    rule.visit(record.get(place.index), |text| {
                        let term = match weights {
                            None => text,
                            Some(weights) => weights.split(text).map_err(|allowed| wrong(text, allowed))?.0,
                        };
                        fits &= counter.observe(term);
                        Ok::<(), DataError>(())
                    })?;
                    fits.then_some(()).ok_or(*vocabulary)
                }
                ColumnFitter::Times(rule) => {
                    let wrong = |term: &str, allowed| binding.wrong_term(record, place, term, allowed);
                    rule.visit(record.get(place.index), |text| {
                        parse_time(text).map_err(|allowed| wrong(text, allowed)).map(|_| ())
                    })?;
                    Ok(())
                }
                ColumnFitter::Numeric(fitter) => {
                    fitter.observe(binding.value(record, place, parse_number)?);
                    Ok(())
                }
            };
            counted.map_err(|vocabulary| DataError::VocabularyFull {
                feature: self.schema.vocabularies()[vocabulary].clone(),
                limit: MOST_TERMS,
            })?;
        }
        Ok(())
    }

    /// The encoders of the rows seen.
    ///
    /// # Errors
    /// [`DataError::NoValues`] for a numeric column without any value.
    pub fn finish(self) -> Result<Encoders, DataError> {
        let vocabularies =
            self.counters.into_iter().zip(self.schema.min_counts()).map(|(counter, &least)| counter.finish(least));
        let vocabularies = vocabularies.collect();
        let mut numbers = Vec::new();
        for (column, feature) in self.columns.into_iter().zip(self.schema.features()) {
            if let ColumnFitter::Numeric(fitter) = column {
                numbers.push(fitter.finish().ok_or_else(|| DataError::NoValues {
                    column: feature.column.clone(),
                    feature: feature.name.clone(),
                })?);
            }
        }
        Ok(Encoders::new(self.schema, vocabularies, numbers)?)
    }
}

//! What is learnt from training rows, row by row.

use fain_tables::Record;

use crate::before::Before;
use crate::binding::Binding;
use crate::checked::{FeatureKind, IdRule, Schema};
use crate::column::ColumnRule;
use crate::counter::TermCounter;
use crate::error::DataError;
use crate::intervals::IntervalFitter;
use crate::number::parse_number;
use crate::numeric_fitter::NumericFitter;
use crate::time::parse_time;
use fain_tables::{Term, TermTable};

/// Whoever takes in the terms and numbers of rows.
pub(crate) trait Learner {
    /// Before the terms of a row's feature.
    fn begin(&mut self, _feature: usize) {}
    /// Takes a term of a feature and its vocabulary in; false when no more terms fit.
    fn term(&mut self, feature: usize, vocabulary: usize, term: Term<'_>) -> bool;
    /// Begins with the terms that the feature had in the row before, but for the first `dropped`, and takes them in
    /// again; false, and nothing happens, if it has not remembered them.
    fn repeat(&mut self, _feature: usize, _vocabulary: usize, _dropped: usize) -> bool {
        false
    }
    /// Takes a number of a feature in; `None` is a missing one.
    fn number(&mut self, feature: usize, value: Option<f64>);
    /// Takes in the number again that the feature had in the row before; false, and nothing happens, if it has not
    /// remembered it.
    fn repeat_number(&mut self, _feature: usize) -> bool {
        false
    }
}

/// Shows one row to a learner; `before` holds the texts of the row that it was shown before, if any.
pub(crate) fn observe<'a>(
    (schema, rules): (&Schema, &[ColumnRule]),
    (record, binding): (&'a Record, &Binding),
    before: &mut Before<'a>,
    learner: &mut impl Learner,
) -> Result<(), DataError> {
    for (feature, (rule, place)) in rules.iter().zip(&binding.features).enumerate() {
        // A vocabulary without the terms of one of its features would be another one.
        let place = place.as_ref().ok_or(DataError::Mismatch { what: "binding" })?;
        let text = record.get(place.index);
        let wrong = |term: &str, allowed| place.wrong_term(record, term, allowed);
        match rule {
            ColumnRule::Category { vocabulary } => {
                if before.had(feature, text) && learner.repeat(feature, *vocabulary, 0) {
                    continue;
                }
                learner.begin(feature);
                if !learner.term(feature, *vocabulary, Term::new(text)) {
                    return Err(full(schema, *vocabulary));
                }
            }
            ColumnRule::Sequence { vocabulary, list, weights } => {
                let mut kept = list.kept(record, place.index);
                let all = kept;
                let dropped = before.shorten(feature, list, &mut kept);
                if !dropped.is_some_and(|dropped| learner.repeat(feature, *vocabulary, dropped)) {
                    kept = all;
                    learner.begin(feature);
                }
                list.visit(kept, |term| {
                    let term = match weights {
                        None => term,
                        Some(weights) => {
                            let text = term.text();
                            Term::new(weights.split(text).map_err(|allowed| wrong(text, allowed))?.0)
                        }
                    };
                    if learner.term(feature, *vocabulary, term) { Ok(()) } else { Err(full(schema, *vocabulary)) }
                })?;
            }
            ColumnRule::Numeric { .. } | ColumnRule::Bucket { .. } => {
                if before.had(feature, text) && learner.repeat_number(feature) {
                    continue;
                }
                let domain = rule.domain().ok_or(DataError::Mismatch { what: "binding" })?;
                learner.number(feature, place.value(record, |text| parse_number(text, domain))?);
            }
            // Nothing is learnt from times; but a wrong one is found before rows are encoded.
            ColumnRule::Times { list } => {
                let mut kept = list.kept(record, place.index);
                before.shorten(feature, list, &mut kept);
                list.visit(kept, |term| {
                    parse_time(term.text()).map(|_| ()).map_err(|allowed| wrong(term.text(), allowed))
                })?;
            }
        }
    }
    Ok(())
}

pub(crate) fn full(schema: &Schema, vocabulary: usize) -> DataError {
    DataError::VocabularyFull { feature: schema.vocabularies()[vocabulary].clone(), limit: TermTable::MOST }
}

/// What the fitter has learnt so far.
#[derive(Debug, Clone)]
pub(crate) struct Learnt {
    /// One per vocabulary; nothing is counted for hash buckets and intervals.
    pub(crate) counters: Vec<Option<TermCounter>>,
    /// One per feature.
    pub(crate) numbers: Vec<NumberFitter>,
}

/// What is learnt from the numbers of a feature.
#[derive(Debug, Clone)]
pub(crate) enum NumberFitter {
    Scaling(Box<NumericFitter>),
    Intervals(IntervalFitter),
    /// The feature has no numbers.
    None,
}

impl Learnt {
    pub(crate) fn new(schema: &Schema) -> Self {
        let rules = schema.id_rules();
        let counters = rules.iter().map(|rule| matches!(rule, IdRule::Terms { .. }).then(TermCounter::default));
        let numbers = schema.features().iter().map(|feature| match &feature.kind {
            FeatureKind::Numeric { missing, scale } => {
                NumberFitter::Scaling(Box::new(NumericFitter::new(*scale, *missing)))
            }
            FeatureKind::Bucket { vocabulary } => match &rules[*vocabulary] {
                IdRule::Intervals(buckets) => NumberFitter::Intervals(IntervalFitter::new(buckets.clone())),
                IdRule::Terms { .. } | IdRule::Hash { .. } => NumberFitter::None,
            },
            _ => NumberFitter::None,
        });
        Self { counters: counters.collect(), numbers: numbers.collect() }
    }
}

impl Learner for Learnt {
    fn term(&mut self, _feature: usize, vocabulary: usize, term: Term<'_>) -> bool {
        self.counters[vocabulary].as_mut().is_none_or(|counter| counter.observe(term, 1))
    }

    fn number(&mut self, feature: usize, value: Option<f64>) {
        match &mut self.numbers[feature] {
            NumberFitter::Scaling(fitter) => fitter.observe(value),
            NumberFitter::Intervals(fitter) => fitter.observe(value),
            NumberFitter::None => {}
        }
    }
}

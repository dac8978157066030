//! Encoders learnt from training rows.

use fain_tables::Record;
use rayon::prelude::*;

use crate::before::Before;
use crate::binding::Binding;
use crate::checked::{IdRule, Schema};
use crate::column::ColumnRule;
use crate::encoders::Encoders;
use crate::error::DataError;
use crate::hash::HashBuckets;
use crate::learner::{Learner, Learnt, NumberFitter, full, observe};
use crate::piece::Piece;
use crate::vocabulary::Vocabulary;
use fain_tables::Term;

/// Rows that one thread takes at once, at least: what many rows share is counted once for each piece and then added up.
const PIECE: usize = 2048;
/// Rows that one thread takes at once, at most.
const LONGEST_PIECE: usize = 8 * PIECE;
/// Pieces at once: some more than threads, so that none waits long for another.
const PIECES_PER_THREAD: usize = 2;

/// Learns encoders from the training rows, in one pass: row by row ([`observe`](Self::observe)), many rows at once
/// ([`observe_rows`](Self::observe_rows)), or column by column ([`observe_term`](Self::observe_term),
/// [`observe_number`](Self::observe_number)). All ways learn the same from the same rows.
///
/// Show it training rows only: a vocabulary or a mean that has seen test rows leaks them.
/// A vocabulary counts the terms of every feature that shares it, and of a sequence the terms that are kept.
#[derive(Debug, Clone)]
pub struct EncoderFitter {
    pub(crate) schema: Schema,
    rules: Vec<ColumnRule>,
    pub(crate) learnt: Learnt,
    /// Memory of [`EncoderFitter::observe_rows`].
    pieces: Vec<Piece>,
}

impl EncoderFitter {
    /// A fitter that has seen nothing.
    pub fn new(schema: Schema) -> Self {
        let (rules, learnt) = (ColumnRule::all(&schema), Learnt::new(&schema));
        Self { schema, rules, learnt, pieces: Vec::new() }
    }

    /// Takes one training row in.
    ///
    /// # Errors
    /// [`TableError::Value`](fain_tables::TableError::Value) for a number, weight or time that is none,
    /// [`DataError::VocabularyFull`], and [`DataError::Mismatch`] for a record of another file, or a binding of another
    /// schema or with features left out.
    pub fn observe(&mut self, record: &Record, binding: &Binding) -> Result<(), DataError> {
        binding.check(record, self.rules.len())?;
        observe((&self.schema, &self.rules), (record, binding), &mut Before::nothing(), &mut self.learnt)
    }

    /// Takes training rows in, as [`EncoderFitter::observe`] would one after the other, on as many threads as rayon has.
    /// What is learnt, and the error if there is one, depend neither on their number nor on how many rows come at once.
    ///
    /// # Errors
    /// Those of [`EncoderFitter::observe`]: that of the first row that has one. The fitter is of no use then.
    pub fn observe_rows(&mut self, records: &[Record], binding: &Binding) -> Result<(), DataError> {
        let Self { schema, rules, learnt, pieces } = self;
        // So many pieces at once that their memory stays small, whatever the number of rows.
        let together = rayon::current_num_threads() * PIECES_PER_THREAD;
        pieces.resize_with(together, || Piece::of(learnt));
        let length = records.len().div_ceil(together).clamp(PIECE, LONGEST_PIECE);
        for records in records.chunks(together * length) {
            let work = records.par_chunks(length).zip(pieces.par_iter_mut()).map(|(records, piece)| {
                piece.clear();
                let mut before = Before::new(rules.len());
                records.iter().try_for_each(|record| {
                    binding.check(record, rules.len())?;
                    observe((schema, rules), (record, binding), &mut before, piece)
                })
            });
            let outcomes: Vec<Result<(), DataError>> = work.collect();
            let used = outcomes.len();
            outcomes.into_iter().collect::<Result<(), _>>()?;
            learnt.take_in(&pieces[..used]).map_err(|vocabulary| full(schema, vocabulary))?;
        }
        Ok(())
    }

    /// Takes a term in that so many training rows hold in a category or sequence feature, given by its place in
    /// [`Schema::features`]. Terms may come in any order. The empty text is a missing term, and not counted.
    ///
    /// # Errors
    /// [`DataError::Kind`] for another feature; [`DataError::VocabularyFull`].
    pub fn observe_term(&mut self, feature: usize, term: &str, times: u64) -> Result<(), DataError> {
        let vocabulary = match self.rules.get(feature) {
            Some(ColumnRule::Category { vocabulary } | ColumnRule::Sequence { vocabulary, .. }) => *vocabulary,
            _ => return Err(DataError::kind_of(&self.schema, feature, "terms")),
        };
        let counter = self.learnt.counters[vocabulary].as_mut();
        if counter.is_none_or(|counter| counter.observe(Term::new(term), times)) {
            Ok(())
        } else {
            Err(full(&self.schema, vocabulary))
        }
    }

    /// Takes the number in that one training row holds in a numeric or bucket feature, given by its place in
    /// [`Schema::features`]; `None` is a missing one. Numbers must come in the order of the rows: a sum depends on it.
    ///
    /// # Errors
    /// [`DataError::Kind`] for another feature; [`DataError::Number`] for a number that the feature does not take.
    pub fn observe_number(&mut self, feature: usize, value: Option<f64>) -> Result<(), DataError> {
        let value = DataError::check_number(&self.schema, self.rules.get(feature), feature, value)?;
        self.learnt.number(feature, value);
        Ok(())
    }

    /// The encoders of the rows seen.
    ///
    /// # Errors
    /// [`DataError::NoValues`] for a column that is scaled, or divided into intervals, without any number.
    pub fn finish(self) -> Result<Encoders, DataError> {
        let Self { schema, learnt, .. } = self;
        let mut vocabularies: Vec<Option<Vocabulary>> = schema
            .id_rules()
            .iter()
            .zip(&learnt.counters)
            .map(|(rule, counter)| match (rule, counter) {
                (IdRule::Terms { min_count }, Some(counter)) => Some(counter.finish(*min_count).into()),
                (IdRule::Hash { buckets }, _) => Some(HashBuckets::new(*buckets).into()),
                _ => None,
            })
            .collect();
        let mut numbers = Vec::new();
        for (fitter, feature) in learnt.numbers.into_iter().zip(schema.features()) {
            let no_values = || DataError::NoValues { column: feature.column.clone(), feature: feature.name.clone() };
            match fitter {
                NumberFitter::Scaling(fitter) => numbers.push(fitter.finish().ok_or_else(no_values)?),
                NumberFitter::Intervals(fitter) => {
                    let intervals = fitter.finish().ok_or_else(no_values)?;
                    if let Some(vocabulary) = feature.kind.vocabulary() {
                        vocabularies[vocabulary] = Some(intervals.into());
                    }
                }
                NumberFitter::None => {}
            }
        }
        Ok(Encoders::new(schema, vocabularies.into_iter().flatten().collect(), numbers)?)
    }
}

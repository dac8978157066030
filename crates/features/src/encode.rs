//! Rows to samples.

use fain_tables::Record;
use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_64;

use crate::append::Misfit;
use crate::before::Before;
use crate::binding::{Binding, Place};
use crate::column::ColumnRule;
use crate::encoders::Encoders;
use crate::error::DataError;
use crate::number::parse_number;
use crate::samples::{Column, Samples, Sequences, Times};
use crate::time::parse_time;

/// Rows that one thread takes at once.
const PIECE: usize = 1024;
/// Pieces at once: some more than threads, so that none waits long for another.
const PIECES_PER_THREAD: usize = 4;

const LABEL: &str = "0 or 1";
const PROBABILITY: &str = "a probability between 0 and 1";

impl Encoders {
    /// Encodes one row and appends it to `out`, which [`Samples::new`] made for the same schema and parts.
    ///
    /// # Errors
    /// [`TableError::Value`](fain_tables::TableError::Value) for a label other than 0 and 1, a number, weight or time
    /// that is none, or a probability that is none; [`DataError::Mismatch`] for a record of another file, or a binding
    /// or samples of another schema or other parts. After an error `out` may hold a part of the row: clear it.
    pub fn encode(&self, record: &Record, binding: &Binding, out: &mut Samples) -> Result<(), DataError> {
        self.encode_next(record, binding, &mut Before::nothing(), out)
    }

    /// Encodes the row that follows the last one of `out`, whose texts `before` holds, if it holds any.
    fn encode_next<'a>(
        &self,
        record: &'a Record,
        binding: &Binding,
        before: &mut Before<'a>,
        out: &mut Samples,
    ) -> Result<(), DataError> {
        binding.check(record, self.rules.len())?;
        if out.columns.len() != self.rules.len() {
            return Err(DataError::Mismatch { what: "samples" });
        }
        encode_parts(record, binding, out)?;
        let places = self.rules.iter().zip(&binding.features).zip(&mut out.columns);
        for (feature, ((rule, place), column)) in places.enumerate() {
            match place {
                Some(place) => self.encode_feature((feature, rule), record, (binding, place), (before, column))?,
                None => leave_empty(rule, column)?,
            }
        }
        out.rows += 1;
        Ok(())
    }

    /// Encodes rows and appends them to `out`, as [`Encoders::encode`] would one after the other, on as many threads as
    /// rayon has. The samples, and the error if there is one, do not depend on their number.
    ///
    /// # Errors
    /// Those of [`Encoders::encode`]: that of the first row that has one.
    pub fn encode_rows(&self, records: &[Record], binding: &Binding, out: &mut Samples) -> Result<(), DataError> {
        if records.len() <= PIECE || rayon::current_num_threads() < 2 {
            return self.encode_all(records, binding, out);
        }
        // The pieces' memory is used again: fresh memory costs more than the work.
        let together = rayon::current_num_threads() * PIECES_PER_THREAD;
        let mut pieces = vec![Samples::new(self.schema(), out.parts()); together];
        for records in records.chunks(together * PIECE) {
            let work = records.par_chunks(PIECE).zip(pieces.par_iter_mut()).map(|(records, piece)| {
                piece.clear();
                self.encode_all(records, binding, piece)
            });
            let outcomes: Vec<Result<(), DataError>> = work.collect();
            let done = outcomes.iter().take_while(|outcome| outcome.is_ok()).count();
            out.append(&pieces[..done])
                .map_err(|(piece, misfit)| too_much(misfit, &records[piece * PIECE..], binding))?;
            outcomes.into_iter().collect::<Result<(), _>>()?;
        }
        Ok(())
    }

    /// Encodes rows that follow each other.
    fn encode_all(&self, records: &[Record], binding: &Binding, out: &mut Samples) -> Result<(), DataError> {
        let mut before = Before::new(self.rules.len());
        records.iter().try_for_each(|record| self.encode_next(record, binding, &mut before, out))
    }

    fn encode_feature<'a>(
        &self,
        (feature, rule): (usize, &ColumnRule),
        record: &'a Record,
        (binding, place): (&Binding, &Place),
        (before, column): (&mut Before<'a>, &mut Column),
    ) -> Result<(), DataError> {
        let text = record.get(place.index);
        let wrong = |term: &str, allowed| place.wrong_term(record, term, allowed);
        match (rule, column) {
            (ColumnRule::Category { vocabulary }, Column::Category(ids)) => {
                let again = if before.had(feature, text) { ids.last().copied() } else { None };
                ids.push(again.unwrap_or_else(|| self.vocabulary(*vocabulary).id(text)));
            }
            (ColumnRule::Sequence { vocabulary, list, weights }, Column::Sequence(sequences)) => {
                let vocabulary = self.vocabulary(*vocabulary);
                let mut kept = list.kept(record, place.index);
                if let Some(dropped) = before.shorten(feature, list, &mut kept) {
                    sequences.repeat(dropped);
                }
                let Sequences { values, offsets, weights: out } = sequences;
                match (weights, out) {
                    (None, None) => list.visit(kept, |term| {
                        values.push(vocabulary.id_of(term));
                        Ok::<(), DataError>(())
                    }),
                    (Some(rule), Some(out)) => list.visit(kept, |term| {
                        let text = term.text();
                        let (term, weight) = rule.split(text).map_err(|allowed| wrong(text, allowed))?;
                        values.push(vocabulary.id(term));
                        out.push(weight);
                        Ok(())
                    }),
                    _ => Err(DataError::Mismatch { what: "samples" }),
                }?;
                close(values.len(), offsets).ok_or_else(|| binding.run_too_long(record, place))?;
            }
            (ColumnRule::Numeric { domain }, Column::Numeric(numbers)) => {
                let again = if before.had(feature, text) { numbers.last().copied() } else { None };
                let number = if let Some(number) = again {
                    number
                } else {
                    let encoder = self.numeric(feature).ok_or(DataError::Mismatch { what: "samples" })?;
                    encoder.encode(place.value(record, |text| parse_number(text, *domain))?)
                };
                numbers.push(number);
            }
            (ColumnRule::Bucket { vocabulary }, Column::Category(ids)) => {
                let again = if before.had(feature, text) { ids.last().copied() } else { None };
                let id = if let Some(id) = again {
                    id
                } else {
                    let domain = rule.domain().ok_or(DataError::Mismatch { what: "samples" })?;
                    let value = place.value(record, |text| parse_number(text, domain))?;
                    self.vocabulary(*vocabulary).id_of_number(value)
                };
                ids.push(id);
            }
            (ColumnRule::Times { list }, Column::Times(times)) => {
                let mut kept = list.kept(record, place.index);
                if let Some(dropped) = before.shorten(feature, list, &mut kept) {
                    times.repeat(dropped);
                }
                let Times { values, offsets } = times;
                list.visit(kept, |term| {
                    values.push(parse_time(term.text()).map_err(|allowed| wrong(term.text(), allowed))?);
                    Ok::<(), DataError>(())
                })?;
                close(values.len(), offsets).ok_or_else(|| binding.run_too_long(record, place))?;
            }
            _ => return Err(DataError::Mismatch { what: "samples" }),
        }
        Ok(())
    }
}

/// The error of rows that cannot be appended.
fn too_much(misfit: Misfit, records: &[Record], binding: &Binding) -> DataError {
    let place = match misfit {
        Misfit::TooLong(feature) => binding.features.get(feature).and_then(Option::as_ref),
        Misfit::Kind => None,
    };
    match (place, records.first()) {
        (Some(place), Some(record)) => binding.run_too_long(record, place),
        _ => DataError::Mismatch { what: "samples" },
    }
}

/// Appends an empty list, for a column that is not read.
fn leave_empty(rule: &ColumnRule, column: &mut Column) -> Result<(), DataError> {
    match (rule, column) {
        (ColumnRule::Sequence { .. }, Column::Sequence(Sequences { offsets, .. }))
        | (ColumnRule::Times { .. }, Column::Times(Times { offsets, .. })) => {
            // An empty list ends where the one before did.
            offsets.push(offsets.last().copied().unwrap_or_default());
            Ok(())
        }
        (ColumnRule::Sequence { .. } | ColumnRule::Times { .. }, _) => Err(DataError::Mismatch { what: "samples" }),
        _ => Err(DataError::Mismatch { what: "binding" }),
    }
}

fn encode_parts(record: &Record, binding: &Binding, out: &mut Samples) -> Result<(), DataError> {
    match (&binding.label, &mut out.labels) {
        (Some(place), Some(labels)) => labels.push(place.value(record, parse_label)?),
        (None, None) => {}
        _ => return Err(DataError::Mismatch { what: "samples" }),
    }
    match (&binding.group, &mut out.groups) {
        (Some(place), Some(groups)) => groups.push(xxh3_64(record.get(place.index).as_bytes())),
        (None, None) => {}
        _ => return Err(DataError::Mismatch { what: "samples" }),
    }
    match (&binding.time, &mut out.times) {
        (Some(place), Some(times)) => times.push(place.value(record, parse_time)?),
        (None, None) => {}
        _ => return Err(DataError::Mismatch { what: "samples" }),
    }
    match (&binding.ceiling, &mut out.ceiling) {
        (Some((blind, optimal)), Some(ceiling)) => {
            let probability = |place: &Place| place.value(record, parse_probability);
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

//! What one thread learns from some of the rows.

use rayon::prelude::*;

use crate::counter::TermCounter;
use crate::learner::{Learner, Learnt};
use fain_tables::Term;

/// The terms of some rows, counted, and their numbers in the order of the rows.
///
/// Counts can be added up in any order. Sums of numbers depend on theirs, so numbers are only collected here, and taken
/// in one after the other later: what is learnt does not depend on how the rows were divided.
#[derive(Debug, Clone, Default)]
pub(crate) struct Piece {
    counters: Vec<Option<TermCounter>>,
    numbers: Vec<Vec<Option<f64>>>,
    /// For each feature the terms of the last row, by the numbers that their counter has for them.
    last: Vec<Vec<u32>>,
}

impl Piece {
    /// A piece that has seen nothing, for what `learnt` learns.
    pub(crate) fn of(learnt: &Learnt) -> Self {
        let counters = learnt.counters.iter().map(|counter| counter.as_ref().map(|_| TermCounter::default()));
        let features = learnt.numbers.len();
        Self { counters: counters.collect(), numbers: vec![Vec::new(); features], last: vec![Vec::new(); features] }
    }

    /// Forgets everything and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.counters.iter_mut().flatten().for_each(TermCounter::clear);
        self.numbers.iter_mut().for_each(Vec::clear);
        self.last.iter_mut().for_each(Vec::clear);
    }
}

impl Learner for Piece {
    fn begin(&mut self, feature: usize) {
        self.last[feature].clear();
    }

    #[inline]
    fn term(&mut self, feature: usize, vocabulary: usize, term: Term<'_>) -> bool {
        let Some(counter) = &mut self.counters[vocabulary] else { return true };
        let Some(number) = counter.count(term) else { return false };
        self.last[feature].push(number);
        true
    }

    fn repeat(&mut self, feature: usize, vocabulary: usize, dropped: usize) -> bool {
        let Some(counter) = &mut self.counters[vocabulary] else { return true };
        let last = &mut self.last[feature];
        last.drain(..dropped.min(last.len()));
        counter.count_again(last);
        true
    }

    fn number(&mut self, feature: usize, value: Option<f64>) {
        self.numbers[feature].push(value);
    }

    fn repeat_number(&mut self, feature: usize) -> bool {
        let last = self.numbers[feature].last().copied();
        self.numbers[feature].extend(last);
        last.is_some()
    }
}

impl Learnt {
    /// Takes pieces in, in the order of their rows; else the vocabulary that is full.
    pub(crate) fn take_in(&mut self, pieces: &[Piece]) -> Result<(), usize> {
        for piece in pieces {
            for (feature, numbers) in piece.numbers.iter().enumerate() {
                for &value in numbers {
                    self.number(feature, value);
                }
            }
        }
        let counters = self.counters.par_iter_mut().enumerate();
        let full = counters.filter_map(|(vocabulary, counter)| {
            let counter = counter.as_mut()?;
            let mut others = pieces.iter().filter_map(|piece| piece.counters[vocabulary].as_ref());
            (!others.all(|other| counter.merge(other))).then_some(vocabulary)
        });
        full.min().map_or(Ok(()), Err)
    }
}

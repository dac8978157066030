//! What one thread learns from some of the rows.

use rayon::prelude::*;

use crate::counter::TermCounter;
use crate::learner::{Learner, Learnt};

/// The terms of some rows, counted, and their numbers in the order of the rows.
///
/// Counts can be added up in any order. Sums of numbers depend on theirs, so numbers are only collected here, and taken
/// in one after the other later: what is learnt does not depend on how the rows were divided.
#[derive(Debug, Clone, Default)]
pub(crate) struct Piece {
    counters: Vec<Option<TermCounter>>,
    numbers: Vec<Vec<Option<f64>>>,
}

impl Piece {
    /// A piece that has seen nothing, for what `learnt` learns.
    pub(crate) fn of(learnt: &Learnt) -> Self {
        let counters = learnt.counters.iter().map(|counter| counter.as_ref().map(|_| TermCounter::default()));
        Self { counters: counters.collect(), numbers: vec![Vec::new(); learnt.numbers.len()] }
    }

    /// Forgets everything and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.counters.iter_mut().flatten().for_each(TermCounter::clear);
        self.numbers.iter_mut().for_each(Vec::clear);
    }
}

impl Learner for Piece {
    fn term(&mut self, vocabulary: usize, term: &str) -> bool {
        self.counters[vocabulary].as_mut().is_none_or(|counter| counter.observe(term, 1))
    }

    fn number(&mut self, feature: usize, value: Option<f64>) {
        self.numbers[feature].push(value);
    }
}

impl Learnt {
    /// Takes pieces in, in the order of their rows; else the vocabulary that is full.
    pub(crate) fn take_in(&mut self, pieces: &[Piece]) -> Result<(), usize> {
        for piece in pieces {
            for (feature, numbers) in piece.numbers.iter().enumerate() {
                numbers.iter().for_each(|&value| self.number(feature, value));
            }
        }
        let counters = self.counters.par_iter_mut().enumerate();
        let full = counters.filter_map(|(vocabulary, counter)| {
            let counter = counter.as_mut()?;
            let mut counted = pieces.iter().filter_map(|piece| piece.counters[vocabulary].as_ref());
            (!counted.all(|counted| counter.merge(counted))).then_some(vocabulary)
        });
        full.min().map_or(Ok(()), Err)
    }
}

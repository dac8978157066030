//! A call whose sizes have been checked.

use crate::buffers::{Gradients, Sequences, StateGradient, Weights};
use crate::cell::Cell;
use crate::error::KernelError;

/// The input of a recurrence; every length fits, so that no index below can miss.
pub(crate) struct Problem<'a, T> {
    pub(crate) cell: Cell,
    /// `D`.
    pub(crate) width: usize,
    /// `H`.
    pub(crate) hidden: usize,
    pub(crate) sequences: Sequences<'a, T>,
    pub(crate) weights: Weights<'a, T>,
}

impl<'a, T: Copy> Problem<'a, T> {
    pub(crate) fn new(
        cell: Cell,
        (width, hidden): (usize, usize),
        sequences: &Sequences<'a, T>,
        weights: &Weights<'a, T>,
    ) -> Result<Self, KernelError> {
        let problem = Self { cell, width, hidden, sequences: *sequences, weights: *weights };
        for (name, size) in [("width", width), ("hidden", hidden)] {
            if size == 0 {
                return Err(KernelError::Zero { name });
            }
        }
        check_offsets(sequences.offsets)?;
        length("inputs", Some(sequences.inputs), problem.events(), width)?;
        match (cell.takes_scores(), sequences.scores) {
            (true, None) => return Err(KernelError::MissingScores { cell }),
            (false, Some(_)) => return Err(KernelError::UnexpectedScores { cell }),
            (_, scores) => length("scores", scores, problem.events(), 1)?,
        }
        length("initial", sequences.initial, problem.samples(), hidden)?;
        let rows = cell.gates().saturating_mul(hidden);
        length("input", Some(weights.input), rows, width)?;
        length("hidden", Some(weights.hidden), rows, hidden)?;
        length("input_bias", weights.input_bias, rows, 1)?;
        length("hidden_bias", weights.hidden_bias, rows, 1)?;
        Ok(problem)
    }

    /// `B`.
    pub(crate) fn samples(&self) -> usize {
        self.sequences.offsets.len().saturating_sub(1)
    }

    /// `N`.
    pub(crate) fn events(&self) -> usize {
        self.sequences.offsets.last().map_or(0, |&events| events as usize)
    }

    /// Numbers of one event in the buffer `saved`.
    pub(crate) fn saved_width(&self) -> usize {
        self.cell.saved_width(self.hidden)
    }

    /// A buffer `[N, H]`.
    pub(crate) fn check_states(&self, buffer: &'static str, states: &[T]) -> Result<(), KernelError> {
        length(buffer, Some(states), self.events(), self.hidden)
    }

    pub(crate) fn check_gradient(&self, gradient: StateGradient<'_, T>) -> Result<(), KernelError> {
        match gradient {
            StateGradient::Events(gradient) => self.check_states("gradient", gradient),
            StateGradient::Last(gradient) => length("gradient", Some(gradient), self.samples(), self.hidden),
        }
    }

    pub(crate) fn check_saved(&self, saved: Option<&[T]>) -> Result<(), KernelError> {
        length("saved", saved, self.events(), self.saved_width())
    }

    pub(crate) fn check_gradients(&self, gradients: &Gradients<'_, T>) -> Result<(), KernelError> {
        if gradients.scores.is_some() && !self.cell.takes_scores() {
            return Err(KernelError::UnexpectedScores { cell: self.cell });
        }
        let rows = self.cell.gates() * self.hidden;
        length("gradient of inputs", gradients.inputs.as_deref(), self.events(), self.width)?;
        length("gradient of scores", gradients.scores.as_deref(), self.events(), 1)?;
        length("gradient of initial", gradients.initial.as_deref(), self.samples(), self.hidden)?;
        length("gradient of input_weight", gradients.input_weight.as_deref(), rows, self.width)?;
        length("gradient of hidden_weight", gradients.hidden_weight.as_deref(), rows, self.hidden)?;
        length("gradient of input_bias", gradients.input_bias.as_deref(), rows, 1)?;
        length("gradient of hidden_bias", gradients.hidden_bias.as_deref(), rows, 1)
    }
}

pub(crate) fn check_offsets(offsets: &[u32]) -> Result<(), KernelError> {
    let first = *offsets.first().ok_or(KernelError::NoOffsets)?;
    if first != 0 {
        return Err(KernelError::Offset { index: 0, value: first, least: 0 });
    }
    match offsets.windows(2).position(|pair| pair[1] < pair[0]) {
        Some(before) => {
            Err(KernelError::Offset { index: before + 1, value: offsets[before + 1], least: offsets[before] })
        }
        None => Ok(()),
    }
}

pub(crate) fn length<T>(
    buffer: &'static str,
    numbers: Option<&[T]>,
    rows: usize,
    columns: usize,
) -> Result<(), KernelError> {
    // A product that overflows is longer than any buffer.
    let needed = rows.saturating_mul(columns);
    match numbers {
        Some(numbers) if numbers.len() != needed => Err(KernelError::Length { buffer, length: numbers.len(), needed }),
        _ => Ok(()),
    }
}

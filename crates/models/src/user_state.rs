//! What a model has read of one user.

use fain_layers::{HistoryState, Jagged, JaggedLayout};

use crate::{Candidates, InputColumn, ModelError, ModelInput};

/// What a model has read of one user before it knows a candidate: the user's row, and what the layers made of the
/// histories.
///
/// It serves any number of [`Candidates`], as long as the model's weights do not change: a server that shows a list page
/// by page keeps it, or makes it while candidates are still being searched.
#[derive(Debug)]
pub struct UserState {
    input: ModelInput,
    histories: Vec<UserHistory>,
}

/// A history of an interest.
#[derive(Debug)]
pub(crate) struct UserHistory {
    /// Jagged `[N, D]` of one sample: the events.
    pub(crate) events: Jagged,
    /// What the interest's layer has read of them.
    pub(crate) state: HistoryState,
}

impl UserState {
    /// Keeps the user's row. A model whose layers read nothing of a user beforehand needs no more.
    ///
    /// # Errors
    /// [`ModelError::Parts`] when the input is not of one row.
    pub fn new(input: ModelInput) -> Result<Self, ModelError> {
        if input.rows != 1 {
            let problem = format!("{} rows; a state is of one user", input.rows);
            return Err(ModelError::Parts { part: "user".to_owned(), problem });
        }
        Ok(Self { input, histories: Vec::new() })
    }

    pub(crate) fn with_histories(self, histories: Vec<UserHistory>) -> Self {
        Self { histories, ..self }
    }

    /// The user's row: the features as they were given.
    pub fn input(&self) -> &ModelInput {
        &self.input
    }

    pub(crate) fn histories(&self) -> &[UserHistory] {
        &self.histories
    }

    /// A batch of the candidates in which each has the user's features beside it, for [`Model::forward`](crate::Model::forward).
    ///
    /// # Errors
    /// [`ModelError::Parts`] when there is no candidate; [`ModelError::Layer`] when the lists together are too long.
    pub fn beside(&self, candidates: &Candidates) -> Result<ModelInput, ModelError> {
        candidates.check_some()?;
        let mut layouts: Vec<(&JaggedLayout, JaggedLayout)> = Vec::new();
        let mut columns = Vec::with_capacity(self.input.columns.len());
        for (feature, column) in self.input.columns.iter().enumerate() {
            columns.push(match candidates.column(feature) {
                Some(column) => column.share(),
                None => repeat(column, candidates.rows(), &mut layouts)?,
            });
        }
        Ok(ModelInput { rows: candidates.rows(), columns })
    }

    /// As [`beside`](Self::beside), but the user's features are there once, in columns of one row.
    pub(crate) fn shared_by(&self, candidates: &Candidates) -> Result<ModelInput, ModelError> {
        candidates.check_some()?;
        let columns = self.input.columns.iter().enumerate();
        let columns = columns.map(|(feature, column)| candidates.column(feature).unwrap_or(column).share()).collect();
        Ok(ModelInput { rows: candidates.rows(), columns })
    }
}

/// A column of one row, `rows` times.
fn repeat<'a>(
    column: &'a InputColumn,
    rows: i64,
    layouts: &mut Vec<(&'a JaggedLayout, JaggedLayout)>,
) -> Result<InputColumn, ModelError> {
    let mut repeated = |layout: &'a JaggedLayout| -> Result<JaggedLayout, ModelError> {
        if let Some((_, known)) = layouts.iter().find(|(other, _)| other.same_as(layout)) {
            return Ok(known.clone());
        }
        let many = layout.repeat(rows)?;
        layouts.push((layout, many.clone()));
        Ok(many)
    };
    Ok(match column {
        InputColumn::Category(ids) => InputColumn::Category(ids.f_repeat([rows])?),
        InputColumn::Numeric(numbers) => InputColumn::Numeric(numbers.f_repeat([rows])?),
        InputColumn::Sequence(ids, layout) => {
            let layout = repeated(layout)?;
            InputColumn::Sequence(ids.f_repeat([rows])?, layout)
        }
        InputColumn::Weighted(ids, layout, weights) => {
            let layout = repeated(layout)?;
            InputColumn::Weighted(ids.f_repeat([rows])?, layout, weights.f_repeat([rows])?)
        }
        InputColumn::Times(times, layout) => {
            let layout = repeated(layout)?;
            InputColumn::Times(times.repeat(rows as usize), layout)
        }
    })
}

//! The features of candidates that one user is scored with.

use fain_features::{Column, Samples};
use tch::Device;

use crate::{FeatureSpace, InputColumn, ModelError, ModelInput, SpaceKind};

/// What a user may be shown: the features in which the candidates differ, on a device.
///
/// Every feature that is not among them is the user's, and the same for all candidates.
#[derive(Debug)]
pub struct Candidates {
    rows: i64,
    device: Device,
    /// By their places in the space.
    columns: Vec<(usize, InputColumn)>,
}

impl Candidates {
    /// Copies the features of `K` candidates to `device`. Features are given by their names; there may be none, and
    /// there may be no candidate.
    ///
    /// # Shapes
    /// - each column has `K` rows, in the order of the candidates
    ///
    /// # Errors
    /// [`ModelError::Parts`] when the space has no feature of that name, a column is of another kind, the numbers of rows
    /// differ, or a feature is named twice.
    pub fn new(space: &FeatureSpace, columns: Vec<(&str, Column)>, device: Device) -> Result<Self, ModelError> {
        let refuse = |name: &str, problem: String| {
            Err(ModelError::Parts { part: format!("feature {name} of the candidates"), problem })
        };
        let rows = columns.first().map_or(0, |(_, column)| rows_of(column));
        let (mut places, mut values) = (Vec::with_capacity(columns.len()), Vec::with_capacity(columns.len()));
        for (name, column) in columns {
            let Some(place) = space.position(name) else {
                return refuse(name, "the schema has none of this name".to_owned());
            };
            if places.contains(&place) {
                return refuse(name, "it is named twice".to_owned());
            }
            let kind = space.features()[place].kind;
            if !fits(kind, &column) {
                return refuse(name, format!("the column does not hold {}", kind.words()));
            }
            if rows_of(&column) != rows {
                return refuse(name, format!("{} rows; the first column has {rows}", rows_of(&column)));
            }
            places.push(place);
            values.push(column);
        }
        // Lists of no row at all have no layout; nothing reads the columns of no candidate.
        if rows == 0 {
            return Ok(Self { rows: 0, device, columns: Vec::new() });
        }
        let input = ModelInput::new(&Samples { rows, columns: values, ..Samples::default() }, device)?;
        Ok(Self { rows: input.rows, device, columns: places.into_iter().zip(input.columns).collect() })
    }

    /// `K`.
    pub fn rows(&self) -> i64 {
        self.rows
    }

    pub(crate) fn device(&self) -> Device {
        self.device
    }

    /// The candidates in pieces of at most so many, which share their numbers; in one piece where they have lists, and in
    /// none where there is no candidate.
    pub(crate) fn pieces(&self, most: i64) -> Result<Vec<Self>, ModelError> {
        let has_lists = self
            .columns
            .iter()
            .any(|(_, column)| !matches!(column, InputColumn::Category(_) | InputColumn::Numeric(_)));
        let most = if has_lists { self.rows } else { most };
        let mut pieces = Vec::new();
        let mut start = 0;
        while start < self.rows {
            let rows = most.clamp(1, self.rows - start);
            let mut columns = Vec::with_capacity(self.columns.len());
            for (place, column) in &self.columns {
                columns.push((
                    *place,
                    match column {
                        InputColumn::Category(ids) => InputColumn::Category(ids.f_narrow(0, start, rows)?),
                        InputColumn::Numeric(numbers) => InputColumn::Numeric(numbers.f_narrow(0, start, rows)?),
                        lists => lists.share(),
                    },
                ));
            }
            pieces.push(Self { rows, device: self.device, columns });
            start += rows;
        }
        Ok(pieces)
    }

    /// # Errors
    /// [`ModelError::Parts`] when there is no candidate.
    pub(crate) fn check_some(&self) -> Result<(), ModelError> {
        if self.rows > 0 {
            return Ok(());
        }
        Err(ModelError::Parts { part: "candidates".to_owned(), problem: "there is none".to_owned() })
    }

    /// The feature's column, if the candidates have it.
    pub(crate) fn column(&self, feature: usize) -> Option<&InputColumn> {
        self.columns.iter().find(|(place, _)| *place == feature).map(|(_, column)| column)
    }
}

fn rows_of(column: &Column) -> usize {
    match column {
        Column::Category(ids) => ids.len(),
        Column::Numeric(numbers) => numbers.len(),
        Column::Sequence(lists) => lists.offsets.len().saturating_sub(1),
        Column::Times(times) => times.offsets.len().saturating_sub(1),
    }
}

fn fits(kind: SpaceKind, column: &Column) -> bool {
    match (kind, column) {
        (SpaceKind::Category(_), Column::Category(_))
        | (SpaceKind::Numeric, Column::Numeric(_))
        | (SpaceKind::Times, Column::Times(_)) => true,
        (SpaceKind::Sequence(_), Column::Sequence(lists)) => lists.weights.is_none(),
        (SpaceKind::Weighted(_), Column::Sequence(lists)) => lists.weights.is_some(),
        _ => false,
    }
}

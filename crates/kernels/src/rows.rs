//! The rows of a table that a batch looks up: copies of them, the gradient of the table, and updates.

mod gather;
mod lookups;
mod rule;
mod scatter;
mod update;
mod width;

pub use gather::{gather_rows, gather_rows_with};
pub use lookups::Lookups;
pub use rule::{Correction, RowRule, RowState, RowStep, SecondMoment};
pub use scatter::{LookupGradients, scatter_rows, scatter_rows_with};
pub use update::{update_rows, update_rows_with};

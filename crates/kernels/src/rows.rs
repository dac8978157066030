//! Updates of the rows of a table that a batch looked up.

mod lookups;
mod rule;
mod update;

pub use lookups::Lookups;
pub use rule::{Correction, RowRule, RowState, RowStep, SecondMoment};
pub use update::{update_rows, update_rows_with};

//! Samples as views into the histories of users.
mod blocks;
mod check;
mod error;
mod files;
mod folder;
mod layout;
mod logical;
mod manifest;
mod negatives;
mod part;
mod table;
mod tables;
mod terms;
mod writer;

pub use blocks::{CodeLists, EventBlock, ItemBlock, RowBlock, UserBlock, Values};
pub use error::{ErrorKind, SamplesError};
pub use folder::SamplesFolder;
pub use layout::{ColumnInfo, Kind, Layout, Place};
pub use logical::{Content, Field, Logical, LogicalColumn, Past, TermTable};
pub use manifest::{Manifest, SourceInfo, SourceTable, SplitInfo, TermsInfo};
pub use negatives::{
    CandidateNegatives, Chosen, ChosenItems, Distribution, Draw, DrawKey, Exclude, Excluded, NegativeRule,
    NegativeSampler, Negatives, NoneLeft, Slot,
};
pub use part::{ByPart, Part};
pub use tables::{Events, Items, Rows, StoredColumn, Users};
pub use writer::SamplesWriter;

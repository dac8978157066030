//! Samples of click-through-rate models as views into the histories of users: a folder of columns, its writer and its
//! reader, and the draws of negatives.
//!
//! ```
//! use fain_samples::{
//!     CsvExport, EventBlock, Field, ItemBlock, Layout, Negatives, Part, RowBlock, SamplesFolder, SamplesWriter,
//!     TermTable, UserBlock, write_csv,
//! };
//! use fain_storage::Workshop;
//!
//! let layout = Layout {
//!     user: "user".to_owned(),
//!     item: "film".to_owned(),
//!     time: None,
//!     max_length: 50,
//!     row_columns: vec![],
//!     event_columns: vec![],
//!     user_columns: vec![],
//!     item_columns: vec![],
//! };
//! let place = tempfile::tempdir()?;
//! let workshop = Workshop::new(place.path())?;
//! let mut writer = SamplesWriter::create(workshop.path(), layout.clone(), Negatives::default())?;
//!
//! // Ann saw Alien and Brazil, and then liked Casablanca; training may know the first two.
//! writer.write_terms(TermTable::User(Field::Key), ["Ann"])?;
//! writer.write_terms(TermTable::Item(Field::Key), ["Alien", "Brazil", "Casablanca"])?;
//! writer.write_events(&EventBlock { items: vec![0, 1], ..EventBlock::new(&layout) })?;
//! writer.write_users(&UserBlock {
//!     events_starts: vec![0],
//!     events_ends: vec![2],
//!     window_ends: vec![2],
//!     columns: vec![],
//! })?;
//! writer.write_items(&ItemBlock { counts: vec![1, 1, 0], columns: vec![] })?;
//! let row = RowBlock { labels: vec![1], users: vec![0], items: vec![2], history_ends: vec![2], ..RowBlock::new(&layout) };
//! writer.write_rows(Part::Test, &row)?;
//! writer.finish(serde_json::Value::Null, vec![])?;
//! SamplesFolder::open(workshop.path())?;
//! workshop.publish(&place.path().join("films"))?;
//!
//! let films = SamplesFolder::open(&place.path().join("films"))?;
//! let test = films.rows(Part::Test);
//! assert_eq!(films.history(test.users.at(0), test.history_ends.at(0)), 0..2);
//!
//! let mut csv = Vec::new();
//! write_csv(&films, Part::Test, &mut csv, &CsvExport::default())?;
//! assert_eq!(csv, b"label,user,film,history.film\n1,Ann,Casablanca,Alien|Brazil\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A user's events are stored once. A sample is a user and a cut: its history are the last
//! [`max_length`](Layout::max_length) of the user's events before the cut. Negatives are not stored but drawn, by rules
//! and a seed that the manifest holds. The format is specified in `docs/formats/samples.md`.

mod blocks;
mod check;
mod error;
mod export;
mod files;
mod folder;
mod inline;
mod layout;
mod logical;
mod manifest;
mod negatives;
mod part;
mod summary;
mod table;
mod tables;
mod terms;
mod times;
mod writer;

pub use blocks::{CodeLists, EventBlock, ItemBlock, RowBlock, UserBlock, Values};
pub use error::{ErrorKind, SamplesError};
pub use export::{CsvExport, write_csv};
pub use folder::SamplesFolder;
pub use layout::{ColumnInfo, Kind, Layout, Place};
pub use logical::{Content, Field, Logical, LogicalColumn, Past, TermTable};
pub use manifest::{Manifest, SourceInfo, SourceTable, SplitInfo, TermsInfo};
pub use negatives::{
    CandidateNegatives, Choices, Chosen, ChosenItems, Distribution, Draw, DrawKey, Drawing, DrawnRow, Exclude,
    Excluded, NegativeRule, NegativeSampler, Negatives, NoneLeft, Slot,
};
pub use part::{ByPart, Part};
pub use summary::{Lengths, PartSummary, Summary};
pub use tables::{Events, Items, Rows, StoredColumn, Users};
pub use times::{Faults, TimeFaults};
pub use writer::SamplesWriter;

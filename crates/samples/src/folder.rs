//! An open samples folder.

use std::ops::Range;
use std::path::{Path, PathBuf};

use arrow_schema::SchemaRef;
use fain_storage::{ColumnFile, FileInfo, Mapping, StorageError, TextChunks};

use crate::check;
use crate::error::SamplesError;
use crate::files::{TERM, schema, terms_schema};
use crate::layout::{Layout, Place};
use crate::logical::{LogicalColumn, TermTable, logical_columns};
use crate::manifest::{MANIFEST, Manifest};
use crate::negatives::{Choices, Drawing};
use crate::part::{ByPart, Part};
use crate::tables::{Events, Items, Rows, Users};

/// A samples folder whose files are mapped into memory and were found whole and consistent: every code has its text or
/// row, and every history lies among the events of its user.
#[derive(Debug, Clone)]
pub struct SamplesFolder {
    folder: PathBuf,
    manifest: Manifest,
    rows: ByPart<Rows>,
    events: Events,
    users: Users,
    items: Items,
    /// In the order of [`Layout::term_tables`].
    terms: Vec<(TermTable, TextChunks)>,
    /// The memory of all files.
    files: Vec<Mapping>,
}

impl SamplesFolder {
    /// Maps the files of a folder and checks them.
    ///
    /// # Errors
    /// [`SamplesError::Storage`] names the file, what was found and what is needed.
    pub fn open(folder: &Path) -> Result<Self, SamplesError> {
        let manifest_file = folder.join(MANIFEST);
        let manifest = Manifest::read(&manifest_file)?;
        let layout = &manifest.layout;
        let unsound = |cause: SamplesError| {
            StorageError::damaged(&manifest_file, "the layout or the negatives", cause, "those of a samples folder")
        };
        layout.check().map_err(unsound)?;
        manifest.negatives.check().map_err(unsound)?;
        check::names(&manifest_file, &manifest)?;

        let mut files = Vec::new();
        let mut open_file = |info: &FileInfo, columns: &SchemaRef| {
            let file = ColumnFile::open(&folder.join(&info.file), info, columns)?;
            files.push(file.mapping().clone());
            Ok::<_, StorageError>(file)
        };
        let mut open = |info: &FileInfo, place| open_file(info, &schema(layout, place));
        let rows = ByPart::try_from_fn(|part| {
            let split = manifest.splits.get(part);
            Rows::new(&open(&split.file, Place::Row)?, layout, split.positives)
        })?;
        let events = Events::new(&open(&manifest.events, Place::Event)?, layout)?;
        let users = Users::new(&open(&manifest.users, Place::User)?, layout)?;
        let items = Items::new(&open(&manifest.items, Place::Item)?, layout)?;
        let tables = layout.term_tables().into_iter().zip(&manifest.terms);
        let terms = tables
            .map(|(table, info)| {
                let file = open_file(&info.file, &terms_schema())?;
                Ok((table, file.texts(TERM)?))
            })
            .collect::<Result<_, SamplesError>>()?;
        let opened = Self { folder: folder.to_owned(), rows, events, users, items, terms, manifest, files };
        check::tables(&opened)?;
        Ok(opened)
    }

    /// Gives the memory of the mapped files back to the system, as [`Mapping::release`] does. Who reads a large folder
    /// from end to end calls it now and then.
    pub fn release(&self) {
        self.files.iter().for_each(Mapping::release);
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the folder holds, and what it was made from.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The columns.
    pub fn layout(&self) -> &Layout {
        &self.manifest.layout
    }

    /// The samples of a part. It may have none.
    pub fn rows(&self, part: Part) -> &Rows {
        self.rows.get(part)
    }

    /// The events of all histories.
    pub fn events(&self) -> &Events {
        &self.events
    }

    /// The users.
    pub fn users(&self) -> &Users {
        &self.users
    }

    /// The items.
    pub fn items(&self) -> &Items {
        &self.items
    }

    /// The texts of a table of terms, in the order of their codes; `None` if the layout has no such table.
    pub fn terms(&self, table: TermTable) -> Option<&TextChunks> {
        self.terms.iter().find(|(of, _)| *of == table).map(|(_, texts)| texts)
    }

    /// The events of a history: of a user, up to a row of the events, the last `max_length` of them. Empty for a user
    /// that does not exist.
    pub fn history(&self, user: u32, history_end: u32) -> Range<u64> {
        let end = u64::from(history_end);
        let first = self.users.events_starts.get(u64::from(user)).map_or(end, u64::from);
        end.saturating_sub(u64::from(self.layout().max_length)).max(first).min(end)..end
    }

    /// What negatives are drawn by; `None` if the manifest has no rules for any. It takes memory for the items of all
    /// events, 11 to 14 bytes each.
    ///
    /// # Errors
    /// None for a folder that could be opened.
    pub fn drawing(&self) -> Result<Option<Drawing>, SamplesError> {
        let choices =
            Choices { starts: &self.users.events_starts, ends: &self.users.events_ends, items: &self.events.items };
        Drawing::new(&self.manifest.negatives, &self.items.counts, choices)
    }

    /// All columns as schemas and CSV exports know them.
    pub fn columns(&self) -> Vec<LogicalColumn> {
        logical_columns(self.layout(), self.manifest.negatives.history.is_some())
    }

    /// What a name means; `None` if no column has it.
    pub fn find(&self, name: &str) -> Option<LogicalColumn> {
        self.columns().into_iter().find(|column| column.name == name)
    }
}

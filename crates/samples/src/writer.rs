//! Writes a samples folder.

use std::fs;
use std::path::{Path, PathBuf};

use fain_storage::{FileInfo, StorageError, sync_folder};

use crate::blocks::{EventBlock, ItemBlock, RowBlock, UserBlock};
use crate::error::SamplesError;
use crate::files::{EVENTS, ITEMS, TERMS, USERS, part_file, schema, terms_column, terms_file};
use crate::layout::{Layout, Place};
use crate::logical::TermTable;
use crate::manifest::{FORMAT, MANIFEST, Manifest, SourceInfo, SplitInfo, TermsInfo, VERSION};
use crate::negatives::Negatives;
use crate::part::{ByPart, Part};
use crate::table::{Column, TableWriter};
use crate::terms::TermsWriter;

/// Writes the files of a samples folder. Blocks may come in any order of tables; the rows of one table come in the
/// order in which they shall stand. Memory is bounded by one run of 65,536 rows for each table.
///
/// The folder is of no use before [`SamplesWriter::finish`]. Write into a [`Workshop`](fain_storage::Workshop), open
/// the result with [`SamplesFolder::open`](crate::SamplesFolder::open), which checks that all tables fit each other,
/// and publish it then.
pub struct SamplesWriter {
    folder: PathBuf,
    layout: Layout,
    negatives: Negatives,
    rows: ByPart<TableWriter>,
    positives: ByPart<u64>,
    events: TableWriter,
    users: TableWriter,
    items: TableWriter,
    terms: Vec<(TermTable, TermsWriter)>,
}

impl std::fmt::Debug for SamplesWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SamplesWriter").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl SamplesWriter {
    /// Begins all files in a folder that is there and empty.
    ///
    /// # Errors
    /// [`SamplesError::Layout`] if the columns or the negatives cannot be; [`SamplesError::Storage`].
    pub fn create(folder: &Path, layout: Layout, negatives: Negatives) -> Result<Self, SamplesError> {
        layout.check()?;
        negatives.check()?;
        let terms_folder = folder.join(TERMS);
        fs::create_dir(&terms_folder).map_err(|cause| StorageError::io("create", &terms_folder, cause))?;
        let table = |file: &str, place| TableWriter::create(folder.join(file), schema(&layout, place));
        let terms = |(number, of)| Ok((of, TermsWriter::create(folder.join(terms_file(number)))?));
        Ok(Self {
            folder: folder.to_owned(),
            rows: ByPart::try_from_fn(|part| table(&part_file(part), Place::Row))?,
            positives: ByPart::default(),
            events: table(EVENTS, Place::Event)?,
            users: table(USERS, Place::User)?,
            items: table(ITEMS, Place::Item)?,
            terms: layout.term_tables().into_iter().enumerate().map(terms).collect::<Result<_, SamplesError>>()?,
            layout,
            negatives,
        })
    }

    /// The columns.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Appends samples to a part: in the order of their users, and of a user's in the order of time.
    ///
    /// # Errors
    /// [`SamplesError::Block`] if the columns are not those of the layout, or not of one length; nothing of the block is
    /// written then. [`SamplesError::TooMuch`], [`SamplesError::Storage`].
    pub fn write_rows(&mut self, part: Part, block: &RowBlock) -> Result<(), SamplesError> {
        let mut columns = vec![
            Column::Labels(&block.labels),
            Column::Codes(&block.users),
            Column::Codes(&block.items),
            Column::Codes(&block.history_ends),
        ];
        columns.extend(self.layout.time.is_some().then_some(Column::Times(&block.times)));
        columns.extend(block.columns.iter().map(Column::from));
        self.rows.get_mut(part).append(&columns)?;
        *self.positives.get_mut(part) += block.labels.iter().map(|label| u64::from(*label)).sum::<u64>();
        Ok(())
    }

    /// Appends events: user by user in the order of the users, oldest first.
    ///
    /// # Errors
    /// As [`SamplesWriter::write_rows`].
    pub fn write_events(&mut self, block: &EventBlock) -> Result<(), SamplesError> {
        let mut columns = vec![Column::Codes(&block.items)];
        columns.extend(self.layout.time.is_some().then_some(Column::Times(&block.times)));
        columns.extend(block.columns.iter().map(Column::from));
        self.events.append(&columns)
    }

    /// Appends users: in the order of the terms of the user key.
    ///
    /// # Errors
    /// As [`SamplesWriter::write_rows`].
    pub fn write_users(&mut self, block: &UserBlock) -> Result<(), SamplesError> {
        let mut columns = vec![
            Column::Codes(&block.events_starts),
            Column::Codes(&block.events_ends),
            Column::Codes(&block.window_ends),
        ];
        columns.extend(block.columns.iter().map(Column::from));
        self.users.append(&columns)
    }

    /// Appends items: in the order of the terms of the item key.
    ///
    /// # Errors
    /// As [`SamplesWriter::write_rows`].
    pub fn write_items(&mut self, block: &ItemBlock) -> Result<(), SamplesError> {
        let mut columns = vec![Column::Codes(&block.counts)];
        columns.extend(block.columns.iter().map(Column::from));
        self.items.append(&columns)
    }

    /// Appends texts to a table of terms: in the order of their codes, each text once.
    ///
    /// # Errors
    /// [`SamplesError::Block`] if the layout has no such table; [`SamplesError::TooMuch`], [`SamplesError::Storage`].
    pub fn write_terms<T: AsRef<str>>(
        &mut self,
        table: TermTable,
        texts: impl IntoIterator<Item = T>,
    ) -> Result<(), SamplesError> {
        let Some((_, writer)) = self.terms.iter_mut().find(|(of, _)| *of == table) else {
            return Err(SamplesError::Block {
                file: self.folder.join(TERMS),
                what: "a table of terms".to_owned(),
                found: format!("{table:?}"),
                needed: "one of Layout::term_tables".to_owned(),
            });
        };
        texts.into_iter().try_for_each(|text| writer.append(text.as_ref()))
    }

    /// Finishes all files and writes the manifest. `rule` is what made the samples, as a user wrote it.
    ///
    /// # Errors
    /// [`SamplesError::TooMuch`], [`SamplesError::Storage`].
    pub fn finish(self, rule: serde_json::Value, sources: Vec<SourceInfo>) -> Result<Manifest, SamplesError> {
        let Self { folder, layout, negatives, rows, positives, events, users, items, terms } = self;
        let split =
            |table: TableWriter, positives| Ok::<_, SamplesError>(SplitInfo { positives, file: table.finish()? });
        let splits = ByPart {
            train: split(rows.train, positives.train)?,
            validation: split(rows.validation, positives.validation)?,
            test: split(rows.test, positives.test)?,
        };
        let finish_terms = |(number, (of, writer)): (usize, (TermTable, TermsWriter))| {
            let file = FileInfo { file: terms_file(number), ..writer.finish()? };
            Ok(TermsInfo { column: terms_column(&layout, of), file })
        };
        let terms = terms.into_iter().enumerate().map(finish_terms).collect::<Result<_, SamplesError>>()?;
        let mut manifest = Manifest {
            format: FORMAT.to_owned(),
            version: VERSION,
            checksum: String::new(),
            rule,
            sources,
            layout,
            negatives,
            splits,
            events: events.finish()?,
            users: users.finish()?,
            items: items.finish()?,
            terms,
        };
        manifest.write(&folder.join(MANIFEST))?;
        sync_folder(&folder.join(TERMS))?;
        Ok(manifest)
    }
}

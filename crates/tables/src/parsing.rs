//! The thread that makes blocks of rows.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::SyncSender;

use crate::block::Block;
use crate::columns::Selection;
use crate::csv_config::CsvConfig;
use crate::error::TableError;
use crate::open_table::OpenTable;
use crate::table::TablePlan;

pub(crate) enum Message {
    Block(Block),
    Failed(TableError),
    End,
}

/// What the reading thread knows.
pub(crate) struct Parsing {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) csv: CsvConfig,
    pub(crate) csv_key: String,
    pub(crate) header: Vec<String>,
    pub(crate) selection: Selection,
    pub(crate) bytes: Arc<AtomicU64>,
}

impl Parsing {
    /// An error of the channel means that nobody reads any more.
    pub(crate) fn run(&self, first: OpenTable, blocks: &SyncSender<Message>) {
        let last = match self.send_all(first, blocks) {
            Ok(()) => Message::End,
            Err(error) => Message::Failed(error),
        };
        let _ = blocks.send(last);
    }

    fn send_all(&self, first: OpenTable, blocks: &SyncSender<Message>) -> Result<(), TableError> {
        let plan = TablePlan { csv: &self.csv, csv_key: &self.csv_key, columns: None };
        let mut first = Some(first);
        for file in &self.files {
            let mut table = if let Some(table) = first.take() {
                table
            } else {
                let mut table = OpenTable::open(file, &plan, &self.bytes)?;
                table.check_columns(file, &self.files[0], &self.header)?;
                table.start(&self.selection)?;
                table
            };
            while let Some(block) = table.next_block(&self.selection)? {
                if blocks.send(Message::Block(block)).is_err() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

//! Tables of texts, row by row.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use crate::columns::{Selection, WantedColumn};
use crate::csv_config::CsvConfig;
use crate::error::TableError;
use crate::open_table::OpenTable;
use crate::parsing::{Message, Parsing};
use crate::record::{Record, Rows};

/// Blocks that may wait for whoever reads.
const WAITING: usize = 2;

/// Reads tables row by row: CSV, plain or compressed by gzip or zstd, and Parquet.
///
/// The first line of a CSV file is the header, unless [`CsvConfig::columns`] names the columns; blank lines are
/// skipped. A file's first bytes say how it is written, whatever its name is. Several members of gzip or frames of
/// zstd in one file are read one after the other.
///
/// Values of Parquet files become texts as a program would print them: the shortest decimal number that reads back as
/// the same (`7`, `2.5`, `1e300`), `0` and `1` for booleans, the seconds since 1970 in UTC for dates and timestamps
/// (rounded down), the empty text for a missing value. [`Record::list`] has the items of lists.
///
/// Reading, decompression and parsing run on threads of their own, a few blocks of rows ahead.
///
/// ```
/// use fain_tables::{CsvConfig, Record, TableReader};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("clicks.csv");
/// std::fs::write(&path, "label,title\n1,\"Alien, Director's Cut\"\n")?;
///
/// let mut table = TableReader::open(&path, &CsvConfig::default())?;
/// let mut record = Record::new();
/// assert!(table.read(&mut record)?);
/// assert_eq!(table.header(), ["label", "title"]);
/// assert_eq!((record.row(), record.get(1)), (1, "Alien, Director's Cut"));
/// assert!(!table.read(&mut record)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TableReader {
    files: Vec<PathBuf>,
    header: Vec<String>,
    blocks: Receiver<Message>,
    /// Rows that came and were not read yet.
    rows: Rows,
    finished: bool,
    bytes: Arc<AtomicU64>,
    bytes_total: u64,
}

/// What is read of files, and how.
#[derive(Debug, Clone, Copy)]
pub struct TablePlan<'a> {
    /// How those of the files that are CSV are written.
    pub csv: &'a CsvConfig,
    /// Where these settings stand, such as `log.csv`; errors name it.
    pub csv_key: &'a str,
    /// The fields of the records, in this order; `None` for all columns. Of a Parquet file, others are not decoded.
    pub columns: Option<&'a [WantedColumn<'a>]>,
}

impl<'a> TablePlan<'a> {
    /// All columns; the settings stand in `data.csv`.
    pub fn new(csv: &'a CsvConfig) -> Self {
        Self { csv, csv_key: "data.csv", columns: None }
    }
}

impl TableReader {
    /// Opens a file and reads its header: [`TableReader::open_all`] with one file and [`TablePlan::new`].
    ///
    /// # Errors
    /// Those of [`TableReader::open_all`].
    pub fn open(path: &Path, csv: &CsvConfig) -> Result<Self, TableError> {
        Self::open_all(&[path], &TablePlan::new(csv))
    }

    /// Opens files that are read one after the other as one table. The headers of all of them are read now.
    ///
    /// # Errors
    /// [`TableError::Config`] for settings that cannot be, and for no files at all, [`TableError::Open`] with the
    /// true cause for a file that cannot be opened, [`TableError::Empty`] for a file without header,
    /// [`TableError::OtherColumns`] for files that have not the same columns in the same order,
    /// [`TableError::MissingColumn`] and [`TableError::RepeatedColumn`] for a wanted column, [`TableError::ColumnType`] for
    /// a column of a Parquet file that is neither text, number nor time nor a list of these, and what
    /// [`TableReader::read`] gives.
    pub fn open_all<P: AsRef<Path>>(files: &[P], plan: &TablePlan<'_>) -> Result<Self, TableError> {
        plan.csv.check(plan.csv_key)?;
        let files: Vec<PathBuf> = files.iter().map(|file| file.as_ref().to_path_buf()).collect();
        let Some((first, others)) = files.split_first() else {
            let allowed = "at least one file is needed".to_owned();
            return Err(TableError::Config { key: "files".to_owned(), value: "[]".to_owned(), allowed });
        };
        let bytes = Arc::new(AtomicU64::new(0));
        let mut table = OpenTable::open(first, plan, &bytes)?;
        let header = table.header().to_vec();
        let selection = Selection::new(plan.columns, &header, first)?;
        table.start(&selection)?;
        for other in others {
            // What is no file, such as a pipe, can be opened once only, and is when its turn comes.
            if other.metadata().is_ok_and(|data| !data.is_file()) {
                continue;
            }
            OpenTable::open(other, plan, &Arc::default())?.check_columns(other, first, &header)?;
        }
        let bytes_total = files.iter().filter_map(|file| Some(file.metadata().ok()?.len())).sum();
        let names = selection.names.clone();
        let (sender, blocks) = sync_channel(WAITING);
        let work = Parsing {
            files: files.clone(),
            csv: plan.csv.clone(),
            csv_key: plan.csv_key.to_owned(),
            header,
            selection,
            bytes: Arc::clone(&bytes),
        };
        // The thread ends by itself: with the files, or when this value is dropped and its channel closes.
        let spawned = thread::Builder::new().name("table rows".to_owned()).spawn(move || work.run(table, &sender));
        spawned.map_err(|source| TableError::Open { file: first.clone(), source })?;
        Ok(Self { files, header: names, blocks, rows: Rows::new(), finished: false, bytes, bytes_total })
    }

    /// The names of the columns of the records.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// The files, in the order in which they are read.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Bytes taken from the files so far, as they lie on the disk (compressed). The reading threads are some rows
    /// ahead; at the end this is the size of the files. Of a Parquet file, it is the share of its rows.
    pub fn bytes_read(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The size of the files when they were opened; what is no file, such as a pipe, counts nothing.
    pub fn bytes_total(&self) -> u64 {
        self.bytes_total
    }

    /// Reads the next row; false at the end of the table.
    ///
    /// # Errors
    /// A row with more or fewer fields than the header, text that is not UTF-8, a quote that is not closed,
    /// a compressed or Parquet file that is cut short or damaged, and a file that cannot be read: a [`TableError`]
    /// that names the file and the row. After an error there are no more rows.
    pub fn read(&mut self, record: &mut Record) -> Result<bool, TableError> {
        while !self.rows.take_first(record) {
            if !self.next_rows()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads the next rows of a file, up to some thousand; false, and no rows, at the end of the table.
    ///
    /// Several threads work best on rows that are read so, each on its own.
    ///
    /// # Errors
    /// Those of [`TableReader::read`]; of a CSV file, the rows before a wrong one come first.
    pub fn read_rows(&mut self, rows: &mut Rows) -> Result<bool, TableError> {
        *rows = Rows::new();
        if self.rows.is_empty() && !self.next_rows()? {
            return Ok(false);
        }
        *rows = std::mem::take(&mut self.rows);
        Ok(true)
    }

    fn next_rows(&mut self) -> Result<bool, TableError> {
        if self.finished {
            return Ok(false);
        }
        let message = self.blocks.recv();
        self.finished = !matches!(message, Ok(Message::Block(_)));
        match message {
            Ok(Message::Block(block)) => {
                self.rows = Rows::of(block);
                Ok(true)
            }
            Ok(Message::End) => Ok(false),
            Ok(Message::Failed(error)) => Err(error),
            Err(_) => {
                let file = self.rows.file().to_path_buf();
                let source = std::io::Error::other("the reading thread ended early");
                Err(TableError::Read { file, row: 0, source })
            }
        }
    }
}

impl fmt::Debug for TableReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableReader")
            .field("files", &self.files)
            .field("header", &self.header)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

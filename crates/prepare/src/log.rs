//! Reads the log: texts become codes, and rows become records to be sorted.

use std::path::Path;

use fain_tables::{Record, TermTable};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::columns::{BoundColumn, kinds};
use crate::condition::BoundCondition;
use crate::config::{AttributeTable, LogConfig, PrepareConfig};
use crate::entities::Entities;
use crate::error::PrepareError;
use crate::piece::{Piece, Texts};
use crate::progress::{Phase, Reporter};
use crate::record::{Codes, Head, RecordFormat};
use crate::rules::{EventChoice, LabelConfig, RowHash};
use crate::seen::Seen;
use crate::sort::{SortMemory, Sorted, Sorter};
use crate::table::{Sources, Wanted};
use crate::time::TimeFormat;

const USER: &str = "a user: the field is empty";
const ITEM: &str = "an item: the field is empty";

/// Blocks of some thousand rows that a thread reads at once.
const BLOCKS: usize = 2;

/// The log, sorted.
#[derive(Debug)]
pub(crate) struct Log {
    /// Rows read of each file.
    pub(crate) rows: Vec<u64>,
    pub(crate) sorted: Sorted,
    pub(crate) format: RecordFormat,
    /// The texts of each column of events; of a column of numbers, none.
    pub(crate) event_terms: Vec<TermTable>,
    /// The texts of each column of rows.
    pub(crate) row_terms: Vec<TermTable>,
}

/// What a row is read by: the columns of the configuration, and their places in the records.
pub(crate) struct Binding<'a> {
    user: Place<'a>,
    item: Place<'a>,
    time: Place<'a>,
    time_format: TimeFormat,
    only: Vec<BoundCondition<'a>>,
    label: Label<'a>,
    history: Events<'a>,
    samples: Events<'a>,
    /// What hashes rows, and the places of the columns that it reads.
    pub(crate) hash: Option<(RowHash, Vec<usize>)>,
    /// The columns of the event, then those of the row.
    pub(crate) columns: Vec<BoundColumn<'a>>,
    /// What collects what rows say of users and items that have no table, before it has seen any.
    pub(crate) users: Option<Seen<'a>>,
    pub(crate) items: Option<Seen<'a>>,
}

/// The name of a column, and its place in the records.
type Place<'a> = (&'a str, usize);

/// What makes a row positive.
enum Label<'a> {
    /// Every row is.
    Always,
    Where(BoundCondition<'a>),
    /// Later rows that fulfil this.
    FollowedBy(BoundCondition<'a>),
}

/// Some of the rows.
enum Events<'a> {
    All,
    Positive,
    Where(BoundCondition<'a>),
}

impl Events<'_> {
    /// Whether a row is among them.
    fn hold(&self, positive: bool, record: &Record) -> Result<bool, PrepareError> {
        match self {
            Self::All => Ok(true),
            Self::Positive => Ok(positive),
            Self::Where(condition) => condition.holds(record),
        }
    }
}

impl<'a> Binding<'a> {
    fn new(config: &'a PrepareConfig, wanted: &mut Wanted<'a>) -> Result<Self, PrepareError> {
        let log = &config.log;
        let mut place = |name: &'a str, key: &str| (name, wanted.place(name, key));
        let (user, item) = (place(&log.user, "log.user"), place(&log.item, "log.item"));
        let (time, time_format) = match (&log.time, &log.order) {
            (Some(time), _) => (place(time.column(), "log.time"), TimeFormat::of(time)?),
            (None, order) => (place(order.as_deref().unwrap_or_default(), "log.order"), TimeFormat::Integer),
        };
        let mut condition = |condition, key: &str| BoundCondition::new(condition, key, wanted);
        let only = log.only.iter().enumerate();
        let only = only.map(|(place, only)| condition(only, &format!("log.only[{place}]"))).collect();
        let label = match &config.label {
            None => Label::Always,
            Some(LabelConfig::Where(label)) => Label::Where(condition(label, "label")),
            Some(LabelConfig::FollowedBy(rule)) => Label::FollowedBy(condition(&rule.event, "label.followed_by")),
        };
        let mut events = |choice: &'a EventChoice, key: &str| match choice {
            EventChoice::All => Events::All,
            EventChoice::Positive => Events::Positive,
            EventChoice::Where(events) => Events::Where(condition(events, key)),
        };
        let history = events(&config.history.events, "history.events");
        let samples = events(&config.samples.from, "samples.from");
        let hash = config.split.hash.as_ref().zip(config.split.row_hash());
        let hash = hash
            .map(|(split, hash)| (hash, split.of.iter().map(|column| wanted.place(column, "split.hash.of")).collect()));
        let mut columns = BoundColumn::all(&log.event, "log.event", wanted);
        columns.extend(BoundColumn::all(&log.row, "log.row", wanted));
        let mut seen = |table: &'a Option<AttributeTable>, key: &str| {
            let table = table.as_ref().filter(|table| table.files.is_none())?;
            Some(Seen::new(&table.columns, key, wanted))
        };
        let (users, items) = (seen(&config.users, "users.columns"), seen(&config.items, "items.columns"));
        Ok(Self { user, item, time, time_format, only, label, history, samples, hash, columns, users, items })
    }

    /// Whether a row counts.
    pub(crate) fn counts(&self, record: &Record) -> Result<bool, PrepareError> {
        for condition in &self.only {
            if !condition.holds(record)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What every row has, of a row that counts. New users and items are added to `texts`.
    pub(crate) fn head(&self, record: &Record, texts: &mut Texts) -> Result<Head, PrepareError> {
        let wrong = |(name, place): Place<'_>, allowed| record.wrong(name, place, allowed);
        let (user, item) = (record.get(self.user.1), record.get(self.item.1));
        if user.is_empty() {
            return Err(wrong(self.user, USER).into());
        }
        if item.is_empty() {
            return Err(wrong(self.item, ITEM).into());
        }
        let time = self.time_format.read(record.get(self.time.1));
        let time = time.ok_or_else(|| wrong(self.time, self.time_format.allowed()))?;
        let (positive, follows) = match &self.label {
            Label::Always => (true, false),
            Label::Where(condition) => (condition.holds(record)?, false),
            // Later rows will tell; the rules look when they have all of a user.
            Label::FollowedBy(condition) => (false, condition.holds(record)?),
        };
        let in_history = self.history.hold(positive, record)?;
        let may_be_sample = self.samples.hold(positive, record)?;
        let code = |terms: &mut TermTable, key, (name, _): Place<'_>| {
            terms.intern(key).ok_or_else(|| PrepareError::TooManyTerms { column: name.to_owned() })
        };
        let (user, item) = (code(&mut texts.users, user, self.user)?, code(&mut texts.items, item, self.item)?);
        Ok(Head { time, user, item, positive, in_history, may_be_sample, follows })
    }
}

impl Log {
    /// Reads all files. Users and items that are new are added. Runs go to files without names in `folder`.
    ///
    /// Blocks of rows are read side by side, while the blocks before them are numbered and sorted, one after the other in
    /// the order of the log.
    pub(crate) fn read(
        config: &PrepareConfig,
        sources: &Sources<'_>,
        users: &mut Entities,
        items: &mut Entities,
        memory: SortMemory,
        folder: &Path,
        reporter: &mut Reporter<'_>,
    ) -> Result<Self, PrepareError> {
        let mut wanted = Wanted::default();
        let binding = Binding::new(config, &mut wanted)?;
        let mut table = sources.open(&wanted)?;
        let format = RecordFormat::new(&kinds(&config.log.event), &kinds(&config.log.row), binding.hash.is_some());
        let mut gathering = Gathering {
            config,
            users,
            items,
            terms: vec![TermTable::default(); binding.columns.len()],
            said: [binding.users.clone(), binding.items.clone()],
            sorter: Sorter::new(format.clone(), memory, folder),
            format: &format,
        };
        let most = BLOCKS * rayon::current_num_threads();
        let (mut blocks, mut failed) = table.read_blocks(most);
        let mut pieces: Vec<Piece<'_>> = Vec::new();
        while !blocks.is_empty() || !pieces.is_empty() {
            table.report(Phase::ReadLog, reporter)?;
            let before = std::mem::take(&mut pieces);
            let read = || blocks.par_iter().map(|rows| Piece::read(&binding, &format, rows)).collect();
            let (gathered, (read, next)) = rayon::join(
                || before.into_iter().try_for_each(|piece| gathering.add(piece)),
                || rayon::join(read, || table.read_blocks(most)),
            );
            gathered?;
            pieces = read;
            blocks = next.0;
            failed = failed.or(next.1);
        }
        // The rows before it had nothing wrong.
        if let Some(failed) = failed {
            return Err(failed);
        }
        table.report(Phase::ReadLog, reporter)?;
        let Gathering { users, items, mut terms, said, sorter, .. } = gathering;
        for (entities, seen) in [users, items].into_iter().zip(said) {
            if let Some(seen) = seen {
                entities.describe(seen)?;
            }
        }
        let row_terms = terms.split_off(config.log.event.len());
        Ok(Self { rows: table.into_rows(), sorted: sorter.finish(reporter)?, format, event_terms: terms, row_terms })
    }
}

/// What blocks of rows come to, one after the other.
struct Gathering<'a> {
    config: &'a PrepareConfig,
    users: &'a mut Entities,
    items: &'a mut Entities,
    /// The texts of the columns of events, then of rows.
    terms: Vec<TermTable>,
    /// What rows say of users and of items.
    said: [Option<Seen<'a>>; 2],
    sorter: Sorter,
    format: &'a RecordFormat,
}

impl<'a> Gathering<'a> {
    fn add(&mut self, mut piece: Piece<'a>) -> Result<(), PrepareError> {
        if let Some(failed) = piece.failed {
            return Err(failed);
        }
        let LogConfig { user, item, event, row, .. } = &self.config.log;
        let texts = &piece.texts;
        let mut codes = Codes {
            users: texts.users.iter().map(|key| self.users.code(key, user)).collect::<Result<_, _>>()?,
            items: texts.items.iter().map(|key| self.items.code(key, item)).collect::<Result<_, _>>()?,
            columns: Vec::with_capacity(self.terms.len()),
        };
        for ((name, ours), theirs) in event.keys().chain(row.keys()).zip(&mut self.terms).zip(&texts.columns) {
            let code = |text| ours.intern(text).ok_or_else(|| PrepareError::TooManyTerms { column: name.clone() });
            codes.columns.push(theirs.iter().map(code).collect::<Result<_, _>>()?);
        }
        let [users, items] = &mut self.said;
        for (ours, theirs, numbers) in
            [(users, piece.users.take(), &codes.users), (items, piece.items.take(), &codes.items)]
        {
            if let (Some(ours), Some(theirs)) = (ours, theirs) {
                ours.append(theirs, numbers)?;
            }
        }
        piece.recode(self.format, &codes);
        self.sorter.push_all(&piece.records)
    }
}

//! Reads the log: texts become codes, and rows become records to be sorted.

use std::path::Path;

use fain_tables::{Record, TermTable};

use crate::columns::{BoundColumn, kinds};
use crate::condition::BoundCondition;
use crate::config::{AttributeTable, PrepareConfig};
use crate::entities::Entities;
use crate::error::PrepareError;
use crate::progress::{Phase, Reporter};
use crate::record::{Head, RecordFormat};
use crate::rules::{EventChoice, LabelConfig, RowHash};
use crate::seen::Seen;
use crate::sort::{SortMemory, Sorted, Sorter};
use crate::table::{Sources, Table, Wanted};
use crate::time::TimeFormat;

const USER: &str = "a user: the field is empty";
const ITEM: &str = "an item: the field is empty";

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
struct Binding<'a> {
    user: usize,
    item: usize,
    time: usize,
    time_format: TimeFormat,
    only: Vec<BoundCondition<'a>>,
    label: Label<'a>,
    history: Events<'a>,
    samples: Events<'a>,
    hash: Option<(RowHash, Vec<usize>)>,
    event: Vec<BoundColumn<'a>>,
    row: Vec<BoundColumn<'a>>,
    /// What rows say of users and items that have no table.
    users: Option<Seen<'a>>,
    items: Option<Seen<'a>>,
}

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
    fn hold(&self, positive: bool, table: &Table<'_>, record: &Record) -> Result<bool, PrepareError> {
        match self {
            Self::All => Ok(true),
            Self::Positive => Ok(positive),
            Self::Where(condition) => condition.holds(table, record),
        }
    }
}

impl<'a> Binding<'a> {
    fn new(config: &'a PrepareConfig, wanted: &mut Wanted<'a>) -> Result<Self, PrepareError> {
        let log = &config.log;
        let (user, item) = (wanted.place(&log.user, "log.user"), wanted.place(&log.item, "log.item"));
        let (time, time_format) = match (&log.time, &log.order) {
            (Some(time), _) => (wanted.place(time.column(), "log.time"), TimeFormat::of(time)?),
            (None, order) => (wanted.place(order.as_deref().unwrap_or_default(), "log.order"), TimeFormat::Integer),
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
        let event = BoundColumn::all(&log.event, "log.event", wanted);
        let row = BoundColumn::all(&log.row, "log.row", wanted);
        let mut seen = |table: &'a Option<AttributeTable>, key: &str| {
            let table = table.as_ref().filter(|table| table.files.is_none())?;
            Some(Seen::new(&table.columns, key, wanted))
        };
        let (users, items) = (seen(&config.users, "users.columns"), seen(&config.items, "items.columns"));
        Ok(Self { user, item, time, time_format, only, label, history, samples, hash, event, row, users, items })
    }

    fn counts(&self, table: &Table<'_>, record: &Record) -> Result<bool, PrepareError> {
        for condition in &self.only {
            if !condition.holds(table, record)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What every row has, of a row that counts.
    fn head(
        &self,
        config: &PrepareConfig,
        table: &Table<'_>,
        record: &Record,
        users: &mut Entities,
        items: &mut Entities,
    ) -> Result<Head, PrepareError> {
        let (user, item) = (record.get(self.user), record.get(self.item));
        if user.is_empty() {
            return Err(table.wrong(record, self.user, USER));
        }
        if item.is_empty() {
            return Err(table.wrong(record, self.item, ITEM));
        }
        let time = self.time_format.read(record.get(self.time));
        let time = time.ok_or_else(|| table.wrong(record, self.time, self.time_format.allowed()))?;
        let (positive, follows) = match &self.label {
            Label::Always => (true, false),
            Label::Where(condition) => (condition.holds(table, record)?, false),
            // Later rows will tell; the rules look when they have all of a user.
            Label::FollowedBy(condition) => (false, condition.holds(table, record)?),
        };
        let in_history = self.history.hold(positive, table, record)?;
        let may_be_sample = self.samples.hold(positive, table, record)?;
        let (user, item) = (users.code(user, &config.log.user)?, items.code(item, &config.log.item)?);
        Ok(Head { time, user, item, positive, in_history, may_be_sample, follows })
    }

    /// The hash of a row; 0 if rows need none.
    fn hash(&mut self, record: &Record) -> u64 {
        match &mut self.hash {
            Some((hash, places)) => hash.of(places.iter().map(|place| record.get(*place))),
            None => 0,
        }
    }
}

impl Log {
    /// Reads all files. Users and items that are new are added. Runs go to files without names in `folder`.
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
        let mut binding = Binding::new(config, &mut wanted)?;
        let mut table = sources.open(&wanted)?;
        let format = RecordFormat::new(&kinds(&config.log.event), &kinds(&config.log.row), binding.hash.is_some());
        let mut sorter = Sorter::new(format.clone(), memory, folder);
        let mut event_terms = vec![TermTable::default(); binding.event.len()];
        let mut row_terms = vec![TermTable::default(); binding.row.len()];
        let mut record = Record::new();
        let mut list = Vec::new();
        while table.read(&mut record, Phase::ReadLog, reporter)? {
            if !binding.counts(&table, &record)? {
                continue;
            }
            let head = binding.head(config, &table, &record, users, items)?;
            if let Some(seen) = &mut binding.users {
                seen.add(head.user, &table, &record)?;
            }
            if let Some(seen) = &mut binding.items {
                seen.add(head.item, &table, &record)?;
            }
            let hash = binding.hash(&record);
            sorter.push(head, hash, |bytes| {
                let event = binding.event.iter().zip(&mut event_terms);
                for (column, terms) in event.chain(binding.row.iter().zip(&mut row_terms)) {
                    let value = column.read(&table, &record, terms, &mut list)?;
                    RecordFormat::push(value, &list, bytes);
                }
                Ok(())
            })?;
        }
        for (entities, seen) in [(users, binding.users.take()), (items, binding.items.take())] {
            if let Some(seen) = seen {
                entities.describe(seen)?;
            }
        }
        Ok(Self { rows: table.into_rows(), sorted: sorter.finish(reporter)?, format, event_terms, row_terms })
    }
}

//! Makes samples of the sorted log, user by user, and writes them.

use fain_samples::{ByPart, EventBlock, Layout, Part, RowBlock, SamplesWriter, UserBlock};
use fain_storage::RUN;
use fain_tables::TermTable;

use crate::error::PrepareError;
use crate::progress::{Phase, Progress, Reporter};
use crate::record::{Head, RecordFormat};
use crate::rules::{Follow, LogEvent, Rules, UserSamples};
use crate::sort::Sorted;

/// The records of one user, in order.
#[derive(Debug, Default)]
struct UserRecords {
    bytes: Vec<u8>,
    starts: Vec<usize>,
    events: Vec<LogEvent>,
}

impl UserRecords {
    /// Takes the records of a user from the sorted log. Their number may be 0.
    fn take(&mut self, user: u32, format: &RecordFormat, sorted: &mut Sorted) -> Result<(), PrepareError> {
        self.bytes.clear();
        self.starts.clear();
        self.events.clear();
        while let Some(record) = sorted.peek() {
            let head = Head::read(record);
            if head.user != user {
                break;
            }
            let Head { time, item, positive, in_history, may_be_sample, follows, .. } = head;
            let hash = format.hash(record);
            self.events.push(LogEvent { time, hash, item, positive, in_history, may_be_sample, follows });
            self.starts.push(self.bytes.len());
            self.bytes.extend_from_slice(record);
            sorted.advance()?;
        }
        Ok(())
    }

    /// The record of an event, and what follows it.
    fn record(&self, place: u32) -> &[u8] {
        &self.bytes[self.starts[place as usize]..]
    }
}

/// Writes rows and events, and keeps what users and items need.
#[derive(Debug)]
pub(crate) struct UserWriter<'a> {
    writer: &'a mut SamplesWriter,
    format: RecordFormat,
    timed: bool,
    /// What makes the labels, if later events do.
    follow: Option<Follow>,
    records: UserRecords,
    samples: UserSamples,
    rows: ByPart<RowBlock>,
    events: EventBlock,
    /// Events written and waiting to be.
    event_count: u32,
    /// Without the columns.
    users: UserBlock,
    item_counts: Vec<u32>,
}

impl<'a> UserWriter<'a> {
    /// For a log with so many items.
    pub(crate) fn new(
        writer: &'a mut SamplesWriter,
        layout: &Layout,
        format: RecordFormat,
        follow: Option<Follow>,
        items: usize,
    ) -> Self {
        let block = || RowBlock::new(layout);
        Self {
            writer,
            format,
            timed: layout.time.is_some(),
            follow,
            records: UserRecords::default(),
            samples: UserSamples::default(),
            rows: ByPart { train: block(), validation: block(), test: block() },
            events: EventBlock::new(layout),
            event_count: 0,
            users: UserBlock::new(layout),
            item_counts: vec![0; items],
        }
    }

    /// Writes the samples and events of all users, whose keys are given. Returns where each user's events are, without
    /// the columns of the users, and how many events each item has within the training windows.
    pub(crate) fn write(
        mut self,
        sorted: &mut Sorted,
        users: &TermTable,
        rules: &Rules,
        reporter: &mut Reporter<'_>,
    ) -> Result<(UserBlock, Vec<u32>), PrepareError> {
        let (mut done, mut told) = (0, 0);
        let mut progress = Progress { phase: Phase::Write, done, total: sorted.records(), rows: 0 };
        reporter.report(progress)?;
        for (code, key) in (0..).zip(users.iter()) {
            self.records.take(code, &self.format, sorted)?;
            if let Some(follow) = &mut self.follow {
                follow.label(&mut self.records.events);
            }
            rules.apply(key, &self.records.events, &mut self.samples);
            self.write_user(code)?;
            done += self.records.events.len() as u64;
            progress = Progress { done, rows: progress.rows + self.samples.samples.len() as u64, ..progress };
            if done - told >= RUN as u64 {
                told = done;
                reporter.report(progress)?;
            }
        }
        for part in Part::ALL {
            self.flush_rows(part)?;
        }
        self.flush_events()?;
        reporter.report(progress)?;
        Ok((self.users, self.item_counts))
    }

    /// Writes what the rules made of a user's records.
    fn write_user(&mut self, user: u32) -> Result<(), PrepareError> {
        let start = self.event_count;
        for (number, place) in (0..).zip(&self.samples.history) {
            let record = self.records.record(*place);
            let head = Head::read(record);
            self.events.items.push(head.item);
            if self.timed {
                self.events.times.push(head.time);
            }
            self.format.read_event(record, &mut self.events.columns);
            if number < self.samples.window_end {
                self.item_counts[head.item as usize] += 1;
            }
        }
        // A u32 counts the events of one user, for it counts the places of the records.
        let Some(end) = start.checked_add(self.samples.history.len() as u32) else {
            return Err(PrepareError::TooManyEvents);
        };
        self.event_count = end;
        self.users.events_starts.push(start);
        self.users.events_ends.push(end);
        self.users.window_ends.push(start + self.samples.window_end);
        for sample in &self.samples.samples {
            let record = self.records.record(sample.place);
            let head = Head::read(record);
            let block = self.rows.get_mut(sample.part);
            block.labels.push(u8::from(sample.positive));
            block.users.push(user);
            block.items.push(head.item);
            block.history_ends.push(start + sample.history_end);
            if self.timed {
                block.times.push(head.time);
            }
            self.format.read_row(record, &mut block.columns);
        }
        for part in Part::ALL {
            if self.rows.get(part).labels.len() >= RUN {
                self.flush_rows(part)?;
            }
        }
        if self.events.items.len() >= RUN {
            self.flush_events()?;
        }
        Ok(())
    }

    fn flush_rows(&mut self, part: Part) -> Result<(), PrepareError> {
        let block = self.rows.get_mut(part);
        self.writer.write_rows(part, block)?;
        block.clear();
        Ok(())
    }

    fn flush_events(&mut self) -> Result<(), PrepareError> {
        self.writer.write_events(&self.events)?;
        self.events.clear();
        Ok(())
    }
}

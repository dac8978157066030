//! Whether events and samples are in the order of their times.

use fain_storage::Chunks;

use crate::folder::SamplesFolder;
use crate::part::{ByPart, Part};
use crate::tables::{Events, Rows, Users};

/// What is not in the order of time. A folder that `fain prepare` wrote has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TimeFaults {
    /// Events older than the event before them of the same user.
    pub events: Faults,
    /// Samples older than the newest event of their history: the model would see the future.
    pub histories: ByPart<Faults>,
}

/// So many rows, and one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Faults {
    /// How many.
    pub count: u64,
    /// The first, counted from 0.
    pub first: Option<u64>,
}

impl Faults {
    fn add(&mut self, row: u64) {
        self.count += 1;
        self.first.get_or_insert(row);
    }

    fn of(rows: impl Iterator<Item = u64>) -> Self {
        let mut faults = Self::default();
        rows.for_each(|row| faults.add(row));
        faults
    }
}

impl SamplesFolder {
    /// Looks at the times of all events and samples; `None` if the folder has none.
    pub fn check_times(&self) -> Option<TimeFaults> {
        let events = self.events().times.as_ref()?;
        let mut faults = TimeFaults { events: unordered(self.users(), self.events(), events), ..TimeFaults::default() };
        for part in Part::ALL {
            let rows = self.rows(part);
            *faults.histories.get_mut(part) = ahead(self, rows, rows.times.as_ref()?, events);
        }
        Some(faults)
    }
}

fn unordered(users: &Users, events: &Events, times: &Chunks<i64>) -> Faults {
    let mut starts = users.events_starts.slices().flatten().map(|start| u64::from(*start)).peekable();
    let later = (1..events.rows).filter(|event| {
        // Users without events have the start of the next one.
        while starts.next_if(|start| start < event).is_some() {}
        starts.peek() != Some(event) && times.at(*event) < times.at(event - 1)
    });
    Faults::of(later)
}

fn ahead(folder: &SamplesFolder, rows: &Rows, times: &Chunks<i64>, events: &Chunks<i64>) -> Faults {
    let row_is_ahead = |row: &u64| {
        let history = folder.history(rows.users.at(*row), rows.history_ends.at(*row));
        !history.is_empty() && events.at(history.end - 1) > times.at(*row)
    };
    Faults::of((0..rows.rows).filter(row_is_ahead))
}

use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::blind::Blind;
use crate::config::Plan;
use crate::error::SimulatorError;
use crate::log;
use crate::output::NewFile;
use crate::person::{BLOCK, Person, people};
use crate::progress::{Phase, Progress, Report, report};
use crate::random::Purpose;
use crate::samples;
use crate::world::World;

/// A shop that is fully described and can be written. Made by
/// [`ShopConfig::check`](crate::ShopConfig::check).
#[derive(Debug, Clone)]
pub struct Shop {
    plan: Plan,
}

/// What [`Shop::write_samples`] wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleFiles {
    /// `train.csv`.
    pub train: PathBuf,
    /// `test.csv`: the last impressions of every user.
    pub test: PathBuf,
    /// Samples in `train.csv`.
    pub train_samples: u64,
    /// Samples in `test.csv`.
    pub test_samples: u64,
}

/// What [`Shop::write_log`] wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFiles {
    /// `events.csv`.
    pub events: PathBuf,
    /// `users.csv`.
    pub users: PathBuf,
    /// `items.csv`.
    pub items: PathBuf,
    /// Views, impressions and clicks in `events.csv`.
    pub event_count: u64,
}

impl Shop {
    pub(crate) fn new(plan: Plan) -> Self {
        Self { plan }
    }

    /// Number of users; their ids are `0..users`.
    pub fn users(&self) -> u64 {
        self.plan.users
    }

    /// Number of items; their ids are `0..items`.
    pub fn items(&self) -> u32 {
        self.plan.items
    }

    /// Number of categories; their ids are `0..categories`.
    pub fn categories(&self) -> u32 {
        self.plan.categories
    }

    /// Number of departments; their ids are `0..departments`.
    pub fn departments(&self) -> u32 {
        self.plan.departments
    }

    /// Writes `train.csv` and `test.csv` into `folder`: one row per impression, user by user, each
    /// user's in the order of time, with the history she had then and both known probabilities.
    ///
    /// Works on the current rayon thread pool; memory stays small whatever the size, and the bytes
    /// do not depend on the number of threads. Files of these names are replaced, one after the
    /// other, at the very end; an error or an interrupt before that leaves them as they were and
    /// leaves nothing else, but for the folder if it was missing.
    ///
    /// # Errors
    /// [`SimulatorError::Write`] names the file; [`SimulatorError::Interrupted`] when `progress`
    /// answers `Break`.
    pub fn write_samples(
        &self,
        folder: &Path,
        progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<SampleFiles, SimulatorError> {
        let mut train = NewFile::create(folder, "train.csv", samples::HEADER)?;
        let mut test = NewFile::create(folder, "test.csv", samples::HEADER)?;
        let world = World::new(&self.plan);
        let blind = Blind::calibrate(&world, progress)?;
        let (mut train_samples, mut test_samples) = (0, 0);
        self.for_each_block(
            |people| samples::write_people(&world, &blind, people),
            |rows| {
                let [train_text, test_text] = &rows.text;
                train_samples += rows.count[0];
                test_samples += rows.count[1];
                train.write(train_text)?;
                test.write(test_text)
            },
            progress,
        )?;
        let (train, test) = (train.complete()?, test.complete()?);
        Ok(SampleFiles { train: train.publish()?, test: test.publish()?, train_samples, test_samples })
    }

    /// Writes `events.csv`, `users.csv` and `items.csv` into `folder`: the log the samples are made
    /// from, user by user, each user's events in the order of time.
    ///
    /// What [`write_samples`](Self::write_samples) says of threads, memory and files holds here too.
    ///
    /// # Errors
    /// As [`write_samples`](Self::write_samples).
    pub fn write_log(
        &self,
        folder: &Path,
        progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<LogFiles, SimulatorError> {
        let mut events = NewFile::create(folder, "events.csv", log::EVENTS_HEADER)?;
        let mut users = NewFile::create(folder, "users.csv", log::USERS_HEADER)?;
        let mut items = NewFile::create(folder, "items.csv", log::ITEMS_HEADER)?;
        let world = World::new(&self.plan);
        let blind = Blind::calibrate(&world, progress)?;
        let mut event_count = 0;
        self.for_each_block(
            |people| log::write_people(&world, &blind, people),
            |rows| {
                event_count += rows.event_count;
                events.write(&rows.events)?;
                users.write(&rows.users)
            },
            progress,
        )?;
        let item_count = self.plan.items;
        for first in (0..item_count).step_by(10_000) {
            items.write(&log::write_items(&world.catalogue, first..item_count.min(first + 10_000)))?;
        }
        let (events, users, items) = (events.complete()?, users.complete()?, items.complete()?);
        Ok(LogFiles { events: events.publish()?, users: users.publish()?, items: items.publish()?, event_count })
    }

    /// Simulates all users on all threads, and hands what `simulate` made of each block to `write`,
    /// in the order of the users.
    fn for_each_block<T: Send>(
        &self,
        simulate: impl Fn(Vec<Person>) -> T + Sync,
        mut write: impl FnMut(T) -> Result<(), SimulatorError>,
        progress: Report<'_>,
    ) -> Result<(), SimulatorError> {
        let Plan { users, impressions, seed, .. } = self.plan;
        // Some blocks per thread at a time: few enough to bound the memory.
        let at_a_time = BLOCK * 4 * rayon::current_num_threads().max(1) as u64;
        let mut first = 0;
        report(progress, Phase::Write, 0, impressions)?;
        while first < users {
            let end = users.min(first + at_a_time);
            let blocks: Vec<Range<u64>> =
                (first..end).step_by(BLOCK as usize).map(|start| start..end.min(start + BLOCK)).collect();
            let parts: Vec<T> = blocks
                .into_par_iter()
                .map(|block| {
                    let shared = self.impressions_before(block.end) - self.impressions_before(block.start);
                    simulate(people(seed, Purpose::User, block, shared, self.plan.test_per_user + 1))
                })
                .collect();
            for part in parts {
                write(part)?;
            }
            first = end;
            report(progress, Phase::Write, self.impressions_before(first), impressions)?;
        }
        Ok(())
    }

    /// Impressions of all users before `user`, for a `user` at the border of a block.
    fn impressions_before(&self, user: u64) -> u64 {
        self.plan.impressions * user / self.plan.users
    }
}

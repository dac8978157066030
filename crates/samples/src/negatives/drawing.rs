//! Draws what one row of a samples folder needs.

use std::ops::Range;

use fain_storage::Chunks;

use crate::error::SamplesError;
use crate::negatives::chosen::ChosenItems;
use crate::negatives::key::{DrawKey, Slot};
use crate::negatives::rule::Negatives;
use crate::negatives::sampler::{Excluded, NegativeSampler, NoneLeft};
use crate::part::Part;

/// What the negatives of samples are drawn by: the rules, how popular the items are, and who chose what.
#[derive(Debug, Clone)]
pub struct Drawing {
    chosen: ChosenItems,
    candidates: Option<NegativeSampler>,
    history: Option<NegativeSampler>,
}

/// A stored row that items are drawn for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DrawnRow {
    /// The epoch, counted from 0.
    pub epoch: u64,
    /// The part of the row.
    pub part: Part,
    /// The stored row, counted from 0.
    pub row: u64,
    /// Its user.
    pub user: u32,
    /// The row behind the last event of its history.
    pub history_end: u32,
    /// The row behind the last event of the user's training window.
    pub window_end: u32,
}

/// The columns that say who chose what.
#[derive(Debug, Clone, Copy)]
pub struct Choices<'a> {
    /// The first event of each user.
    pub starts: &'a Chunks<u32>,
    /// Behind the last event of each user.
    pub ends: &'a Chunks<u32>,
    /// The item of each event.
    pub items: &'a Chunks<u32>,
}

impl Drawing {
    /// `None` if there are no rules. `counts` are the items' events within the training windows. A user whose events
    /// lie outside of the table of events has chosen nothing.
    ///
    /// # Errors
    /// [`SamplesError::Layout`] if a rule cannot be drawn by.
    pub fn new(
        negatives: &Negatives,
        counts: &Chunks<u32>,
        choices: Choices<'_>,
    ) -> Result<Option<Self>, SamplesError> {
        let sampler = |rule| NegativeSampler::new(rule, counts.slices().flatten().copied());
        let candidates = negatives.candidates.as_ref().map(|candidates| sampler(&candidates.rule)).transpose()?;
        let history = negatives.history.as_ref().map(sampler).transpose()?;
        if candidates.is_none() && history.is_none() {
            return Ok(None);
        }
        let ranges = choices.starts.slices().flatten().zip(choices.ends.slices().flatten());
        let chosen = |(start, end): (&u32, &u32)| {
            (*start..*end).map_while(|event| Some((event, choices.items.get(u64::from(event))?)))
        };
        Ok(Some(Self { chosen: ChosenItems::new(ranges.map(chosen)), candidates, history }))
    }

    /// The item of a row with label 0 beside a stored row whose item is `positive`. Such rows are numbered from 0. The
    /// positive itself where the rules draw no candidates.
    ///
    /// # Errors
    /// [`NoneLeft`] if the user has chosen every item that can be drawn.
    pub fn candidate(&self, row: &DrawnRow, positive: u32, number: u32) -> Result<u32, NoneLeft> {
        match &self.candidates {
            Some(sampler) => sampler.draw(key(row, Slot::Candidate(number)), &self.excluded(row, Some(positive))),
            None => Ok(positive),
        }
    }

    /// Puts an item for each of the events into `out`, which is as long as there are events; leaves it as it is where
    /// the rules draw no such items.
    ///
    /// # Errors
    /// As [`Drawing::candidate`].
    pub fn list(&self, row: &DrawnRow, events: Range<u64>, out: &mut [u32]) -> Result<(), NoneLeft> {
        let Some(sampler) = &self.history else { return Ok(()) };
        let first = Slot::History(events.start as u32);
        sampler.draw_list(key(row, first), events, &self.excluded(row, None), out)
    }

    fn excluded(&self, row: &DrawnRow, positive: Option<u32>) -> Excluded<'_> {
        let chosen = self.chosen.of(row.user).unwrap_or_default();
        Excluded { chosen, history_end: row.history_end, window_end: row.window_end, positive }
    }
}

fn key(row: &DrawnRow, slot: Slot) -> DrawKey {
    DrawKey { epoch: row.epoch, part: row.part, row: row.row, slot }
}

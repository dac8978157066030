//! Items drawn for rows: candidates with label 0, and one for each event of a history.

use std::ops::Range;

use fain_samples::{ChosenItems, DrawKey, Excluded, NegativeSampler, Negatives, NoneLeft, Part, SamplesError, Slot};
use fain_storage::Chunks;

/// What negatives are drawn by.
#[derive(Debug)]
pub(crate) struct Drawing {
    chosen: ChosenItems,
    candidates: Option<NegativeSampler>,
    history: Option<NegativeSampler>,
}

/// A stored row that something is drawn for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drawn {
    pub(crate) epoch: u64,
    pub(crate) part: Part,
    pub(crate) row: u64,
    pub(crate) user: u32,
    pub(crate) history_end: u32,
    pub(crate) window_end: u32,
}

/// The columns of users and events that say who chose what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Choices<'a> {
    pub(crate) starts: &'a Chunks<u32>,
    pub(crate) ends: &'a Chunks<u32>,
    pub(crate) items: &'a Chunks<u32>,
}

impl Drawing {
    /// `counts` are the items' events within training windows; `lists` is whether lists of negatives are read.
    pub(crate) fn new(
        negatives: &Negatives,
        lists: bool,
        counts: &Chunks<u32>,
        choices: Choices<'_>,
    ) -> Result<Option<Self>, SamplesError> {
        let counts = || counts.slices().flatten().copied();
        let candidates = negatives.candidates.as_ref().map(|candidates| NegativeSampler::new(&candidates.rule, counts()));
        let history = negatives.history.as_ref().filter(|_| lists).map(|rule| NegativeSampler::new(rule, counts()));
        let (candidates, history) = (candidates.transpose()?, history.transpose()?);
        if candidates.is_none() && history.is_none() {
            return Ok(None);
        }
        let spans = choices.starts.slices().flatten().zip(choices.ends.slices().flatten());
        let chosen = ChosenItems::new(
            spans.map(|(start, end)| (*start..*end).map(|event| (event, choices.items.at(u64::from(event))))),
        );
        Ok(Some(Self { chosen, candidates, history }))
    }

    /// The item of a row with label 0 beside a stored row with the item `positive`; such rows are numbered from 0. The
    /// positive itself where no candidates are drawn.
    pub(crate) fn candidate(&self, row: &Drawn, positive: u32, number: u32) -> Result<u32, NoneLeft> {
        match &self.candidates {
            Some(sampler) => sampler.draw(key(row, Slot::Candidate(number)), &self.excluded(row, Some(positive))),
            None => Ok(positive),
        }
    }

    /// Gives an item for each of the events to `take`. None are given where no lists are drawn.
    pub(crate) fn list(
        &self,
        row: &Drawn,
        events: Range<u64>,
        mut take: impl FnMut(u32),
    ) -> Result<(), NoneLeft> {
        let Some(sampler) = &self.history else { return Ok(()) };
        let excluded = self.excluded(row, None);
        for event in events {
            // Events are numbered by 32 bits.
            take(sampler.draw(key(row, Slot::History(event as u32)), &excluded)?);
        }
        Ok(())
    }

    fn excluded(&self, row: &Drawn, positive: Option<u32>) -> Excluded<'_> {
        let chosen = self.chosen.of(row.user).unwrap_or_default();
        Excluded { chosen, history_end: row.history_end, window_end: row.window_end, positive }
    }
}

fn key(row: &Drawn, slot: Slot) -> DrawKey {
    DrawKey { epoch: row.epoch, part: row.part, row: row.row, slot }
}

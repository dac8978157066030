//! Draws of negatives.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod distribution;
mod exclusion;
mod repetition;
mod traps;

use fain_samples::{
    ChosenItems, Distribution, Draw, DrawKey, Exclude, Excluded, NegativeRule, NegativeSampler, Part, Slot,
};

const KEY: DrawKey = DrawKey { epoch: 0, part: Part::Train, row: 0, slot: Slot::Candidate(0) };

fn rule(distribution: Distribution, exclude: Exclude) -> NegativeRule {
    NegativeRule { distribution, exclude, draw: Draw::Epoch, seed: 7 }
}

fn sampler(distribution: Distribution, exclude: Exclude, counts: &[u32]) -> NegativeSampler {
    NegativeSampler::new(&rule(distribution, exclude), counts.iter().copied()).unwrap()
}

/// One user with these items, one event each, from row 0 on.
fn one_user(items: &[u32]) -> ChosenItems {
    ChosenItems::new([(0..).zip(items.iter().copied())])
}

/// What is excluded for the sample behind the first `history_end` events of the one user.
fn excluded(chosen: &ChosenItems, history_end: u32, window_end: u32) -> Excluded<'_> {
    Excluded { chosen: chosen.of(0).unwrap(), history_end, window_end, positive: None }
}

//! The click probability as the best model sees it that does not read the history.
//!
//! Given item and profile, the base logit is fixed, and the history moves the logit by `gain · r`
//! with a relevance `r` that is random. Its distribution depends on the candidate only through the
//! category, because relevance compares categories, and because candidates are drawn without a look
//! at the history. So the blind probability is
//!
//! ```text
//! P(click | item, profile) = Σ_r P(r | category, profile, split) · sigmoid(base + gain · r)
//! ```
//!
//! It is the mean of the true probability over all that a blind model cannot tell apart, hence
//! calibrated, and no other function of item and profile ranks better in expectation.
//!
//! `P(r | …)` is counted on users simulated for this alone. They are not the users written, so the
//! blind probability carries nothing of a written user's history. Train and test have tables of
//! their own: the test split comes last in a user's life, when histories are longer.

use rayon::prelude::*;

use crate::error::SimulatorError;
use crate::journey::{Impression, Witness, live};
use crate::person::{BLOCK, Traits, people};
use crate::profile::{Profile, SEGMENTS};
use crate::progress::{Phase, Report, report};
use crate::random::Purpose;
use crate::relevance::RelevanceToAll;
use crate::split::Split;
use crate::world::World;

/// The distribution of the relevance is kept on this many evenly spaced values of `[0, 1]`. An
/// observation is shared between the two next to it, which keeps its mean; what is lost in the
/// probability is below gain² / 340,000: 7e-5 at gain 4.8.
const NODES: usize = 65;
/// A state's weight in counts, so that it can be shared in whole numbers.
const UNIT: u64 = 256;
/// Of a user's training impressions one in so many is counted; neighbours are too alike to tell more.
const SPACING: u64 = 4;

pub(crate) struct Blind {
    /// `[segment][split][category][node]`, each row summing to 1.
    weights: Vec<f32>,
    categories: usize,
    /// `exp(−gain · r)` of each node.
    odds: [f64; NODES],
}

impl Blind {
    pub(crate) fn calibrate(world: &World, progress: Report<'_>) -> Result<Self, SimulatorError> {
        let mut weights = Vec::new();
        let segments: Vec<usize> = (0..SEGMENTS).collect();
        report(progress, Phase::Calibrate, 0, SEGMENTS as u64)?;
        for some in segments.chunks(rayon::current_num_threads().max(1)) {
            let parts: Vec<Vec<f32>> = some.par_iter().map(|&segment| count_segment(world, segment)).collect();
            weights.extend(parts.into_iter().flatten());
            let done = some.last().map_or(0, |segment| segment + 1);
            report(progress, Phase::Calibrate, done as u64, SEGMENTS as u64)?;
        }
        Ok(Self::new(world, weights))
    }

    fn new(world: &World, weights: Vec<f32>) -> Self {
        let node = |index| index as f64 / (NODES - 1) as f64;
        Self {
            weights,
            categories: world.catalogue.category_count(),
            odds: std::array::from_fn(|index| libm::exp(-world.relevance.gain * node(index))),
        }
    }

    pub(crate) fn probability(&self, profile: Profile, impression: &Impression) -> f64 {
        let part = profile.segment() * Split::COUNT + impression.split as usize;
        let cell = part * self.categories + impression.category as usize;
        let base_odds = libm::exp(-impression.base);
        let weights = &self.weights[cell * NODES..(cell + 1) * NODES];
        weights.iter().zip(&self.odds).map(|(&weight, odds)| f64::from(weight) / (1.0 + base_odds * odds)).sum()
    }
}

/// Weights `[split][category][node]` of one profile.
fn count_segment(world: &World, segment: usize) -> Vec<f32> {
    let plan = &world.plan;
    // Enough that the counting error is small beside the sampling error of the data itself.
    let states = (plan.impressions / 5).clamp(8_000, 120_000);
    let blocks = (states * plan.users).div_ceil(plan.impressions * BLOCK).max(2);
    let profile = Profile::of_segment(segment);
    let mut tally = Tally {
        world,
        to_all: RelevanceToAll::new(&world.catalogue),
        counts: vec![0; Split::COUNT * plan.categories as usize * NODES],
        states: [0; Split::COUNT],
    };
    for block in 0..blocks {
        let first = ((segment as u64) << 32) + block * BLOCK;
        let impressions = plan.impressions * BLOCK / plan.users;
        let users = people(plan.seed, Purpose::Calibration, first..first + BLOCK, impressions, plan.test_per_user + 1);
        for mut person in users {
            person.traits.profile = profile;
            live(world, person, &mut tally);
        }
    }
    tally.weights()
}

/// Counts the relevance of every state to every category: the candidate actually shown is
/// independent of the state, so each state tells of all categories.
struct Tally<'a> {
    world: &'a World,
    to_all: RelevanceToAll,
    /// `[split][category][node]`; a category with relevance zero is not counted.
    counts: Vec<u64>,
    states: [u64; Split::COUNT],
}

impl Witness for Tally<'_> {
    fn impression(&mut self, user: &Traits, impression: &Impression, history: &[u32]) {
        let split = impression.split;
        if split == Split::Train && !(user.number + u64::from(impression.number)).is_multiple_of(SPACING) {
            return;
        }
        self.states[split as usize] += 1;
        let World { catalogue, relevance, .. } = self.world;
        let first = split as usize * catalogue.category_count();
        self.to_all.visit(relevance, catalogue, history, |category, value| {
            let place = value * (NODES - 1) as f64;
            let below = place as usize;
            let above = ((place - below as f64) * UNIT as f64).round() as u64;
            let cell = (first + category as usize) * NODES + below;
            self.counts[cell] += UNIT - above;
            // A relevance is below 1, so there is a node above it.
            self.counts[cell + 1] += above;
        });
    }

    fn event(&mut self, _user: &Traits, _time: u64, _item: u32, _clicked: bool) {}
}

impl Tally<'_> {
    fn weights(mut self) -> Vec<f32> {
        let per_split = self.world.catalogue.category_count() * NODES;
        for (of_split, states) in self.counts.chunks_exact_mut(per_split).zip(self.states) {
            for row in of_split.chunks_exact_mut(NODES) {
                row[0] += states * UNIT - row.iter().sum::<u64>();
            }
        }
        let total = |cell: usize| (self.states[cell / per_split] * UNIT) as f64;
        self.counts.iter().enumerate().map(|(cell, &count)| (count as f64 / total(cell)) as f32).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::{Blind, NODES, Tally};
    use crate::config::ShopConfig;
    use crate::error::SimulatorError;
    use crate::journey::{Impression, Witness};
    use crate::person::Traits;
    use crate::profile::{Profile, SEGMENTS};
    use crate::relevance::RelevanceToAll;
    use crate::split::Split;
    use crate::world::World;

    const SHOWN: Impression = Impression {
        time: 0,
        item: 0,
        category: 3,
        number: 0,
        split: Split::Test,
        base: -1.2,
        true_probability: 0.5,
        clicked: false,
    };

    fn world() -> Result<World, SimulatorError> {
        Ok(World::new(&ShopConfig { impressions: 10_000, ..ShopConfig::default() }.plan()?))
    }

    #[test]
    fn every_distribution_sums_to_one() -> Result<(), SimulatorError> {
        let world = world()?;
        let blind = Blind::calibrate(&world, &mut |_| ControlFlow::Continue(()))?;
        assert_eq!(blind.weights.len(), SEGMENTS * Split::COUNT * world.catalogue.category_count() * NODES);
        for row in blind.weights.chunks_exact(NODES) {
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{row:?}");
            assert!(row.iter().all(|&weight| weight >= 0.0), "{row:?}");
        }
        Ok(())
    }

    #[test]
    fn the_probability_is_the_mean_over_the_histories_counted() -> Result<(), SimulatorError> {
        let world = world()?;
        let related = 3 + world.plan.departments;
        let histories: [&[u32]; 5] = [&[], &[3], &[3, 3, 1], &[related, 0, 3, 3], &[1, 2]];
        let categories = world.catalogue.category_count();
        let mut tally = Tally {
            world: &world,
            to_all: RelevanceToAll::new(&world.catalogue),
            counts: vec![0; Split::COUNT * categories * NODES],
            states: [1, 0],
        };
        let user = Traits { number: 0, profile: Profile::of_segment(0), impressions: 1 };
        for history in histories {
            tally.impression(&user, &SHOWN, history);
        }
        let blind = Blind::new(&world, tally.weights());

        let gain = world.relevance.gain;
        let mean_at = |base: f64| {
            let click = |history: &&[u32]| {
                let relevance = world.relevance.of(&world.catalogue, history, 3);
                1.0 / (1.0 + (-base - gain * relevance).exp())
            };
            histories.iter().map(click).sum::<f64>() / histories.len() as f64
        };
        for base in [-4.0, -1.2, 0.7] {
            let got = blind.probability(user.profile, &Impression { base, ..SHOWN });
            assert!((got - mean_at(base)).abs() < 2e-4, "{got} {}", mean_at(base));
        }
        Ok(())
    }
}

//! What happens to one user: interests come and go, sessions pass, items are viewed, shown, clicked.

use crate::person::{Person, Traits};
use crate::profile::Profile;
use crate::random::Random;
use crate::split::Split;
use crate::world::World;

/// 2024-01-01, 00:00 UTC, in seconds.
const OPENING: u64 = 1_704_067_200;
const HOUR: u32 = 3600;

/// Views in a session beyond the first, on average; the same for impressions.
const MORE_VIEWS: f64 = 4.0;
const MORE_IMPRESSIONS: f64 = 2.0;
/// How many interests a user has at a time, at least and at most.
const INTERESTS: (u32, u32) = (3, 6);
/// Per session: an active interest stays active, a resting one wakes up.
const STAYS_ACTIVE: f64 = 0.7;
const WAKES_UP: f64 = 0.2;
/// Per session: one interest is given up for another; that one is an old one come back.
const REPLACED: f64 = 0.15;
const OLD_COMES_BACK: f64 = 0.4;
/// A view that has nothing to do with the user's interests.
const STRAY_VIEW: f64 = 0.1;

/// One candidate shown to a user.
pub(crate) struct Impression {
    pub(crate) time: u64,
    pub(crate) item: u32,
    pub(crate) category: u32,
    /// Counted from 0 for each user.
    pub(crate) number: u32,
    pub(crate) split: Split,
    /// The click logit without the history's part.
    pub(crate) base: f64,
    pub(crate) true_probability: f64,
    pub(crate) clicked: bool,
}

/// Sees a user's life go by, in the order of time.
pub(crate) trait Witness {
    /// A candidate was shown; `history` holds the categories of all events before, most recent last.
    fn impression(&mut self, user: &Traits, impression: &Impression, history: &[u32]);
    /// The user viewed or clicked an item, which is now the last event of her history.
    fn event(&mut self, user: &Traits, time: u64, item: u32, clicked: bool);
}

/// Lives a user's life before `witness`.
pub(crate) fn live(world: &World, person: Person, witness: &mut impl Witness) {
    let Person { traits: user, mut random } = person;
    let mut interests = Interests::new(world, user.profile, &mut random);
    let mut history = Vec::new();
    let mut time = OPENING + u64::from(random.below(30 * 24 * HOUR));
    let mut shown = 0;
    while shown < user.impressions {
        interests.next_session(world, user.profile, &mut random);
        let mut views = random.one_or_more(MORE_VIEWS);
        let mut candidates = random.one_or_more(MORE_IMPRESSIONS).min(user.impressions - shown);
        while views + candidates > 0 {
            // Times grow strictly, so that the order of a user's events is never in doubt.
            time += 5 + u64::from(random.below(120));
            if random.below(views + candidates) < views {
                views -= 1;
                let category = interests.draw(world, user.profile, &mut random);
                let item = world.catalogue.draw_item(category, &mut random);
                history.push(category);
                witness.event(&user, time, item, false);
                continue;
            }
            candidates -= 1;
            let impression = show(world, &user, &history, time, shown, &mut random);
            shown += 1;
            witness.impression(&user, &impression, &history);
            if impression.clicked {
                time += 1 + u64::from(random.below(4));
                history.push(impression.category);
                witness.event(&user, time, impression.item, true);
            }
        }
        time += u64::from(6 * HOUR + random.below(36 * HOUR));
    }
}

/// Shows a candidate. It is drawn from what people of the profile like, never from the user's own
/// history or interests: given the profile, what is shown says nothing about the history.
fn show(world: &World, user: &Traits, history: &[u32], time: u64, number: u32, random: &mut Random) -> Impression {
    let category = world.tastes.draw_category(user.profile, random);
    let item = world.catalogue.draw_item(category, random);
    let base = world.tastes.base(world.catalogue.item(item), user.profile);
    let relevance = world.relevance.of(&world.catalogue, history, category);
    let true_probability = 1.0 / (1.0 + libm::exp(-(base + world.relevance.gain * relevance)));
    let clicked = random.chance(true_probability);
    let is_train = number + world.plan.test_per_user < user.impressions;
    let split = if is_train { Split::Train } else { Split::Test };
    Impression { time, item, category, number, split, base, true_probability, clicked }
}

struct Interests {
    current: Vec<Interest>,
    past: Vec<u32>,
}

struct Interest {
    category: u32,
    active: bool,
}

impl Interests {
    fn new(world: &World, profile: Profile, random: &mut Random) -> Self {
        let count = INTERESTS.0 + random.below(INTERESTS.1 - INTERESTS.0 + 1);
        let mut interests = Self { current: Vec::new(), past: Vec::new() };
        for _ in 0..count {
            let category = interests.new_one(world, profile, random);
            interests.current.push(Interest { category, active: false });
        }
        interests
    }

    /// A category that is no current interest.
    fn new_one(&self, world: &World, profile: Profile, random: &mut Random) -> u32 {
        // There are more categories than interests, so this ends.
        loop {
            let category = world.tastes.draw_category(profile, random);
            if self.current.iter().all(|interest| interest.category != category) {
                return category;
            }
        }
    }

    fn next_session(&mut self, world: &World, profile: Profile, random: &mut Random) {
        if random.chance(REPLACED) {
            let category = if !self.past.is_empty() && random.chance(OLD_COMES_BACK) {
                self.past.swap_remove(random.below(self.past.len() as u32) as usize)
            } else {
                let new = self.new_one(world, profile, random);
                self.past.retain(|&old| old != new);
                new
            };
            let place = random.below(self.current.len() as u32) as usize;
            let given_up = std::mem::replace(&mut self.current[place], Interest { category, active: true });
            self.past.push(given_up.category);
        }
        for interest in &mut self.current {
            interest.active = random.chance(if interest.active { STAYS_ACTIVE } else { WAKES_UP });
        }
        if self.current.iter().all(|interest| !interest.active) {
            let place = random.below(self.current.len() as u32) as usize;
            self.current[place].active = true;
        }
    }

    /// The category of the next view: one of the active interests, or a stray one.
    fn draw(&self, world: &World, profile: Profile, random: &mut Random) -> u32 {
        if random.chance(STRAY_VIEW) {
            return world.tastes.draw_category(profile, random);
        }
        let active = || self.current.iter().filter(|interest| interest.active);
        let choice = random.below(active().count() as u32) as usize;
        // At least one interest is active after `next_session`.
        active().nth(choice).map_or(0, |interest| interest.category)
    }
}

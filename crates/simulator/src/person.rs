//! Users: how active each is, of which profile, and her own stream of chance.

use std::ops::Range;

use crate::profile::Profile;
use crate::random::{Purpose, Random};

/// Users made together. Their impressions add up exactly, whatever activity each one drew.
pub(crate) const BLOCK: u64 = 64;

/// A user before anything has happened to her.
pub(crate) struct Person {
    pub(crate) traits: Traits,
    /// The rest of her stream: everything that will happen to her.
    pub(crate) random: Random,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Traits {
    pub(crate) number: u64,
    pub(crate) profile: Profile,
    /// How many impressions she is shown in all.
    pub(crate) impressions: u32,
}

/// The users `numbers`, who share `impressions`; each has at least `least`.
///
/// A user depends on the others of her block only in how many impressions she gets.
pub(crate) fn people(seed: u64, purpose: Purpose, numbers: Range<u64>, impressions: u64, least: u32) -> Vec<Person> {
    let spare = impressions.saturating_sub(u64::from(least) * (numbers.end - numbers.start)) as f64;
    let mut activity = 0.0;
    let mut people: Vec<(f64, Person)> = numbers
        .map(|number| {
            let mut random = Random::new(seed, purpose, number);
            // Heavy-tailed: half of the users have a tenth of the activity.
            activity += 1.0 / (random.uniform() + 0.1) - 0.9;
            let profile = Profile::draw(&mut random);
            let traits = Traits { number, profile, impressions: least };
            (activity, Person { traits, random })
        })
        .collect();
    let mut given = 0;
    for (activity_up_to_here, person) in &mut people {
        let up_to_here = (spare * (*activity_up_to_here / activity)) as u32;
        person.traits.impressions += up_to_here - given;
        given = up_to_here;
    }
    people.into_iter().map(|(_, person)| person).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    use super::people;
    use crate::random::Purpose;

    proptest! {
        #[test]
        fn impressions_add_up(seed in 0_u64..1000, first in 0_u64..1000, users in 1_u64..100, mean in 5_u64..100) {
            let total = users * mean + 3;
            let block = people(seed, Purpose::User, first..first + users, total, 5);
            let impressions: Vec<u32> = block.iter().map(|person| person.traits.impressions).collect();
            prop_assert_eq!(impressions.len() as u64, users);
            prop_assert_eq!(impressions.iter().map(|&n| u64::from(n)).sum::<u64>(), total);
            prop_assert!(impressions.iter().all(|&n| n >= 5));
        }
    }

    #[test]
    fn activity_is_heavy_tailed() {
        let mut impressions: Vec<u32> =
            people(1, Purpose::User, 0..10_000, 400_000, 5).iter().map(|person| person.traits.impressions).collect();
        impressions.sort_unstable();
        let of_the_lower_half: u32 = impressions[..5000].iter().map(|n| n - 5).sum();
        let share = f64::from(of_the_lower_half) / 350_000.0;
        assert!((share - 0.104).abs() < 0.02, "{share}");
    }
}

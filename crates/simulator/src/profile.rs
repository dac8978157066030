//! Who a user is, as far as the shop is told.

use crate::random::{Random, cumulative};

pub(crate) const AGE_GROUPS: [&str; 6] = ["18-24", "25-34", "35-44", "45-54", "55-64", "65+"];
pub(crate) const GENDERS: [&str; 2] = ["f", "m"];
pub(crate) const CITY_TIERS: [&str; 3] = ["1", "2", "3"];

const AGE_SHARES: [f64; 6] = [0.18, 0.26, 0.21, 0.16, 0.12, 0.07];
const CITY_TIER_SHARES: [f64; 3] = [0.3, 0.4, 0.3];

/// Number of different profiles.
pub(crate) const SEGMENTS: usize = AGE_GROUPS.len() * GENDERS.len() * CITY_TIERS.len();

/// Every field indexes the list of its names above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Profile {
    pub(crate) age_group: usize,
    pub(crate) gender: usize,
    pub(crate) city_tier: usize,
}

impl Profile {
    pub(crate) fn draw(random: &mut Random) -> Self {
        Self {
            age_group: random.index(&cumulative(AGE_SHARES)),
            gender: usize::from(random.chance(0.5)),
            city_tier: random.index(&cumulative(CITY_TIER_SHARES)),
        }
    }

    /// The profile's number, `0..SEGMENTS`.
    pub(crate) fn segment(self) -> usize {
        (self.age_group * GENDERS.len() + self.gender) * CITY_TIERS.len() + self.city_tier
    }

    pub(crate) fn of_segment(segment: usize) -> Self {
        Self {
            age_group: segment / CITY_TIERS.len() / GENDERS.len() % AGE_GROUPS.len(),
            gender: segment / CITY_TIERS.len() % GENDERS.len(),
            city_tier: segment % CITY_TIERS.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AGE_SHARES, CITY_TIER_SHARES, Profile, SEGMENTS};
    use crate::random::{Purpose, Random};

    #[test]
    fn segments_number_the_profiles() {
        for segment in 0..SEGMENTS {
            assert_eq!(Profile::of_segment(segment).segment(), segment);
        }
    }

    #[test]
    fn profiles_follow_their_shares() {
        let mut random = Random::new(1, Purpose::User, 0);
        let draws: Vec<Profile> = (0..10_000).map(|_| Profile::draw(&mut random)).collect();
        let share = |is: &dyn Fn(&Profile) -> bool| draws.iter().filter(|p| is(p)).count() as f64 / 10_000.0;
        for (age_group, expected) in AGE_SHARES.into_iter().enumerate() {
            assert!((share(&|p| p.age_group == age_group) - expected).abs() < 0.02);
        }
        for (city_tier, expected) in CITY_TIER_SHARES.into_iter().enumerate() {
            assert!((share(&|p| p.city_tier == city_tier) - expected).abs() < 0.02);
        }
        assert!((share(&|p| p.gender == 1) - 0.5).abs() < 0.02);
    }
}

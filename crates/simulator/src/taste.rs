//! What people of a profile like, before anything is known of the person.

use crate::catalogue::{Item, category_popularity};
use crate::config::Plan;
use crate::profile::{AGE_GROUPS, GENDERS, Profile};
use crate::random::{Purpose, Random, cumulative};

/// How much dearer-than-usual items lose, by city tier, per unit of dearness.
const PRICE_AVERSION: [f64; 3] = [0.05, 0.2, 0.35];
/// Sets the share of clicked impressions.
const BIAS: f64 = -2.6;

pub(crate) struct Tastes {
    /// By age group and gender: how much each category is liked.
    affinities: Vec<Vec<f64>>,
    /// By age group and gender: running sums of the weights with which categories are drawn.
    draws: Vec<Vec<f64>>,
}

impl Tastes {
    pub(crate) fn new(plan: &Plan) -> Self {
        let by_age: Vec<Vec<f64>> = (0..AGE_GROUPS.len()).map(|age| leanings(plan, age)).collect();
        let by_gender: Vec<Vec<f64>> =
            (0..GENDERS.len()).map(|gender| leanings(plan, AGE_GROUPS.len() + gender)).collect();
        let affinities: Vec<Vec<f64>> = by_age
            .iter()
            .flat_map(|age| by_gender.iter().map(move |gender| (age, gender)))
            .map(|(age, gender)| age.iter().zip(gender).map(|(a, g)| a + g).collect())
            .collect();
        let draws = affinities
            .iter()
            .map(|affinity: &Vec<f64>| {
                let weight = |(category, a): (u32, &f64)| category_popularity(category) * libm::exp(*a);
                cumulative((0..plan.categories).zip(affinity).map(weight))
            })
            .collect();
        Self { affinities, draws }
    }

    /// A category as likely as people of this profile like it.
    pub(crate) fn draw_category(&self, profile: Profile, random: &mut Random) -> u32 {
        random.index(&self.draws[row(profile)]) as u32
    }

    /// The click logit of an item for a profile, the history left out.
    pub(crate) fn base(&self, item: &Item, profile: Profile) -> f64 {
        BIAS + f64::from(item.quality) + 0.6 * self.affinities[row(profile)][item.category as usize]
            - PRICE_AVERSION[profile.city_tier] * f64::from(item.dearness)
    }
}

fn leanings(plan: &Plan, stream: usize) -> Vec<f64> {
    let mut random = Random::new(plan.seed, Purpose::Taste, stream as u64);
    (0..plan.categories).map(|_| 0.28 * random.bell()).collect()
}

fn row(profile: Profile) -> usize {
    profile.age_group * GENDERS.len() + profile.gender
}

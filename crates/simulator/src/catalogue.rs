//! What the shop sells: items in categories, categories in departments.

use crate::config::Plan;
use crate::random::{Purpose, Random, cumulative};

#[derive(Debug, Clone, Copy)]
pub(crate) struct Item {
    pub(crate) category: u32,
    pub(crate) cents: u32,
    /// How dear the item is for its category: about standard normal.
    pub(crate) dearness: f32,
    /// What the item itself adds to the click logit, its category included.
    pub(crate) quality: f32,
}

pub(crate) struct Catalogue {
    items: Vec<Item>,
    /// Item numbers of category `c`: `first_items[c]..first_items[c + 1]`, the most popular first.
    first_items: Vec<u32>,
    /// Department of each category.
    departments: Vec<u32>,
    department_count: u32,
    /// Running sums of the item weights by rank, shared by all categories.
    ranks: Vec<f64>,
}

impl Catalogue {
    pub(crate) fn new(plan: &Plan) -> Self {
        let first_items = share_out(plan.items, plan.categories);
        let widest = first_items.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
        let mut items = Vec::with_capacity(plan.items as usize);
        for (category, pair) in (0..plan.categories).zip(first_items.windows(2)) {
            // One stream per category: what it sells does not depend on the other categories.
            let mut random = Random::new(plan.seed, Purpose::Catalogue, u64::from(category));
            let category_quality = 0.3 * random.bell();
            let category_price = 3.0 + 0.8 * random.bell();
            items.extend((pair[0]..pair[1]).map(|_| {
                let dearness = random.bell();
                Item {
                    category,
                    cents: (100.0 * libm::exp(category_price + 0.5 * dearness)).round() as u32,
                    dearness: dearness as f32,
                    quality: (category_quality + 0.3 * random.bell()) as f32,
                }
            }));
        }
        Self {
            items,
            first_items,
            // Dealt in turn, so that each department has popular and rare categories.
            departments: (0..plan.categories).map(|category| category % plan.departments).collect(),
            department_count: plan.departments,
            ranks: cumulative((0..widest).map(|rank| 1.0 / (f64::from(rank) + 3.0))),
        }
    }

    pub(crate) fn category_count(&self) -> usize {
        self.departments.len()
    }

    pub(crate) fn department_count(&self) -> usize {
        self.department_count as usize
    }

    pub(crate) fn item(&self, number: u32) -> &Item {
        &self.items[number as usize]
    }

    pub(crate) fn department(&self, category: u32) -> u32 {
        self.departments[category as usize]
    }

    pub(crate) fn categories_of(&self, department: u32) -> impl Iterator<Item = u32> + use<> {
        (department..self.departments.len() as u32).step_by(self.department_count as usize)
    }

    /// An item of the category: Zipf with exponent 1, the head flattened by two ranks.
    pub(crate) fn draw_item(&self, category: u32, random: &mut Random) -> u32 {
        let category = category as usize;
        let (first, end) = (self.first_items[category], self.first_items[category + 1]);
        first + random.index(&self.ranks[..(end - first) as usize]) as u32
    }
}

/// Popularity of the category of this rank: Zipf with exponent 3/2, the head flattened by six ranks.
/// The tail is light enough that a shop with more categories hides the interests hardly better.
pub(crate) fn category_popularity(category: u32) -> f64 {
    let rank = f64::from(category) + 7.0;
    // A square root, unlike a power, is exact on every machine.
    1.0 / (rank * rank.sqrt())
}

/// First item number of each category, and the number of items at the end. A category has two items
/// and its part of the rest, by popularity.
fn share_out(items: u32, categories: u32) -> Vec<u32> {
    let sums = cumulative((0..categories).map(category_popularity));
    let total = sums.last().copied().unwrap_or(1.0);
    let rest = f64::from(items - 2 * categories);
    let end = |category: u32| 2 * (category + 1) + (rest * (sums[category as usize] / total)) as u32;
    std::iter::once(0).chain((0..categories).map(end)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, prop_assert, prop_assert_eq, proptest};

    use super::share_out;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(50))]
        #[test]
        fn every_item_has_one_category(categories in 10_u32..2000, extra in 0_u32..100_000) {
            let items = 2 * categories + extra;
            let first = share_out(items, categories);
            prop_assert_eq!(first.len() as u32, categories + 1);
            prop_assert_eq!((first[0], first[categories as usize]), (0, items));
            prop_assert!(first.windows(2).all(|pair| pair[1] - pair[0] >= 2));
        }
    }
}

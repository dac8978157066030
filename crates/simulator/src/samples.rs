//! Users as rows of `train.csv` and `test.csv`.

use crate::blind::Blind;
use crate::catalogue::Catalogue;
use crate::journey::{Impression, Witness, live};
use crate::negatives::Negatives;
use crate::person::{Person, Traits};
use crate::profile::{AGE_GROUPS, CITY_TIERS, GENDERS, Profile};
use crate::split::Split;
use crate::text::{push_number, push_price, push_probability};
use crate::world::World;

pub(crate) const HEADER: &[u8] = b"label,user,time,age_group,gender,city_tier,item,category,department,price,\
history_items,history_categories,negative_items,negative_categories,blind_probability,true_probability\n";

/// The rows of some users, by split.
#[derive(Default)]
pub(crate) struct Rows {
    pub(crate) text: [Vec<u8>; Split::COUNT],
    pub(crate) count: [u64; Split::COUNT],
}

pub(crate) fn write_people(world: &World, blind: &Blind, people: Vec<Person>) -> Rows {
    let mut rows = Rows::default();
    for person in people {
        let mut writer = Writer {
            world,
            blind,
            items: Joined::default(),
            categories: Joined::default(),
            negatives: Negatives::new(world.plan.seed, person.traits.number, world.plan.items),
            negative_categories: Vec::new(),
            rows: &mut rows,
        };
        live(world, person, &mut writer);
    }
    rows
}

struct Writer<'a> {
    world: &'a World,
    blind: &'a Blind,
    items: Joined,
    categories: Joined,
    negatives: Negatives,
    /// The categories of one row's negatives, as text; kept for its memory.
    negative_categories: Vec<u8>,
    rows: &'a mut Rows,
}

impl Witness for Writer<'_> {
    fn impression(&mut self, user: &Traits, impression: &Impression, _history: &[u32]) {
        let World { plan, catalogue, .. } = self.world;
        self.rows.count[impression.split as usize] += 1;
        let row = &mut self.rows.text[impression.split as usize];
        push_number(row, u64::from(impression.clicked));
        row.push(b',');
        push_number(row, user.number);
        row.push(b',');
        push_number(row, impression.time);
        push_profile(row, user.profile);
        row.push(b',');
        push_item(row, catalogue, impression.item);
        for joined in [&self.items, &self.categories] {
            row.push(b',');
            row.extend_from_slice(joined.last(plan.history_length));
        }
        row.push(b',');
        let (start, categories) = (row.len(), &mut self.negative_categories);
        categories.clear();
        self.negatives.draw(plan.history_length, |item| {
            if row.len() > start {
                row.push(b'|');
                categories.push(b'|');
            }
            push_number(row, u64::from(item));
            push_number(categories, u64::from(catalogue.item(item).category));
        });
        row.push(b',');
        row.extend_from_slice(categories);
        for probability in [self.blind.probability(user.profile, impression), impression.true_probability] {
            row.push(b',');
            push_probability(row, probability);
        }
        row.push(b'\n');
    }

    fn event(&mut self, _user: &Traits, _time: u64, item: u32, _clicked: bool) {
        self.negatives.event(item);
        self.items.push(item);
        self.categories.push(self.world.catalogue.item(item).category);
    }
}

/// `item,category,department,price`
pub(crate) fn push_item(row: &mut Vec<u8>, catalogue: &Catalogue, number: u32) {
    let item = catalogue.item(number);
    for number in [number, item.category, catalogue.department(item.category)] {
        push_number(row, u64::from(number));
        row.push(b',');
    }
    push_price(row, item.cents);
}

/// `,age_group,gender,city_tier`
pub(crate) fn push_profile(row: &mut Vec<u8>, profile: Profile) {
    for name in [AGE_GROUPS[profile.age_group], GENDERS[profile.gender], CITY_TIERS[profile.city_tier]] {
        row.push(b',');
        row.extend_from_slice(name.as_bytes());
    }
}

/// Numbers joined by `|`. The last ones are a slice of the text, so that a sample costs a copy of
/// bytes and no formatting.
#[derive(Default)]
struct Joined {
    text: Vec<u8>,
    starts: Vec<usize>,
}

impl Joined {
    fn push(&mut self, number: u32) {
        if !self.text.is_empty() {
            self.text.push(b'|');
        }
        self.starts.push(self.text.len());
        push_number(&mut self.text, u64::from(number));
    }

    fn last(&self, count: usize) -> &[u8] {
        let first = self.starts.len().saturating_sub(count);
        self.starts.get(first).map_or(&[], |&start| &self.text[start..])
    }
}

#[cfg(test)]
mod tests {
    use super::Joined;

    #[test]
    fn the_last_of_a_joined_list() {
        let mut joined = Joined::default();
        assert_eq!(joined.last(3), b"");
        joined.push(0);
        assert_eq!(joined.last(3), b"0");
        for number in [12, 3, 456] {
            joined.push(number);
        }
        assert_eq!(joined.last(3), b"12|3|456");
        assert_eq!(joined.last(4), b"0|12|3|456");
    }
}

//! Users as rows of `events.csv` and `users.csv`, items as rows of `items.csv`.

use std::ops::Range;

use crate::blind::Blind;
use crate::catalogue::Catalogue;
use crate::journey::{Impression, Witness, live};
use crate::person::{Person, Traits};
use crate::samples::{push_item, push_profile};
use crate::text::{push_number, push_probability};
use crate::world::World;

pub(crate) const EVENTS_HEADER: &[u8] = b"user,time,event,item,blind_probability,true_probability\n";
pub(crate) const USERS_HEADER: &[u8] = b"user,age_group,gender,city_tier\n";
pub(crate) const ITEMS_HEADER: &[u8] = b"item,category,department,price\n";

/// The rows of some users.
#[derive(Default)]
pub(crate) struct Rows {
    pub(crate) events: Vec<u8>,
    pub(crate) event_count: u64,
    pub(crate) users: Vec<u8>,
}

pub(crate) fn write_people(world: &World, blind: &Blind, people: Vec<Person>) -> Rows {
    let mut rows = Rows::default();
    for person in people {
        push_number(&mut rows.users, person.traits.number);
        push_profile(&mut rows.users, person.traits.profile);
        rows.users.push(b'\n');
        live(world, person, &mut Writer { blind, rows: &mut rows });
    }
    rows
}

/// Rows of the items `numbers`.
pub(crate) fn write_items(catalogue: &Catalogue, numbers: Range<u32>) -> Vec<u8> {
    let mut rows = Vec::new();
    for number in numbers {
        push_item(&mut rows, catalogue, number);
        rows.push(b'\n');
    }
    rows
}

struct Writer<'a> {
    blind: &'a Blind,
    rows: &'a mut Rows,
}

impl Writer<'_> {
    /// `user,time,event,item,`
    fn push(&mut self, user: &Traits, time: u64, event: &str, item: u32) {
        self.rows.event_count += 1;
        let row = &mut self.rows.events;
        push_number(row, user.number);
        row.push(b',');
        push_number(row, time);
        row.push(b',');
        row.extend_from_slice(event.as_bytes());
        row.push(b',');
        push_number(row, u64::from(item));
        row.push(b',');
    }
}

impl Witness for Writer<'_> {
    fn impression(&mut self, user: &Traits, impression: &Impression, _history: &[u32]) {
        self.push(user, impression.time, "impression", impression.item);
        let row = &mut self.rows.events;
        push_probability(row, self.blind.probability(user.profile, impression));
        row.push(b',');
        push_probability(row, impression.true_probability);
        row.push(b'\n');
    }

    fn event(&mut self, user: &Traits, time: u64, item: u32, clicked: bool) {
        self.push(user, time, if clicked { "click" } else { "view" }, item);
        self.rows.events.extend_from_slice(b",\n");
    }
}

//! The log holds all that the samples are made of.

use std::collections::BTreeMap;

use fain_simulator::ShopConfig;

use crate::rows::{Sample, go_on, rows, samples};

#[test]
fn the_samples_can_be_made_from_the_log() {
    let config = ShopConfig { impressions: 10_000, history_length: 20, ..ShopConfig::default() };
    let shop = config.check().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let written = shop.write_samples(folder.path(), &mut go_on).unwrap();
    let log = shop.write_log(folder.path(), &mut go_on).unwrap();

    let users = rows(&log.users, "user,age_group,gender,city_tier");
    assert!(users.iter().enumerate().all(|(number, user)| user[0] == number.to_string()));
    assert_eq!(users.len() as u64, shop.users());
    let items = rows(&log.items, "item,category,department,price");
    assert!(items.iter().enumerate().all(|(number, item)| item[0] == number.to_string()));
    assert_eq!(items.len() as u32, shop.items());
    let events = rows(&log.events, "user,time,event,item,blind_probability,true_probability");
    assert_eq!(events.len() as u64, log.event_count);

    let mut made: Vec<Sample> = Vec::new();
    let mut history: Vec<u32> = Vec::new();
    let mut before: Option<(u64, u64)> = None;
    for (number, event) in events.iter().enumerate() {
        let (user, time): (u64, u64) = (event[0].parse().unwrap(), event[1].parse().unwrap());
        let item: u32 = event[3].parse().unwrap();
        assert!(before < Some((user, time)), "ordered by user and time, no two events at once");
        if before.is_none_or(|(last, _)| last != user) {
            history.clear();
        }
        before = Some((user, time));
        if event[2] != "impression" {
            assert!(event[2] == "view" || event[2] == "click", "{event:?}");
            assert_eq!((event[4].as_str(), event[5].as_str()), ("", ""));
            history.push(item);
            continue;
        }
        let clicked = events.get(number + 1).is_some_and(|next| next[2] == "click");
        let history_items = history[history.len().saturating_sub(20)..].to_vec();
        let category_of = |item: u32| items[item as usize][1].parse().unwrap();
        made.push(Sample {
            label: f64::from(u8::from(clicked)),
            user,
            time,
            age_group: users[user as usize][1].clone(),
            gender: users[user as usize][2].clone(),
            city_tier: users[user as usize][3].clone(),
            item,
            category: category_of(item),
            department: items[item as usize][2].parse().unwrap(),
            price: items[item as usize][3].parse().unwrap(),
            history_categories: history_items.iter().map(|&item| category_of(item)).collect(),
            history_items,
            // The log tells what happened, not what was drawn for a loss.
            negative_items: Vec::new(),
            negative_categories: Vec::new(),
            blind: event[4].parse().unwrap(),
            optimal: event[5].parse().unwrap(),
        });
    }

    let mut from_samples: BTreeMap<(u64, u64), Sample> = BTreeMap::new();
    for mut sample in samples(&written.train).into_iter().chain(samples(&written.test)) {
        (sample.negative_items, sample.negative_categories) = (Vec::new(), Vec::new());
        from_samples.insert((sample.user, sample.time), sample);
    }
    assert_eq!(made.len(), 10_000);
    assert!(made.iter().eq(from_samples.values()));
    assert!(made.iter().any(|sample| sample.history_items.is_empty()));
    assert!(made.iter().any(|sample| sample.history_items.len() == 20));
}

//! The negatives are what they are said to be, and tell nothing of the label.

use std::collections::{BTreeMap, BTreeSet};

use fain_simulator::ShopConfig;

use crate::rows::{Sample, generate};

/// Few items, so that a candidate often stands among the negatives; every history is whole but those of
/// the busiest users.
fn config() -> ShopConfig {
    ShopConfig {
        impressions: 60_000,
        items: Some(300),
        categories: Some(30),
        history_length: 100,
        ..ShopConfig::default()
    }
}

/// The samples in the order of each user's time.
fn samples() -> Vec<Sample> {
    let (train, test) = generate(&config());
    let mut samples = [train, test].concat();
    samples.sort_by_key(|sample| (sample.user, sample.time));
    samples
}

#[test]
fn every_event_has_a_negative_that_the_user_did_not_choose() {
    let samples = samples();
    let categories: BTreeMap<u32, u32> = samples.iter().map(|sample| (sample.item, sample.category)).collect();
    let mut chosen: BTreeSet<u32> = BTreeSet::new();
    let (mut user, mut negatives) = (None, 0);
    for sample in &samples {
        if user.replace(sample.user) != Some(sample.user) {
            chosen.clear();
        }
        // Each row has the events since the row before: no session has a hundred.
        chosen.extend(&sample.history_items);
        assert_eq!(sample.negative_items.len(), sample.history_items.len());
        assert_eq!(sample.negative_categories.len(), sample.history_items.len());
        for (item, category) in sample.negative_items.iter().zip(&sample.negative_categories) {
            assert!(!chosen.contains(item), "{sample:?}");
            assert!(categories.get(item).is_none_or(|known| known == category), "{sample:?}");
            negatives += 1;
        }
    }
    assert!(negatives > 1_000_000, "{negatives}");
}

/// A sum of events that were each expected with some probability.
#[derive(Debug, Default)]
struct Tally {
    rows: u32,
    seen: f64,
    expected: f64,
    variance: f64,
}

impl Tally {
    fn add(&mut self, seen: bool, probability: f64) {
        self.rows += 1;
        self.seen += f64::from(u8::from(seen));
        self.expected += probability;
        self.variance += probability * (1.0 - probability);
    }

    /// Whether what was seen is within four standard deviations of what was expected.
    fn fits(&self) -> bool {
        (self.seen - self.expected).abs() < 4.0 * self.variance.sqrt()
    }
}

/// Given the history, negatives are independent of the candidate and of the click: a candidate stands
/// among them with the probability that follows from the history alone. (Of all candidates the clicked
/// ones are a little rarer there, as more of them were chosen before; that is what the history says.)
#[test]
fn clicked_candidates_stand_among_the_negatives_as_often_as_others() {
    let mut tallies = [Tally::default(), Tally::default()];
    for sample in samples() {
        let distinct: BTreeSet<u32> = sample.history_items.iter().copied().collect();
        // A history that is cut does not say which items were chosen before.
        if sample.history_items.len() == 100 || distinct.contains(&sample.item) {
            continue;
        }
        let left = (300 - distinct.len()) as f64;
        let none = (1.0 - 1.0 / left).powi(sample.negative_items.len() as i32);
        tallies[sample.label as usize].add(sample.negative_items.contains(&sample.item), 1.0 - none);
    }
    for tally in &tallies {
        assert!(tally.rows > 4_000 && tally.expected > 400.0, "{tallies:?}");
        assert!(tally.fits(), "{tallies:?}");
    }
}

/// Items that a user clicks later are drawn as if it were not known.
#[test]
fn what_is_clicked_later_is_drawn_as_often_as_anything() {
    let samples = samples();
    let mut tally = Tally::default();
    for of_user in samples.chunk_by(|a, b| a.user == b.user) {
        for (place, sample) in of_user.iter().enumerate() {
            let distinct: BTreeSet<u32> = sample.history_items.iter().copied().collect();
            if sample.history_items.len() == 100 {
                continue;
            }
            let clicked = of_user[place..].iter().filter(|later| later.label > 0.5).map(|later| later.item);
            let later: BTreeSet<u32> = clicked.filter(|item| !distinct.contains(item)).collect();
            let probability = later.len() as f64 / (300 - distinct.len()) as f64;
            for item in &sample.negative_items {
                tally.add(later.contains(item), probability);
            }
        }
    }
    assert!(tally.expected > 5_000.0 && tally.fits(), "{tally:?}");
}

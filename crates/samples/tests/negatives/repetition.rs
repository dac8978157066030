//! The same draws, whoever makes them and when.

use fain_samples::{Distribution, Draw, DrawKey, Exclude, NegativeRule, NegativeSampler, Part, Slot};

use crate::{excluded, one_user, rule};

fn counts() -> impl Iterator<Item = u32> {
    (0..1000).map(|item| item % 17)
}

fn keys() -> Vec<DrawKey> {
    let mut keys = Vec::new();
    for epoch in 0..2 {
        for part in Part::ALL {
            for row in 0..40 {
                keys.extend((0..3).map(|place| DrawKey { epoch, part, row, slot: Slot::Candidate(place) }));
                keys.extend((0..3).map(|event| DrawKey { epoch, part, row, slot: Slot::History(event) }));
            }
        }
    }
    keys
}

#[test]
fn epochs_differ_if_the_rule_says_so() {
    let chosen = one_user(&[3, 5]);
    let draws = |draw, epoch| -> Vec<u32> {
        let rule = NegativeRule { draw, ..rule(Distribution::Uniform, Exclude::Past) };
        let sampler = NegativeSampler::new(&rule, counts()).unwrap();
        let key = |row| DrawKey { epoch, row, ..crate::KEY };
        (0..100).map(|row| sampler.draw(key(row), &excluded(&chosen, 2, 0)).unwrap()).collect()
    };
    assert_eq!(draws(Draw::Fixed, 0), draws(Draw::Fixed, 5));
    assert_eq!(draws(Draw::Fixed, 0), draws(Draw::Epoch, 0));
    assert_eq!(draws(Draw::Epoch, 5), draws(Draw::Epoch, 5));
    let other = draws(Draw::Epoch, 5);
    let same = draws(Draw::Epoch, 0).iter().zip(&other).filter(|(a, b)| a == b).count();
    assert!(same < 5, "{same} of 100");
}

#[test]
fn seeds_differ() {
    let chosen = one_user(&[]);
    let draws = |seed| -> Vec<u32> {
        let rule = NegativeRule { seed, ..rule(Distribution::Popularity(1.0), Exclude::Past) };
        let sampler = NegativeSampler::new(&rule, counts()).unwrap();
        keys().into_iter().map(|key| sampler.draw(key, &excluded(&chosen, 0, 0)).unwrap()).collect()
    };
    assert_eq!(draws(1), draws(1));
    assert_ne!(draws(1), draws(2));
}

/// Negatives that are stored nowhere are part of the format: another version must draw the same.
#[test]
fn draws_are_stable_between_versions() {
    let chosen = one_user(&[3, 5, 8]);
    let draws = |distribution| -> Vec<u32> {
        let sampler = NegativeSampler::new(&rule(distribution, Exclude::Past), counts()).unwrap();
        let keys = keys();
        keys.iter().step_by(121).map(|key| sampler.draw(*key, &excluded(&chosen, 3, 0)).unwrap()).collect()
    };
    assert_eq!(draws(Distribution::Uniform), PINNED_UNIFORM);
    assert_eq!(draws(Distribution::Popularity(0.75)), PINNED_POPULAR);
}

/// From a second implementation, in Python, of hash, sequence and alias table.
const PINNED_UNIFORM: [u32; 12] = [166, 823, 925, 927, 649, 787, 519, 46, 752, 40, 362, 184];
const PINNED_POPULAR: [u32; 12] = [165, 823, 932, 927, 658, 787, 519, 45, 761, 40, 372, 184];

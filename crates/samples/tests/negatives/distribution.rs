//! How often each item is drawn.

use fain_samples::{Distribution, DrawKey, Exclude, Excluded, Slot};

use crate::{KEY, excluded, one_user, sampler};

const DRAWS: u64 = 200_000;

/// Chi-square statistic of draws against probabilities; items of probability 0 must not be drawn.
fn chi_square(distribution: Distribution, counts: &[u32], excluded: &Excluded<'_>, probabilities: &[f64]) -> f64 {
    let sampler = sampler(distribution, Exclude::Past, counts);
    let mut drawn = vec![0_u64; counts.len()];
    for draw in 0..DRAWS {
        let key = DrawKey { row: draw / 50, slot: Slot::History((draw % 50) as u32), ..KEY };
        drawn[sampler.draw(key, excluded).unwrap() as usize] += 1;
    }
    let mut statistic = 0.0;
    for (drawn, probability) in drawn.iter().zip(probabilities) {
        let expected = probability * DRAWS as f64;
        if expected == 0.0 {
            assert_eq!(*drawn, 0);
        } else {
            statistic += (*drawn as f64 - expected).powi(2) / expected;
        }
    }
    statistic
}

/// Weights as probabilities, without the items of `without`.
fn probabilities(weights: impl Iterator<Item = f64>, without: &[usize]) -> Vec<f64> {
    let weights: Vec<f64> =
        weights.enumerate().map(|(item, weight)| if without.contains(&item) { 0.0 } else { weight }).collect();
    let total: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / total).collect()
}

/// 99.99 % point of chi-square with these degrees of freedom: Wilson and Hilferty's approximation.
fn limit(degrees: f64) -> f64 {
    degrees * (1.0 - 2.0 / (9.0 * degrees) + 3.719 * (2.0 / (9.0 * degrees)).sqrt()).powi(3)
}

/// Counts from 0 to 60, as uneven as those of a shop.
fn counts() -> Vec<u32> {
    (0..100).map(|item| if item % 9 == 4 { 0 } else { 600 / (10 + item) }).collect()
}

fn known(counts: &[u32]) -> f64 {
    counts.iter().filter(|count| **count > 0).count() as f64
}

#[test]
fn uniform_draws_are_even_over_the_items_with_events() {
    let counts = counts();
    let nobody = one_user(&[]);
    let expected = probabilities(counts.iter().map(|count| f64::from(u8::from(*count > 0))), &[]);
    let statistic = chi_square(Distribution::Uniform, &counts, &excluded(&nobody, 0, 0), &expected);
    assert!(statistic < limit(known(&counts) - 1.0), "{statistic}");
}

#[test]
fn popular_items_are_drawn_by_the_power_of_their_counts() {
    let counts = counts();
    let nobody = one_user(&[]);
    for exponent in [0.0, 0.5, 0.75, 1.0, 2.0] {
        let weight = |count: &u32| if *count > 0 { f64::from(*count).powf(exponent) } else { 0.0 };
        let expected = probabilities(counts.iter().map(weight), &[]);
        let distribution = Distribution::Popularity(exponent);
        let statistic = chi_square(distribution, &counts, &excluded(&nobody, 0, 0), &expected);
        assert!(statistic < limit(known(&counts) - 1.0), "{exponent}: {statistic}");
    }
}

#[test]
fn what_is_left_keeps_its_proportions() {
    let counts = counts();
    let chosen = one_user(&[0, 1, 2, 3, 5, 6, 7, 50]);
    let left_out = [0, 1, 2, 3, 5, 6, 7, 50, 8];
    let excluded = Excluded { positive: Some(8), ..excluded(&chosen, 8, 0) };
    let expected = probabilities(counts.iter().map(|count| f64::from(*count)), &left_out);
    let statistic = chi_square(Distribution::Popularity(1.0), &counts, &excluded, &expected);
    assert!(statistic < limit(known(&counts) - 10.0), "{statistic}");
}

/// Who has chosen nearly all there is gets draws from a list of the rest: the same chances.
#[test]
fn draws_from_a_small_rest_keep_their_proportions() {
    // Of all weight 1 in 10,000 is left: 64 tries almost never find it.
    let mut counts = vec![10_000; 60];
    counts.extend([10, 20, 30]);
    let chosen = one_user(&(0..60).collect::<Vec<_>>());
    let without: Vec<usize> = (0..60).collect();
    for distribution in [Distribution::Popularity(1.0), Distribution::Popularity(0.5), Distribution::Uniform] {
        let weight = |count: &u32| match distribution {
            Distribution::Popularity(exponent) => f64::from(*count).powf(exponent),
            Distribution::Uniform => 1.0,
        };
        let expected = probabilities(counts.iter().map(weight), &without);
        let statistic = chi_square(distribution, &counts, &excluded(&chosen, 60, 0), &expected);
        assert!(statistic < limit(2.0), "{distribution:?}: {statistic}");
    }
}

/// Two draws of one row, of two slots, two kinds of slots, two epochs or two rows are as often equal as chance has it.
#[test]
fn draws_are_independent() {
    let sampler = sampler(Distribution::Uniform, Exclude::Past, &[1; 20]);
    let nobody = one_user(&[]);
    let draw = |key| sampler.draw(key, &excluded(&nobody, 0, 0)).unwrap();
    let others: [fn(DrawKey) -> DrawKey; 4] = [
        |key| DrawKey { slot: Slot::Candidate(1), ..key },
        |key| DrawKey { slot: Slot::History(0), ..key },
        |key| DrawKey { epoch: 1, ..key },
        |key| DrawKey { row: key.row + 20_000, ..key },
    ];
    for (which, other) in others.iter().enumerate() {
        let equal = (0..20_000).filter(|row| {
            let key = DrawKey { row: *row, ..KEY };
            draw(key) == draw(other(key))
        });
        let equal = equal.count();
        // 1000 are expected; the standard deviation is 31.
        assert!(equal.abs_diff(1000) < 150, "{which}: {equal}");
    }
}

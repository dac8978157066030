//! The two known probabilities are what they are said to be.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use fain_simulator::{RelevanceConfig, ShopConfig};

use crate::rows::{Sample, generate};

/// A shop of 100,000 impressions, made once: train and test.
fn shop() -> &'static (Vec<Sample>, Vec<Sample>) {
    static SHOP: OnceLock<(Vec<Sample>, Vec<Sample>)> = OnceLock::new();
    SHOP.get_or_init(|| generate(&ShopConfig { impressions: 100_000, ..ShopConfig::default() }))
}

fn everything() -> Vec<&'static Sample> {
    shop().0.iter().chain(&shop().1).collect()
}

/// Exact AUC: the share of (clicked, not clicked) pairs in the right order, ties counted half.
fn auc(samples: &'static [Sample], score: impl Fn(&'static Sample) -> f64) -> f64 {
    let mut ranked: Vec<(f64, f64)> = samples.iter().map(|sample| (score(sample), sample.label)).collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut won, mut clicked, mut passed) = (0.0, 0.0, 0.0);
    for ties in ranked.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let clicks: f64 = ties.iter().map(|tie| tie.1).sum();
        let others = ties.len() as f64 - clicks;
        won += clicks * (passed + others / 2.0);
        clicked += clicks;
        passed += others;
    }
    won / (clicked * passed)
}

fn mean(samples: &[&Sample], value: impl Fn(&Sample) -> f64) -> f64 {
    samples.iter().map(|sample| value(sample)).sum::<f64>() / samples.len() as f64
}

fn logit(probability: f64) -> f64 {
    (probability / (1.0 - probability)).ln()
}

fn sigmoid(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

/// Samples in ten groups of equal size, by score.
fn deciles(samples: &[&'static Sample], score: impl Fn(&Sample) -> f64) -> Vec<Vec<&'static Sample>> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(|a, b| score(a).total_cmp(&score(b)));
    sorted.chunks(samples.len().div_ceil(10)).map(<[_]>::to_vec).collect()
}

#[test]
fn clicks_come_with_the_true_probability() {
    for decile in deciles(&everything(), |sample| sample.optimal) {
        let expected = mean(&decile, |sample| sample.optimal);
        let variance = mean(&decile, |sample| sample.optimal * (1.0 - sample.optimal));
        let deviation = mean(&decile, |sample| sample.label) - expected;
        assert!(deviation.abs() < 4.0 * (variance / decile.len() as f64).sqrt(), "{expected} {deviation}");
    }
}

#[test]
fn the_blind_probability_is_the_mean_of_the_true_one() {
    let (train, test) = shop();
    // 2,500 users: the mean of the few test impressions of each is less certain.
    for (samples, tolerance) in [(train, 0.012), (test, 0.03)] {
        for decile in deciles(&samples.iter().collect::<Vec<_>>(), |sample| sample.blind) {
            let (blind, optimal) = (mean(&decile, |sample| sample.blind), mean(&decile, |sample| sample.optimal));
            assert!((blind - optimal).abs() < tolerance, "{blind} {optimal}");
        }
    }
}

#[test]
fn there_is_a_way_to_go_from_blind_to_optimal() {
    let (train, test) = shop();
    for samples in [train, test] {
        let (blind, optimal) = (auc(samples, |sample| sample.blind), auc(samples, |sample| sample.optimal));
        assert!((0.65..0.69).contains(&blind), "{blind}");
        assert!((0.79..0.83).contains(&optimal), "{optimal}");
    }
    let clicks = mean(&everything(), |sample| sample.label);
    assert!((0.15..0.25).contains(&clicks), "{clicks}");
}

/// Share of clicks in the training samples of a kind, drawn towards the overall share.
fn click_share<K: Ord>(kind: impl Fn(&'static Sample) -> K) -> impl Fn(&'static Sample) -> f64 {
    let train = &shop().0;
    let overall = mean(&train.iter().collect::<Vec<_>>(), |sample| sample.label);
    let mut counts: BTreeMap<K, (f64, f64)> = BTreeMap::new();
    for sample in train {
        let (clicks, all) = counts.entry(kind(sample)).or_default();
        *clicks += sample.label;
        *all += 1.0;
    }
    move |sample| {
        let (clicks, all) = counts.get(&kind(sample)).copied().unwrap_or_default();
        (clicks + 20.0 * overall) / (all + 20.0)
    }
}

type Statistic = Box<dyn Fn(&'static Sample) -> f64>;

#[test]
fn no_blind_statistic_beats_the_blind_probability() {
    let test = &shop().1;
    let blind = auc(test, |sample| sample.blind);
    let statistics: [(&str, Statistic); 6] = [
        ("item", Box::new(click_share(|sample| sample.item))),
        ("category", Box::new(click_share(|sample| sample.category))),
        ("profile", Box::new(click_share(Sample::profile))),
        ("category and age", Box::new(click_share(|sample| (sample.category, &sample.age_group)))),
        ("category and profile", Box::new(click_share(|sample| (sample.category, sample.profile())))),
        ("cheapness", Box::new(|sample| 1.0 / (1.0 + sample.price))),
    ];
    for (name, statistic) in statistics {
        let alone = auc(test, &statistic);
        assert!(alone < blind, "{name}: {alone}, blind {blind}");
        for weight in [0.1, 0.3] {
            let both = auc(test, |sample| logit(sample.blind) + weight * logit(statistic(sample)));
            assert!(both < blind + 0.002, "{name} with weight {weight}: {both}, blind {blind}");
        }
    }
}

/// A model that reads the negatives beside item and profile, but not the history, stays blind.
#[test]
fn negatives_do_not_beat_the_blind_probability() {
    let train = &shop().0;
    let blind = auc(train, |sample| sample.blind);
    let share = |sample: &Sample| {
        let alike = sample.negative_categories.iter().filter(|&&category| category == sample.category).count();
        alike as f64 / sample.negative_categories.len().max(1) as f64
    };
    let candidate = |sample: &Sample| f64::from(u8::from(sample.negative_items.contains(&sample.item)));
    for weight in [-2.0, -0.5, 0.5, 2.0] {
        let statistics: [Statistic; 2] = [Box::new(share), Box::new(candidate)];
        for statistic in statistics {
            let both = auc(train, |sample| logit(sample.blind) + weight * statistic(sample));
            assert!(both < blind + 0.0005, "{weight}: {both}, blind {blind}");
        }
    }
}

/// How many of the last 20 events are of the candidate's category, and how many of its department.
fn counts(sample: &Sample) -> (usize, usize) {
    static DEPARTMENTS: OnceLock<BTreeMap<u32, u32>> = OnceLock::new();
    let departments =
        DEPARTMENTS.get_or_init(|| everything().iter().map(|sample| (sample.category, sample.department)).collect());
    let recent = || sample.history_categories.iter().rev().take(20);
    let same = recent().filter(|&&category| category == sample.category).count();
    let related = recent().filter(|&category| departments.get(category) == Some(&sample.department)).count();
    (same, related)
}

/// The log-odds that each kind of sample adds to the blind ones: the value at which the expected
/// clicks of the kind are those counted in the training samples, found by Newton's method.
fn fitted_offsets<K: Ord>(kind: impl Fn(&Sample) -> K) -> BTreeMap<K, f64> {
    let mut kinds: BTreeMap<K, Vec<&Sample>> = BTreeMap::new();
    for sample in &shop().0 {
        kinds.entry(kind(sample)).or_default().push(sample);
    }
    let fit = |samples: Vec<&Sample>| {
        let mut offset = 0.0;
        for _ in 0..20 {
            let expected = |sample: &Sample| sigmoid(logit(sample.blind) + offset);
            // One click in each direction for certainty.
            let missing: f64 = samples.iter().map(|sample| sample.label - expected(sample)).sum::<f64>() - 0.2 * offset;
            let slope: f64 = samples.iter().map(|s| expected(s) * (1.0 - expected(s))).sum::<f64>() + 0.2;
            offset += missing / slope;
        }
        offset
    };
    kinds.into_iter().map(|(kind, samples)| (kind, fit(samples))).collect()
}

/// A model that counts the history but does not see its order gets most of the way, and a way is
/// left for one that sees the order.
#[test]
fn counting_without_order_gets_most_of_the_way() {
    let test = &shop().1;
    let offsets = fitted_offsets(counts);
    let counted = auc(test, |sample| logit(sample.blind) + offsets.get(&counts(sample)).copied().unwrap_or(0.0));
    let (blind, optimal) = (auc(test, |sample| sample.blind), auc(test, |sample| sample.optimal));
    let share = (counted - blind) / (optimal - blind);
    assert!((0.8..0.95).contains(&share), "{share}");
}

#[test]
fn what_is_shown_does_not_depend_on_the_history() {
    let mut of_profile: BTreeMap<_, Vec<&Sample>> = BTreeMap::new();
    for sample in everything() {
        of_profile.entry(sample.profile()).or_default().push(sample);
    }
    let seen = |history: &Sample, candidate: &Sample| history.history_categories.contains(&candidate.category);
    let (mut own, mut foreign) = (0_u32, 0_u32);
    for samples in of_profile.values() {
        // The candidate of another user of the profile: half the list away.
        let others = samples.iter().cycle().skip(samples.len() / 2);
        for (sample, other) in samples.iter().zip(others) {
            own += u32::from(seen(sample, sample));
            foreign += u32::from(seen(sample, other));
        }
    }
    // One in four is seen; the standard error of the difference is about 0.002.
    let (own, foreign) = (f64::from(own) / 100_000.0, f64::from(foreign) / 100_000.0);
    assert!(own > 0.15, "{own}");
    assert!((own - foreign).abs() < 0.006, "{own} {foreign}");
}

/// The relevance of [`RelevanceConfig`], from what stands in the sample.
fn relevance(config: &RelevanceConfig, departments: &BTreeMap<u32, u32>, sample: &Sample) -> f64 {
    let mut sum = 0.0;
    for (back, category) in sample.history_categories.iter().rev().enumerate() {
        let similarity = if *category == sample.category {
            1.0
        } else if departments[category] == sample.department {
            config.related
        } else {
            0.0
        };
        sum += similarity * (-(back as f64) / config.half_life).exp2();
    }
    sum / (1.0 + sum)
}

#[test]
fn all_that_the_probability_depends_on_is_in_the_sample() {
    let config = ShopConfig {
        impressions: 10_000,
        history_length: 7,
        relevance: RelevanceConfig { gain: 3.0, half_life: 2.0, related: 0.5 },
        ..ShopConfig::default()
    };
    let (train, test) = generate(&config);
    let samples = || train.iter().chain(&test);
    let departments: BTreeMap<u32, u32> = samples().map(|sample| (sample.category, sample.department)).collect();
    let mut bases: BTreeMap<_, Vec<f64>> = BTreeMap::new();
    for sample in samples() {
        let of_history = config.relevance.gain * relevance(&config.relevance, &departments, sample);
        bases.entry((sample.item, sample.profile())).or_default().push(logit(sample.optimal) - of_history);
    }
    // What is left after the history's part is one number for each item and profile.
    let mut compared = 0;
    for of_pair in bases.values() {
        assert!(of_pair.iter().all(|base| (base - of_pair[0]).abs() < 1e-9), "{of_pair:?}");
        compared += of_pair.len() - 1;
    }
    assert!(compared > 1000, "{compared}");
}

#[test]
fn without_gain_the_history_means_nothing() {
    let relevance = RelevanceConfig { gain: 0.0, ..RelevanceConfig::default() };
    let (train, test) = generate(&ShopConfig { impressions: 10_000, relevance, ..ShopConfig::default() });
    for sample in train.iter().chain(&test) {
        assert!((sample.blind - sample.optimal).abs() < 1e-6, "{sample:?}");
    }
}

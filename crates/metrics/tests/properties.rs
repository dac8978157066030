//! Properties that hold for every input: definitions, symmetries, order and splits.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use fain_metrics::{DEFAULT_CLIP, Evaluator, GroupWeighting, auc, gauc, log_loss, pcoc, sigmoid};
use proptest::prelude::*;
use std::collections::BTreeMap;

const WEIGHTINGS: [GroupWeighting; 3] = [GroupWeighting::Impressions, GroupWeighting::Clicks, GroupWeighting::Equal];

#[derive(Debug, Clone, Copy)]
struct Sample {
    score: f64,
    click: bool,
    group: u64,
}

/// Few values, so that ties are common, and any value that is a number.
fn any_score() -> impl Strategy<Value = f64> {
    prop_oneof![
        (-3i8..3).prop_map(f64::from),
        Just(-0.0),
        any::<f64>().prop_filter("NaN has no order", |score| !score.is_nan()),
    ]
}

fn any_probability() -> impl Strategy<Value = f64> {
    prop_oneof![(0u8..=4).prop_map(|quarter| f64::from(quarter) / 4.0), 0.0..=1.0, (-40f32..40.0).prop_map(sigmoid),]
}

fn samples(score: impl Strategy<Value = f64>) -> impl Strategy<Value = Vec<Sample>> {
    let sample = (score, any::<bool>(), 0u64..6).prop_map(|(score, click, group)| Sample { score, click, group });
    prop::collection::vec(sample, 0..60)
}

fn with_shuffled(samples: impl Strategy<Value = Vec<Sample>>) -> impl Strategy<Value = (Vec<Sample>, Vec<Sample>)> {
    samples.prop_flat_map(|samples| (Just(samples.clone()), Just(samples).prop_shuffle()))
}

fn columns(samples: &[Sample]) -> (Vec<f64>, Vec<f32>, Vec<u64>) {
    let label = |sample: &Sample| if sample.click { 1.0 } else { 0.0 };
    (
        samples.iter().map(|sample| sample.score).collect(),
        samples.iter().map(label).collect(),
        samples.iter().map(|sample| sample.group).collect(),
    )
}

fn auc_of(samples: &[Sample]) -> Option<f64> {
    let (scores, labels, _) = columns(samples);
    auc(&scores, &labels).unwrap()
}

/// The definition: over all pairs of a click and another, one for each in order, a half for a tie.
fn auc_by_pairs(samples: &[Sample]) -> Option<f64> {
    let (mut pairs, mut twice) = (0u64, 0u64);
    for clicked in samples.iter().filter(|sample| sample.click) {
        for other in samples.iter().filter(|sample| !sample.click) {
            pairs += 1;
            twice += u64::from(clicked.score > other.score);
            twice += u64::from(clicked.score >= other.score);
        }
    }
    (pairs > 0).then(|| twice as f64 / (2 * pairs) as f64)
}

fn gauc_by_definition(samples: &[Sample], weighting: GroupWeighting) -> Option<f64> {
    let mut groups: BTreeMap<u64, Vec<Sample>> = BTreeMap::new();
    for &sample in samples {
        groups.entry(sample.group).or_default().push(sample);
    }
    let (mut sum, mut weights) = (0.0, 0.0);
    for members in groups.values() {
        let weight = match weighting {
            GroupWeighting::Impressions => members.len(),
            GroupWeighting::Clicks => members.iter().filter(|member| member.click).count(),
            GroupWeighting::Equal => 1,
        } as f64;
        if let Some(auc) = auc_by_pairs(members) {
            sum += weight * auc;
            weights += weight;
        }
    }
    (weights > 0.0).then(|| sum / weights)
}

fn near(left: Option<f64>, right: Option<f64>, tolerance: f64) -> bool {
    match (left, right) {
        (None, None) => true,
        (Some(left), Some(right)) => (left - right).abs() <= tolerance * (1.0 + right.abs()),
        _ => false,
    }
}

proptest! {
    #[test]
    fn auc_is_its_definition(samples in samples(any_score())) {
        prop_assert_eq!(auc_of(&samples), auc_by_pairs(&samples));
    }

    #[test]
    fn auc_ignores_the_order_of_samples((samples, shuffled) in with_shuffled(samples(any_score()))) {
        prop_assert_eq!(auc_of(&samples), auc_of(&shuffled));
    }

    #[test]
    fn auc_ignores_increasing_maps(samples in samples((-500i16..500).prop_map(f64::from))) {
        let mapped = |map: fn(f64) -> f64| {
            let map = |&sample: &Sample| Sample { score: map(sample.score), ..sample };
            samples.iter().map(map).collect::<Vec<_>>()
        };
        let expected = auc_of(&samples);
        prop_assert_eq!(auc_of(&mapped(|score| 3.0 * score + 7.0)), expected);
        prop_assert_eq!(auc_of(&mapped(|score| score * score * score)), expected);
        prop_assert_eq!(auc_of(&mapped(|score| (score * 1e-2).exp())), expected);
        prop_assert_eq!(auc_of(&mapped(|score| sigmoid(score as f32 / 32.0))), expected);
    }

    #[test]
    fn flipped_labels_give_one_minus_auc(samples in samples(any_score())) {
        let flip = |&sample: &Sample| Sample { click: !sample.click, ..sample };
        let flipped: Vec<_> = samples.iter().map(flip).collect();
        prop_assert!(near(auc_of(&flipped), auc_of(&samples).map(|auc| 1.0 - auc), 1e-15));
    }

    #[test]
    fn gauc_is_its_definition(samples in samples(any_score())) {
        let (scores, labels, groups) = columns(&samples);
        for weighting in WEIGHTINGS {
            let got = gauc(&scores, &labels, &groups, weighting).unwrap().map(|gauc| gauc.value);
            prop_assert!(near(got, gauc_by_definition(&samples, weighting), 1e-14), "{weighting:?}");
        }
    }

    #[test]
    fn gauc_of_one_group_is_auc(samples in samples(any_score()), group: u64) {
        let (scores, labels, _) = columns(&samples);
        let groups = vec![group; scores.len()];
        for weighting in WEIGHTINGS {
            let got = gauc(&scores, &labels, &groups, weighting).unwrap().map(|gauc| gauc.value);
            prop_assert!(near(got, auc_of(&samples), 1e-15), "{weighting:?}");
        }
    }

    #[test]
    fn gauc_ignores_order_and_names((samples, shuffled) in with_shuffled(samples(any_score()))) {
        let (scores, labels, groups) = columns(&samples);
        let (other_scores, other_labels, other_groups) = columns(&shuffled);
        // An odd factor renames the groups one to one, and changes their order.
        let renamed: Vec<u64> = other_groups
            .iter()
            .map(|group| (group + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
            .collect();
        for weighting in WEIGHTINGS {
            prop_assert_eq!(
                gauc(&scores, &labels, &groups, weighting).unwrap(),
                gauc(&other_scores, &other_labels, &renamed, weighting).unwrap()
            );
        }
    }

    #[test]
    fn log_loss_and_pcoc_are_their_definitions(samples in samples(any_probability())) {
        let (probabilities, labels, _) = columns(&samples);
        let count = samples.len() as f64;
        let clicks = samples.iter().filter(|sample| sample.click).count() as f64;
        let clip = 1e-6;
        let loss: f64 = samples
            .iter()
            .map(|sample| (sample.score.clamp(clip, 1.0 - clip), sample.click))
            .map(|(p, click)| -(if click { p } else { 1.0 - p }).ln())
            .sum();
        let expected = (count > 0.0).then(|| loss / count);
        prop_assert!(near(log_loss(&probabilities, &labels, clip).unwrap(), expected, 1e-9));
        let expected = (clicks > 0.0)
            .then(|| (probabilities.iter().sum::<f64>() / count) / (clicks / count));
        prop_assert!(near(pcoc(&probabilities, &labels).unwrap(), expected, 1e-12));
    }

    #[test]
    fn split_and_shuffled_updates_equal_the_whole(
        (samples, shuffled) in with_shuffled(samples(any_probability())),
        size in 1usize..20,
        with_groups: bool,
    ) {
        let (probabilities, labels, groups) = columns(&samples);
        let mut evaluator = Evaluator::new();
        for batch in shuffled.chunks(size) {
            let (probabilities, labels, groups) = columns(batch);
            let groups = with_groups.then_some(groups.as_slice());
            evaluator.update(&probabilities, &labels, groups).unwrap();
            // Looking at the metrics on the way changes nothing.
            evaluator.compute();
        }
        let evaluation = evaluator.compute();

        let whole = if with_groups {
            gauc(&probabilities, &labels, &groups, GroupWeighting::Impressions).unwrap()
        } else {
            None
        };
        prop_assert_eq!(evaluation.auc, auc(&probabilities, &labels).unwrap());
        prop_assert_eq!(evaluation.gauc, whole.map(|gauc| gauc.value));
        prop_assert_eq!(evaluation.groups_used, whole.map_or(0, |gauc| gauc.groups_used));
        prop_assert_eq!(evaluation.log_loss, log_loss(&probabilities, &labels, DEFAULT_CLIP).unwrap());
        prop_assert_eq!(evaluation.pcoc, pcoc(&probabilities, &labels).unwrap());
        prop_assert_eq!(evaluation.samples, samples.len() as u64);
        let clicks = samples.iter().filter(|sample| sample.click).count();
        prop_assert_eq!(evaluation.positives, clicks as u64);
    }
}

//! Mistakes that other programs make, each with a test that the metrics here do not.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use fain_metrics::{Evaluator, GroupWeighting, MetricError, auc, gauc, log_loss, pcoc, sigmoid};

/// AUC with ties by sort order; one class reported as 0.5; GAUC weighted without saying how.
#[test]
fn trap_15_ties_one_class_and_unnamed_weights() {
    // Tied scores: a sort would put the click first or last, and give 1 or 0.
    assert_eq!(auc(&[0.3, 0.3], &[1.0, 0.0]).unwrap(), Some(0.5));
    assert_eq!(auc(&[0.3, 0.3], &[0.0, 1.0]).unwrap(), Some(0.5));
    assert_eq!(auc(&[0.3, 0.3, 0.3, 0.9], &[1.0, 0.0, 0.0, 0.0]).unwrap(), Some(1.0 / 3.0));

    // One class, or nothing at all: undefined.
    assert_eq!(auc(&[0.1, 0.9], &[1.0, 1.0]).unwrap(), None);
    assert_eq!(auc(&[0.1, 0.9], &[0.0, 0.0]).unwrap(), None);
    assert_eq!(auc(&[], &[]).unwrap(), None);
    for weighting in [GroupWeighting::Impressions, GroupWeighting::Clicks, GroupWeighting::Equal] {
        assert_eq!(gauc(&[0.1, 0.9], &[0.0, 1.0], &[1, 2], weighting).unwrap(), None);
    }

    // User 1 has AUC 1 from 2 impressions and 1 click, user 2 has AUC 0 from 3 and 2.
    let scores = [0.1, 0.9, 0.9, 0.1, 0.1];
    let labels = [0.0, 1.0, 0.0, 1.0, 1.0];
    let users = [1, 1, 2, 2, 2];
    for (weighting, expected) in [
        (GroupWeighting::Impressions, 2.0 / 5.0),
        (GroupWeighting::Clicks, 1.0 / 3.0),
        (GroupWeighting::Equal, 1.0 / 2.0),
    ] {
        let gauc = gauc(&scores, &labels, &users, weighting).unwrap().unwrap();
        assert_eq!((gauc.value, gauc.weighting), (expected, weighting));
    }
}

/// The label of a sample must not leak into its place in the order.
#[test]
fn all_scores_equal_is_one_half_in_any_order() {
    let labels: Vec<f32> = (0..1000).map(|i| f32::from(u8::from(i % 7 == 0))).collect();
    let sorted: Vec<f32> = {
        let mut labels = labels.clone();
        labels.sort_by(f32::total_cmp);
        labels
    };
    let scores = vec![0.25; 1000];
    assert_eq!(auc(&scores, &labels).unwrap(), Some(0.5));
    assert_eq!(auc(&scores, &sorted).unwrap(), Some(0.5));
}

/// Probabilities in single precision saturate, and logits that differ become ties.
#[test]
fn confident_logits_keep_their_order_and_their_loss() {
    let logits = [18.0f32, 19.0, 20.0];
    let labels = [0.0, 0.0, 1.0];
    let single: Vec<f64> = logits.iter().map(|x| f64::from(1.0 / (1.0 + (-x).exp()))).collect();
    let double: Vec<f64> = logits.iter().map(|&x| sigmoid(x)).collect();
    assert_eq!(auc(&single, &labels).unwrap(), Some(0.5));
    assert_eq!(auc(&double, &labels).unwrap(), Some(1.0));
    let loss = log_loss(&double, &labels, f64::EPSILON).unwrap().unwrap();
    assert!((loss - 37.0 / 3.0).abs() < 1e-6, "{loss}");
}

#[test]
fn infinite_scores_rank_and_nan_is_refused() {
    let infinite = [f64::NEG_INFINITY, f64::INFINITY, 0.0, f64::INFINITY];
    let labels = [0.0, 1.0, 1.0, 0.0];
    assert_eq!(auc(&infinite, &labels).unwrap(), Some(2.5 / 4.0));
    let scores = [0.0, 0.0, f64::NAN, 0.0];
    let refused = Err(MetricError::NanScore { index: 2 });
    assert_eq!(auc(&scores, &labels), refused);
    assert_eq!(gauc(&scores, &labels, &[0; 4], GroupWeighting::Equal).unwrap_err(), MetricError::NanScore { index: 2 });
}

#[test]
fn labels_other_than_0_and_1_are_refused_everywhere() {
    for value in [2.0f32, -1.0, 0.5, f32::INFINITY] {
        let labels = [1.0, value];
        let scores = [0.5, 0.5];
        let refused = MetricError::Label { index: 1, value };
        assert_eq!(auc(&scores, &labels).unwrap_err(), refused);
        assert_eq!(gauc(&scores, &labels, &[0, 0], GroupWeighting::Equal).unwrap_err(), refused);
        assert_eq!(log_loss(&scores, &labels, 1e-7).unwrap_err(), refused);
        assert_eq!(pcoc(&scores, &labels).unwrap_err(), refused);
        assert_eq!(Evaluator::new().update(&scores, &labels, None).unwrap_err(), refused);
    }
    assert_eq!(auc(&[0.5], &[f32::NAN]).unwrap_err().to_string(), "label at index 0 is NaN: 0 or 1 is allowed");
    assert_eq!(auc(&[0.1, 0.5], &[-0.0, 1.0]).unwrap(), Some(1.0));
}

#[test]
fn lengths_that_differ_are_refused_everywhere() {
    let (scores, labels) = ([0.5, 0.5], [1.0]);
    let refused = MetricError::Length { name: "labels", length: 1, scores: 2 };
    assert_eq!(auc(&scores, &labels).unwrap_err(), refused);
    assert_eq!(gauc(&scores, &labels, &[0, 0], GroupWeighting::Equal).unwrap_err(), refused);
    assert_eq!(log_loss(&scores, &labels, 1e-7).unwrap_err(), refused);
    assert_eq!(pcoc(&scores, &labels).unwrap_err(), refused);
    assert_eq!(
        gauc(&scores, &[1.0, 0.0], &[0], GroupWeighting::Equal).unwrap_err().to_string(),
        "groups has 1 values and there are 2 scores: one per score is needed"
    );
}

#[test]
fn probabilities_out_of_range_are_refused_not_clipped() {
    for value in [-0.1, 1.2, f64::INFINITY, f64::NEG_INFINITY] {
        let refused = MetricError::Probability { index: 1, value };
        assert_eq!(log_loss(&[0.5, value], &[1.0, 0.0], 1e-7).unwrap_err(), refused);
        assert_eq!(pcoc(&[0.5, value], &[1.0, 0.0]).unwrap_err(), refused);
    }
}

#[test]
fn log_loss_is_finite_at_both_ends_and_undefined_for_nothing() {
    let worst = log_loss(&[0.0], &[1.0], f64::EPSILON).unwrap().unwrap();
    assert!((worst - 52.0 * std::f64::consts::LN_2).abs() < 1e-13);
    let worst = log_loss(&[1.0], &[0.0], f64::EPSILON).unwrap().unwrap();
    assert!((worst - 52.0 * std::f64::consts::LN_2).abs() < 1e-13);
    assert_eq!(log_loss(&[], &[], f64::EPSILON).unwrap(), None);
    assert_eq!(log_loss(&[], &[], 0.0).unwrap_err(), MetricError::Clip { value: 0.0 });
}

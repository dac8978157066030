//! The evaluator: what is undefined when, what is refused, and the form of the report.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use fain_metrics::{DEFAULT_CLIP, Evaluation, Evaluator, EvaluatorConfig, GroupWeighting};
use serde_json::json;

fn evaluate(probabilities: &[f64], labels: &[f32], groups: Option<&[u64]>) -> Evaluation {
    let mut evaluator = Evaluator::new();
    evaluator.update(probabilities, labels, groups).unwrap();
    evaluator.compute()
}

#[test]
fn an_empty_evaluator_defines_nothing() {
    assert_eq!(
        Evaluator::new().compute(),
        Evaluation {
            auc: None,
            gauc: None,
            log_loss: None,
            pcoc: None,
            samples: 0,
            positives: 0,
            groups_used: 0,
            groups_skipped: 0,
            gauc_weighting: GroupWeighting::Impressions,
            log_loss_clip: DEFAULT_CLIP,
        }
    );
}

#[test]
fn no_click_leaves_only_log_loss() {
    let evaluation = evaluate(&[0.5, 0.5], &[0.0, 0.0], Some(&[1, 2]));
    assert_eq!(evaluation.auc, None);
    assert_eq!(evaluation.gauc, None);
    assert_eq!(evaluation.pcoc, None);
    assert_eq!(evaluation.log_loss, Some(std::f64::consts::LN_2));
    assert_eq!((evaluation.samples, evaluation.positives), (2, 0));
    assert_eq!((evaluation.groups_used, evaluation.groups_skipped), (0, 2));
}

#[test]
fn clicks_only_leave_log_loss_and_pcoc() {
    let evaluation = evaluate(&[0.5, 0.5], &[1.0, 1.0], None);
    assert_eq!(evaluation.auc, None);
    assert_eq!(evaluation.pcoc, Some(0.5));
    assert_eq!(evaluation.log_loss, Some(std::f64::consts::LN_2));
}

#[test]
fn without_groups_there_is_no_gauc() {
    let evaluation = evaluate(&[0.25, 0.75], &[0.0, 1.0], None);
    assert_eq!((evaluation.auc, evaluation.gauc), (Some(1.0), None));
    assert_eq!((evaluation.groups_used, evaluation.groups_skipped), (0, 0));
}

#[test]
fn the_report_names_every_field_and_writes_undefined_as_null() {
    let evaluation = evaluate(&[0.25, 0.75], &[0.0, 0.0], None);
    let value = serde_json::to_value(&evaluation).unwrap();
    assert_eq!(
        value,
        json!({
            "auc": null,
            "gauc": null,
            "log_loss": evaluation.log_loss,
            "pcoc": null,
            "samples": 2,
            "positives": 0,
            "groups_used": 0,
            "groups_skipped": 0,
            "gauc_weighting": "impressions",
            "log_loss_clip": DEFAULT_CLIP,
        })
    );
    let back: Evaluation = serde_json::from_value(value).unwrap();
    assert_eq!(back, evaluation);
}

#[test]
fn the_configuration_decides_weighting_and_clip() {
    let config = EvaluatorConfig { gauc_weighting: GroupWeighting::Equal, log_loss_clip: 0.25 };
    let mut evaluator = Evaluator::with_config(config).unwrap();
    // Group 1 of two is in order, group 2 of three is not: weights decide.
    evaluator.update(&[0.0, 1.0, 0.9, 0.8, 0.1], &[0.0, 1.0, 0.0, 0.0, 1.0], Some(&[1, 1, 2, 2, 2])).unwrap();
    let evaluation = evaluator.compute();
    assert_eq!(evaluation.gauc, Some(0.5));
    let reported =
        EvaluatorConfig { gauc_weighting: evaluation.gauc_weighting, log_loss_clip: evaluation.log_loss_clip };
    assert_eq!(reported, config);
    let expected = (2.0 * -(0.75f64.ln()) + 3.0 * -(0.25f64.ln())) / 5.0;
    assert!((evaluation.log_loss.unwrap() - expected).abs() < 1e-15);
}

#[test]
fn the_configuration_is_read_strictly_and_has_defaults() {
    let read = |text| serde_json::from_str::<EvaluatorConfig>(text);
    assert_eq!(read("{}").unwrap(), EvaluatorConfig::default());
    let clicks = read(r#"{"gauc_weighting": "clicks"}"#).unwrap();
    assert_eq!(clicks.gauc_weighting, GroupWeighting::Clicks);
    assert!(
        read(r#"{"gauc_weigthing": "clicks"}"#).unwrap_err().to_string().starts_with("unknown field `gauc_weigthing`")
    );
}

#[test]
fn a_clip_out_of_bounds_is_refused() {
    for clip in [f64::NAN, 0.0, -1.0, f64::EPSILON / 2.0, 0.5, f64::INFINITY] {
        let config = EvaluatorConfig { log_loss_clip: clip, ..EvaluatorConfig::default() };
        assert_eq!(
            Evaluator::with_config(config).unwrap_err().to_string(),
            format!("clip of log loss is {clip}: {} (f64::EPSILON) up to, not including, 0.5 is allowed", f64::EPSILON)
        );
    }
}

#[test]
fn a_refused_update_changes_nothing() {
    let mut evaluator = Evaluator::new();
    evaluator.update(&[0.2, 0.8], &[1.0, 0.0], Some(&[1, 1])).unwrap();
    let before = evaluator.compute();
    let mut refused = |probabilities: &[f64], labels: &[f32], groups: Option<&[u64]>| {
        evaluator.update(probabilities, labels, groups).unwrap_err().to_string()
    };
    assert_eq!(refused(&[0.5, 1.5], &[1.0, 0.0], Some(&[1, 1])), "probability at index 1 is 1.5: 0 to 1 is allowed");
    assert_eq!(
        refused(&[0.5, f64::NAN], &[1.0, 0.0], Some(&[1, 1])),
        "probability at index 1 is NaN: 0 to 1 is allowed"
    );
    assert_eq!(refused(&[0.5, 0.5], &[1.0, 0.5], Some(&[1, 1])), "label at index 1 is 0.5: 0 or 1 is allowed");
    assert_eq!(
        refused(&[0.5, 0.5], &[1.0], Some(&[1, 1])),
        "labels has 1 values and there are 2 scores: one per score is needed"
    );
    assert_eq!(
        refused(&[0.5, 0.5], &[1.0, 0.0], Some(&[1, 1, 1])),
        "groups has 3 values and there are 2 scores: one per score is needed"
    );
    assert_eq!(
        refused(&[0.5, 0.5], &[1.0, 0.0], None),
        "this update comes without groups and earlier ones came with: \
         give groups with every update or with none"
    );
    assert_eq!(evaluator.compute(), before);
}

#[test]
fn an_empty_update_decides_nothing_about_groups() {
    let mut evaluator = Evaluator::new();
    evaluator.update(&[], &[], None).unwrap();
    evaluator.update(&[0.2, 0.8], &[0.0, 1.0], Some(&[1, 1])).unwrap();
    evaluator.update(&[], &[], None).unwrap();
    assert_eq!(evaluator.compute().gauc, Some(1.0));
}

#[test]
fn clear_forgets_samples_and_keeps_the_configuration() {
    let config = EvaluatorConfig { gauc_weighting: GroupWeighting::Clicks, log_loss_clip: 1e-7 };
    let mut evaluator = Evaluator::with_config(config).unwrap();
    let empty = evaluator.compute();
    evaluator.update(&[0.5], &[1.0], Some(&[1])).unwrap();
    assert_ne!(evaluator.compute(), empty);
    evaluator.clear();
    assert_eq!(evaluator.compute(), empty);
    evaluator.update(&[0.5], &[1.0], None).unwrap();
    assert_eq!(evaluator.compute().samples, 1);
}

//! Every case of the golden files, field by field; a field this test does not know fails it.
//!
//! The values come from scikit-learn and from independent implementations in Python.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use fain_metrics::{DEFAULT_CLIP, Evaluator, GroupWeighting, MetricError, auc, gauc, log_loss};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::path::Path;

fn read<T: DeserializeOwned>(name: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn assert_near(got: Option<f64>, expected: Option<f64>, relative: f64, absolute: f64, what: &str) {
    match (got, expected) {
        (None, None) => {}
        (Some(got), Some(expected)) => assert!(
            (got - expected).abs() <= absolute + relative * expected.abs(),
            "{what}: got {got}, expected {expected}"
        ),
        _ => panic!("{what}: got {got:?}, expected {expected:?}"),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File<Case, Tolerance> {
    #[serde(rename = "convention")]
    _convention: String,
    #[serde(rename = "recommendation")]
    _recommendation: Option<String>,
    tolerance: Tolerance,
    cases: Vec<Case>,
}

/// JSON has no NaN; the files write it as an object.
#[derive(Deserialize)]
#[serde(untagged)]
enum Score {
    Finite(f64),
    NonFinite(NonFinite),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NonFinite {
    nonfinite: String,
}

impl Score {
    fn value(&self) -> f64 {
        match self {
            Self::Finite(value) => *value,
            Self::NonFinite(kind) => match kind.nonfinite.as_str() {
                "nan" => f64::NAN,
                other => panic!("unknown non-finite number {other:?}"),
            },
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AucCase {
    id: String,
    labels: Vec<f32>,
    scores: Vec<Score>,
    #[serde(rename = "note")]
    _note: String,
    reference_fails: Option<String>,
    expected: Option<f64>,
    expected_exact_rank: Option<f64>,
}

#[test]
fn auc_cases() {
    let file: File<AucCase, f64> = read("auc.json");
    assert_eq!(file.cases.len(), 20);
    for case in file.cases {
        let scores: Vec<f64> = case.scores.iter().map(Score::value).collect();
        let got = auc(&scores, &case.labels);
        if case.reference_fails.is_some() {
            let index = scores.iter().position(|score| score.is_nan()).unwrap();
            assert_eq!(got, Err(MetricError::NanScore { index }), "{}", case.id);
            continue;
        }
        let got = got.unwrap();
        assert_near(got, case.expected, 0.0, file.tolerance, &case.id);
        // The exact value is a fraction of two small integers: rounded once, as ours.
        assert_eq!(got, case.expected_exact_rank, "{}", case.id);
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GaucCase {
    id: String,
    users: Vec<i64>,
    labels: Vec<f32>,
    scores: Vec<f64>,
    #[serde(rename = "note")]
    _note: String,
    expected: Option<f64>,
    expected_click_weighted: Option<f64>,
    expected_unweighted: Option<f64>,
    users_used: u64,
    users_skipped: u64,
    impressions_used: u64,
    per_user: BTreeMap<i64, f64>,
}

impl GaucCase {
    fn auc_of(&self, user: i64) -> Option<f64> {
        let rows = || (0..self.users.len()).filter(|&row| self.users[row] == user);
        let scores: Vec<f64> = rows().map(|row| self.scores[row]).collect();
        let labels: Vec<f32> = rows().map(|row| self.labels[row]).collect();
        auc(&scores, &labels).unwrap()
    }
}

#[test]
fn gauc_cases() {
    let file: File<GaucCase, f64> = read("gauc.json");
    assert_eq!(file.cases.len(), 9);
    for case in file.cases {
        let groups: Vec<u64> = case.users.iter().map(|&user| user as u64).collect();
        for (weighting, expected) in [
            (GroupWeighting::Impressions, case.expected),
            (GroupWeighting::Clicks, case.expected_click_weighted),
            (GroupWeighting::Equal, case.expected_unweighted),
        ] {
            let what = format!("{} {weighting:?}", case.id);
            let got = gauc(&case.scores, &case.labels, &groups, weighting).unwrap();
            let value = got.map(|gauc| gauc.value);
            assert_near(value, expected, 0.0, file.tolerance, &what);
            if let Some(got) = got {
                assert_eq!(got.weighting, weighting, "{what}");
                assert_eq!(got.groups_used, case.users_used, "{what}");
                assert_eq!(got.groups_skipped, case.users_skipped, "{what}");
                assert_eq!(got.impressions_used, case.impressions_used, "{what}");
            }
        }

        // The counts do not depend on the scores, and are there when GAUC is not.
        let mut evaluator = Evaluator::new();
        let constant = vec![0.5; groups.len()];
        evaluator.update(&constant, &case.labels, Some(&groups)).unwrap();
        let evaluation = evaluator.compute();
        assert_eq!(evaluation.groups_used, case.users_used, "{}", case.id);
        assert_eq!(evaluation.groups_skipped, case.users_skipped, "{}", case.id);

        let mut users = case.users.clone();
        users.sort_unstable();
        users.dedup();
        for user in users {
            let what = format!("{} user {user}", case.id);
            let expected = case.per_user.get(&user).copied();
            assert_near(case.auc_of(user), expected, 0.0, file.tolerance, &what);
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogLossCase {
    id: String,
    labels: Vec<f32>,
    probs: Vec<f64>,
    #[serde(rename = "note")]
    _note: String,
    reference_fails: Option<String>,
    expected_sklearn_float64: Option<f64>,
    #[serde(rename = "expected_clip_1e-7")]
    expected_clip_1e_7: f64,
    #[serde(rename = "expected_clip_1e-15")]
    expected_clip_1e_15: f64,
    expected_clip_eps64: f64,
    expected_document001_float32: f64,
    expected_bce_clamp_log_minus100: f64,
}

impl LogLossCase {
    fn ours(&self, clip: f64) -> Option<f64> {
        log_loss(&self.probs, &self.labels, clip).unwrap()
    }

    /// Clamps in single precision before the logarithm: at 1e-7 below, and above at the nearest
    /// `f32` to 1 - 1e-7, which is 1 - 2^-23.
    fn clamped_in_single_precision(&self) -> Option<f64> {
        let clamp = |&value: &f64| f64::from((value as f32).clamp(1e-7, 1.0 - 1e-7));
        let clamped: Vec<f64> = self.probs.iter().map(clamp).collect();
        log_loss(&clamped, &self.labels, DEFAULT_CLIP).unwrap()
    }

    /// Lets the logarithm stop at -100 instead of clipping the probability: a sample whose
    /// probability is beyond that costs 100, the others cost what they cost here.
    fn with_logarithm_stopped_at_100(&self) -> f64 {
        let stopped = |row: &usize| {
            let given_to_the_truth = if self.labels[*row] > 0.5 { self.probs[*row] } else { 1.0 - self.probs[*row] };
            given_to_the_truth < (-100f64).exp()
        };
        let rows = || 0..self.labels.len();
        let rest: Vec<usize> = rows().filter(|row| !stopped(row)).collect();
        let probabilities: Vec<f64> = rest.iter().map(|&row| self.probs[row]).collect();
        let labels: Vec<f32> = rest.iter().map(|&row| self.labels[row]).collect();
        let loss = log_loss(&probabilities, &labels, DEFAULT_CLIP).unwrap();
        let total = loss.unwrap_or(0.0) * rest.len() as f64 + 100.0 * rows().filter(stopped).count() as f64;
        total / self.labels.len() as f64
    }
}

#[test]
fn log_loss_cases() {
    let file: File<LogLossCase, String> = read("logloss.json");
    assert_eq!(file.tolerance, "1e-9 relative, except expected_document001_float32 1e-5");
    assert_eq!(file.cases.len(), 9);
    for case in file.cases {
        let id = &case.id;
        if case.reference_fails.is_some() {
            // The clamping variants would hide it: the files give values, here it is an error.
            assert!(case.expected_sklearn_float64.is_none(), "{id}");
            assert_eq!(
                log_loss(&case.probs, &case.labels, DEFAULT_CLIP),
                Err(MetricError::Probability { index: 0, value: case.probs[0] }),
                "{id}"
            );
            continue;
        }
        for (clip, expected) in [
            (DEFAULT_CLIP, case.expected_sklearn_float64.unwrap()),
            (DEFAULT_CLIP, case.expected_clip_eps64),
            (1e-15, case.expected_clip_1e_15),
            (1e-7, case.expected_clip_1e_7),
        ] {
            let what = format!("{id} clip {clip}");
            assert_near(case.ours(clip), Some(expected), 1e-9, 0.0, &what);
        }
        assert_near(
            case.clamped_in_single_precision(),
            Some(case.expected_document001_float32),
            1e-5,
            1e-7,
            &format!("{id} clamped in single precision"),
        );
        assert_near(
            Some(case.with_logarithm_stopped_at_100()),
            Some(case.expected_bce_clamp_log_minus100),
            1e-9,
            DEFAULT_CLIP,
            &format!("{id} logarithm stopped at -100"),
        );
    }
}

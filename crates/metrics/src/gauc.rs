use crate::MetricError;
use crate::input::{check_labels, check_length, check_scores};
use crate::ranking::{ByClass, auc_of_sorted, order_key};
use crate::sum::ExactSum;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// The weight of a user's AUC in [`gauc`].
///
/// Published figures differ in it, so it is named wherever a GAUC is reported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupWeighting {
    /// The number of the user's impressions: Deep Interest Network, section "Metrics",
    /// <https://arxiv.org/abs/1706.06978>. `mean_by_sample_num` in `EasyRec`.
    #[default]
    Impressions,
    /// The number of the user's clicks. `mean_by_positive_num` in `EasyRec`.
    Clicks,
    /// One for every user. `mean` in `EasyRec`.
    Equal,
}

/// A GAUC and what it was computed from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Gauc {
    /// The weighted mean of the groups' AUC, 0 to 1.
    pub value: f64,
    /// The weight each group had.
    pub weighting: GroupWeighting,
    /// Groups with both classes; `value` is over these.
    pub groups_used: u64,
    /// Groups with one class only, whose AUC is undefined; they are in neither sum.
    pub groups_skipped: u64,
    /// Impressions of the groups used.
    pub impressions_used: u64,
}

/// Group AUC: the mean of the AUC within each group, weighted as `weighting` says.
///
/// `GAUC = Σ w_g · AUC_g / Σ w_g` over the groups `g` that have both classes. `groups` holds one id
/// per score, as a rule the user's; equal ids need not stand together.
///
/// Returns `None` when no group has both classes. The ids only tell the groups apart: renaming them
/// changes nothing. Takes time `n log n` and 16 bytes per score, whatever the number of groups.
///
/// ```
/// use fain_metrics::{GroupWeighting, gauc};
///
/// let scores = [0.9, 0.1, 0.2, 0.3, 0.7];
/// let labels = [1.0, 0.0, 1.0, 0.0, 0.0];
/// let users = [7, 7, 8, 8, 9];
/// let gauc = gauc(&scores, &labels, &users, GroupWeighting::Impressions)?;
/// let gauc = gauc.expect("users 7 and 8 have both classes");
/// assert_eq!((gauc.value, gauc.groups_used, gauc.groups_skipped), (0.5, 2, 1));
/// # Ok::<(), fain_metrics::MetricError>(())
/// ```
///
/// # Errors
/// [`MetricError::Length`], [`MetricError::Label`] for a label other than 0 and 1,
/// [`MetricError::NanScore`].
pub fn gauc(
    scores: &[f64],
    labels: &[f32],
    groups: &[u64],
    weighting: GroupWeighting,
) -> Result<Option<Gauc>, MetricError> {
    check_labels(labels, scores.len())?;
    check_length("groups", groups.len(), scores.len())?;
    check_scores(scores)?;
    let mut keys = ByClass::default();
    for ((&score, &label), &group) in scores.iter().zip(labels).zip(groups) {
        keys.push(group_key(group, score), label);
    }
    keys.sort();
    let grouped = Grouped::of_sorted(&keys, weighting);
    Ok(grouped.value().map(|value| Gauc {
        value,
        weighting,
        groups_used: grouped.used,
        groups_skipped: grouped.skipped,
        impressions_used: grouped.impressions,
    }))
}

/// Orders by group first and by score within the group.
pub(crate) fn group_key(group: u64, score: f64) -> u128 {
    u128::from(group) << 64 | u128::from(order_key(score))
}

fn group_of(keys: &[u128]) -> u64 {
    keys.first().map_or(0, |key| (key >> 64) as u64)
}

/// The two sums of GAUC and the counts.
#[derive(Default)]
pub(crate) struct Grouped {
    weighted_auc: ExactSum,
    weight: u64,
    impressions: u64,
    pub(crate) used: u64,
    pub(crate) skipped: u64,
}

impl Grouped {
    pub(crate) fn of_sorted(keys: &ByClass<u128>, weighting: GroupWeighting) -> Self {
        let same_group = |left: &u128, right: &u128| left >> 64 == right >> 64;
        let mut positives = keys.positives.chunk_by(same_group).peekable();
        let mut negatives = keys.negatives.chunk_by(same_group).peekable();
        let mut grouped = Self::default();
        while let (Some(clicked), Some(other)) = (positives.peek(), negatives.peek()) {
            match group_of(clicked).cmp(&group_of(other)) {
                Ordering::Less => {
                    grouped.skipped += 1;
                    positives.next();
                }
                Ordering::Greater => {
                    grouped.skipped += 1;
                    negatives.next();
                }
                Ordering::Equal => {
                    grouped.add(clicked, other, weighting);
                    positives.next();
                    negatives.next();
                }
            }
        }
        grouped.skipped += (positives.count() + negatives.count()) as u64;
        grouped
    }

    fn add(&mut self, positives: &[u128], negatives: &[u128], weighting: GroupWeighting) {
        let Some(auc) = auc_of_sorted(positives, negatives) else {
            self.skipped += 1;
            return;
        };
        let impressions = (positives.len() + negatives.len()) as u64;
        let weight = match weighting {
            GroupWeighting::Impressions => impressions,
            GroupWeighting::Clicks => positives.len() as u64,
            GroupWeighting::Equal => 1,
        };
        self.weighted_auc.add(weight as f64 * auc);
        self.weight += weight;
        self.impressions += impressions;
        self.used += 1;
    }

    /// `None` when no group had both classes.
    pub(crate) fn value(&self) -> Option<f64> {
        (self.used > 0).then(|| self.weighted_auc.value() / self.weight as f64)
    }
}

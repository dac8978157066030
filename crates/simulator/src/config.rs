use std::fmt::Display;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::error::SimulatorError;
use crate::shop::Shop;

/// A shop as written in a TOML file. Every key has a default; an unknown key is refused.
///
/// [`check`](Self::check) turns it into a [`Shop`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShopConfig {
    /// Impressions, that is samples, of train and test together: 10,000 to 100,000,000.
    pub impressions: u64,
    /// Picks one of the many shops of this size. The same configuration gives the same bytes.
    pub seed: u64,
    /// Users. Default: one per 40 impressions.
    pub users: Option<u64>,
    /// Items. Default: one per 75 impressions, at least ten per category.
    pub items: Option<u32>,
    /// Categories. Default: the cube root of the impressions.
    pub categories: Option<u32>,
    /// The most events a history holds, the most recent ones: 1 to 500. The click probability reads
    /// no further back.
    pub history_length: u32,
    /// The last so many impressions of each user are the test split: 1 to 20.
    pub test_per_user: u32,
    /// How the history moves the click probability.
    pub relevance: RelevanceConfig,
}

/// How the history moves the click probability. With history events `k = 0, 1, …` counted back from
/// the most recent one:
///
/// ```text
/// s     = Σ_k similarity(event k, candidate) · 2^(−k / half_life)
/// r     = s / (1 + s)
/// logit = base(item, profile) + gain · r
/// ```
///
/// The similarity is 1 within a category, `related` between categories of one department, else 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RelevanceConfig {
    /// The most a history can add to the logit: 0 to 10. At 0 the history means nothing.
    pub gain: f64,
    /// Events after which an event weighs half: 0.5 to 1000. A short one makes the order matter.
    pub half_life: f64,
    /// Similarity of two categories of one department: 0 to 1.
    pub related: f64,
}

impl Default for ShopConfig {
    fn default() -> Self {
        Self {
            impressions: 300_000,
            seed: 1,
            users: None,
            items: None,
            categories: None,
            history_length: 50,
            test_per_user: 4,
            relevance: RelevanceConfig::default(),
        }
    }
}

impl Default for RelevanceConfig {
    fn default() -> Self {
        Self { gain: 4.8, half_life: 6.0, related: 0.05 }
    }
}

/// The sizes of a shop, all given and all checked.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) impressions: u64,
    pub(crate) seed: u64,
    pub(crate) users: u64,
    pub(crate) items: u32,
    pub(crate) categories: u32,
    pub(crate) departments: u32,
    pub(crate) history_length: usize,
    pub(crate) test_per_user: u32,
    pub(crate) relevance: RelevanceConfig,
}

impl ShopConfig {
    /// Fills in what is not given and checks every value. Nothing is generated yet.
    ///
    /// # Errors
    /// [`SimulatorError::Config`] names the key, its value and what is allowed.
    pub fn check(&self) -> Result<Shop, SimulatorError> {
        self.plan().map(Shop::new)
    }

    pub(crate) fn plan(&self) -> Result<Plan, SimulatorError> {
        let impressions = within("impressions", self.impressions, 10_000..=100_000_000)?;
        let history_length = within("history_length", self.history_length, 1..=500)?;
        let test_per_user = within("test_per_user", self.test_per_user, 1..=20)?;
        let relevance = &self.relevance;
        within("relevance.gain", relevance.gain, 0.0..=10.0)?;
        within("relevance.half_life", relevance.half_life, 0.5..=1000.0)?;
        within("relevance.related", relevance.related, 0.0..=1.0)?;

        let cube_root = libm::cbrt(impressions as f64).round() as u32;
        let categories = within("categories", self.categories.unwrap_or(cube_root), 10..=2000)?;
        let items = self.items.unwrap_or_else(|| (impressions / 75).max(u64::from(categories) * 10) as u32);
        within("items", items, categories * 2..=5_000_000)?;
        // Every user has a training sample, and none has a history of millions of events.
        let most_users = impressions / u64::from(test_per_user + 1);
        let users = within("users", self.users.unwrap_or(impressions / 40), 100.max(impressions / 1000)..=most_users)?;

        Ok(Plan {
            impressions,
            seed: self.seed,
            users,
            items,
            categories,
            departments: (categories / 7).max(2),
            history_length: history_length as usize,
            test_per_user,
            relevance: relevance.clone(),
        })
    }
}

fn within<T: PartialOrd + Display + Copy>(
    key: &'static str,
    value: T,
    range: RangeInclusive<T>,
) -> Result<T, SimulatorError> {
    if range.contains(&value) {
        return Ok(value);
    }
    let allowed = format!("{} to {}", range.start(), range.end());
    Err(SimulatorError::Config { key, value: value.to_string(), allowed })
}

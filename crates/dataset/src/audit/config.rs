//! What an audit takes for a fault, a warning and a note.

use serde::{Deserialize, Serialize};

use crate::error::DatasetError;

/// What a training does with the findings of an audit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditMode {
    /// They are told, and the training goes on.
    #[default]
    Warn,
    /// A fault stops the training before it begins.
    Error,
    /// No audit is made.
    Off,
}

/// The settings of an audit: `[data.audit]` in a configuration file. Every key has a default.
///
/// A share is a number from 0 to 1.
///
/// ```
/// use fain_dataset::{AuditConfig, AuditMode};
///
/// let config: AuditConfig = toml::from_str(r#"
///     mode = "error"
///     negatives = ["noclick_history"]
/// "#)?;
/// assert_eq!(config.mode, AuditMode::Error);
/// assert_eq!(config.auc_fault, 0.95);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditConfig {
    /// What whoever asks for the audit does with its findings. [`audit`](crate::audit()) itself always works.
    pub mode: AuditMode,
    /// Sequence features that hold drawn negatives, such as those of an auxiliary loss. They are held against the
    /// candidates and histories that share their vocabulary, and are no histories themselves.
    pub negatives: Vec<String>,
    /// Sequence features that are no histories although they share the vocabulary of a category, such as all genres of
    /// a film beside its first one. A candidate may stand in them.
    pub attributes: Vec<String>,
    /// AUC of a single column from which on it is a fault. Default 0.95.
    pub auc_fault: f64,
    /// AUC of a single column from which on it is a warning. Default 0.85.
    pub auc_warning: f64,
    /// Rows of each class that a split needs before single columns are measured on it. Default 30.
    pub smallest_class: u64,
    /// Share of a split's rows that stand in another split, from which on it is a fault. Default 0.01.
    pub duplicates_fault: f64,
    /// The same, from which on it is a warning; for rows repeated within one split, a note. Default 0.001.
    pub duplicates_warning: f64,
    /// Share of one class's histories that hold their candidate, from which on it is a fault if the other class hardly
    /// has any. Default 0.05.
    pub history_fault: f64,
    /// The same, from which on it is a warning; where both classes have them, a note. Default 0.01.
    pub history_warning: f64,
    /// What "hardly any" is: the share in one class over the share in the other one. Default 0.1.
    pub one_sided: f64,
    /// Share of the histories whose newest event is their candidate, from which on it is a fault. Default 0.8.
    pub newest_fault: f64,
    /// The same, from which on it is a warning. Default 0.5.
    pub newest_warning: f64,
    /// How many times above chance the newest event must be the candidate to count. Default 5.
    pub newest_lift: f64,
    /// Share of rows with events after their own time, from which on it is a fault; fewer are a warning.
    /// Default 0.001.
    pub future_fault: f64,
    /// Share of rows with a positive among their negatives, from which on it is a fault; fewer are a warning.
    /// Default 0.01.
    pub negatives_fault: f64,
    /// Share of unknown terms beyond that in training, from which on it is a warning. Default 0.2.
    pub unknown_warning: f64,
    /// The same, from which on it is a note; also for rows of groups that training does not have. Default 0.05.
    pub unknown_note: f64,
    /// A term is rare if training shows it fewer times than this. Default 5.
    pub rare_below: u32,
    /// Share of rare terms in a vocabulary, from which on it is a note. Default 0.5.
    pub rare_note: f64,
    /// How many times the share of a class may differ from that in training before it is a warning. Default 2.
    pub balance_warning: f64,
    /// The same, before it is a note. Default 1.25.
    pub balance_note: f64,
    /// Rows of a split that are held in memory to find equal ones, 24 bytes each; of a larger split, rows are drawn by
    /// their hash, so that equal rows are drawn together. Default 10,000,000.
    pub most_compared: usize,
}

impl Default for AuditConfig {
    fn default() -> Self {
        Self {
            mode: AuditMode::default(),
            negatives: Vec::new(),
            attributes: Vec::new(),
            auc_fault: 0.95,
            auc_warning: 0.85,
            smallest_class: 30,
            duplicates_fault: 0.01,
            duplicates_warning: 0.001,
            history_fault: 0.05,
            history_warning: 0.01,
            one_sided: 0.1,
            newest_fault: 0.8,
            newest_warning: 0.5,
            newest_lift: 5.0,
            future_fault: 0.001,
            negatives_fault: 0.01,
            unknown_warning: 0.2,
            unknown_note: 0.05,
            rare_below: 5,
            rare_note: 0.5,
            balance_warning: 2.0,
            balance_note: 1.25,
            most_compared: 10_000_000,
        }
    }
}

impl AuditConfig {
    /// Looks for values that make no sense. Names of features are checked against a schema by
    /// [`audit`](crate::audit()).
    ///
    /// # Errors
    /// [`DatasetError::Config`] names the key, its value and what is allowed.
    pub fn check(&self) -> Result<(), DatasetError> {
        for (name, value, lowest) in [
            ("auc_fault", self.auc_fault, 0.5),
            ("auc_warning", self.auc_warning, 0.5),
            ("duplicates_fault", self.duplicates_fault, 0.0),
            ("duplicates_warning", self.duplicates_warning, 0.0),
            ("history_fault", self.history_fault, 0.0),
            ("history_warning", self.history_warning, 0.0),
            ("one_sided", self.one_sided, 0.0),
            ("newest_fault", self.newest_fault, 0.0),
            ("newest_warning", self.newest_warning, 0.0),
            ("future_fault", self.future_fault, 0.0),
            ("negatives_fault", self.negatives_fault, 0.0),
            ("unknown_warning", self.unknown_warning, 0.0),
            ("unknown_note", self.unknown_note, 0.0),
            ("rare_note", self.rare_note, 0.0),
        ] {
            if !(value >= lowest && value <= 1.0) {
                return Err(wrong(name, value, format!("must be from {lowest} to 1")));
            }
        }
        for (name, value) in [
            ("newest_lift", self.newest_lift),
            ("balance_warning", self.balance_warning),
            ("balance_note", self.balance_note),
        ] {
            if !(value >= 1.0 && value.is_finite()) {
                return Err(wrong(name, value, "must be 1 or more"));
            }
        }
        for (lower, low, higher, high) in [
            ("auc_warning", self.auc_warning, "auc_fault", self.auc_fault),
            ("duplicates_warning", self.duplicates_warning, "duplicates_fault", self.duplicates_fault),
            ("history_warning", self.history_warning, "history_fault", self.history_fault),
            ("newest_warning", self.newest_warning, "newest_fault", self.newest_fault),
            ("unknown_note", self.unknown_note, "unknown_warning", self.unknown_warning),
            ("balance_note", self.balance_note, "balance_warning", self.balance_warning),
        ] {
            if low > high {
                return Err(wrong(lower, low, format!("must be at most {high}, the value of {higher}")));
            }
        }
        if self.smallest_class == 0 {
            return Err(wrong("smallest_class", 0, "must be 1 or more"));
        }
        if self.most_compared == 0 {
            return Err(wrong("most_compared", 0, "must be 1 or more"));
        }
        Ok(())
    }
}

/// An error of one key of the table.
pub(super) fn wrong(name: &str, value: impl std::fmt::Display, allowed: impl Into<String>) -> DatasetError {
    DatasetError::config(format!("data.audit.{name}"), value, allowed)
}

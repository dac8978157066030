//! One configuration file.

use std::path::{Path, PathBuf};

use fain_dataset::{DataConfig, DatasetError};
use fain_features::{Schema, SchemaConfig};
use fain_models::{ModelConfig, ModelError, complete};
use serde::{Deserialize, Serialize};
use toml::Value;

use crate::settings::{settings_of, table_of, text_of};
use crate::{BiasCorrection, ConfigError, Monitor, Override, TrainingConfig};

/// What a configuration file says: the data, its schema, the model and its training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Where the data is.
    pub data: DataConfig,
    /// What its columns mean.
    pub schema: SchemaConfig,
    /// Which model reads them.
    pub model: ModelConfig,
    /// How it is trained.
    #[serde(default)]
    pub training: TrainingConfig,
    /// Where this came from, for messages.
    #[serde(skip)]
    origin: String,
}

impl Experiment {
    /// Reads a configuration file and applies overrides.
    ///
    /// # Errors
    /// [`ConfigError`] names the file, the key, its value and what is allowed.
    pub fn read(file: &Path, overrides: &[Override]) -> Result<Self, ConfigError> {
        Self::parse(&text_of(file)?, &file.display().to_string(), overrides)
    }

    /// Reads the text of a configuration file; `origin` names it in messages.
    ///
    /// # Errors
    /// As [`Experiment::read`].
    pub fn parse(text: &str, origin: &str, overrides: &[Override]) -> Result<Self, ConfigError> {
        let mut table = table_of(text, origin, overrides)?;
        if let Some(model) = table.get_mut("model").and_then(Value::as_table_mut) {
            complete(model).map_err(|error| match error {
                ModelError::Config { key, value, allowed } => {
                    ConfigError::Value { origin: origin.to_owned(), key, value, allowed }
                }
                other => ConfigError::Conflict { origin: origin.to_owned(), message: other.to_string() },
            })?;
        }
        let mut experiment: Self = settings_of(table, origin)?;
        origin.clone_into(&mut experiment.origin);
        Ok(experiment)
    }

    /// Looks for everything that is out of bounds or does not fit together, before any data is read.
    ///
    /// # Errors
    /// [`ConfigError`] names the file, the key, its value and what is allowed.
    pub fn check(&self) -> Result<Schema, ConfigError> {
        let refuse = |key: String, value: String, allowed: String| ConfigError::Value {
            origin: self.origin.clone(),
            key,
            value,
            allowed,
        };
        let conflict = |message: String| ConfigError::Conflict { origin: self.origin.clone(), message };
        self.data.check().map_err(|error| match error {
            DatasetError::Config { key, value, allowed } => refuse(key, value, allowed),
            other => conflict(other.to_string()),
        })?;
        let schema = self.schema.clone().check().map_err(|error| conflict(error.to_string()))?;
        self.model.check(&schema).map_err(|error| match error {
            ModelError::Config { key, value, allowed } => refuse(key, value, allowed),
            other => conflict(other.to_string()),
        })?;
        if let Some((key, value, allowed)) = self.training.refusal() {
            return Err(refuse(key.to_owned(), value, allowed.to_owned()));
        }
        if self.training.monitor == Monitor::Gauc && schema.group().is_none() {
            return Err(refuse(
                "training.monitor".to_owned(),
                "gauc".to_owned(),
                "auc or log_loss, as there is no schema.group".to_owned(),
            ));
        }
        if self.training.tables.bias_correction == BiasCorrection::Row && !self.model.embedding().sparse {
            return Err(refuse(
                "training.tables.bias_correction".to_owned(),
                "row".to_owned(),
                "step, unless model.embedding.sparse is true: otherwise every row is moved in every step".to_owned(),
            ));
        }
        Ok(schema)
    }

    /// The same experiment with every default that depends on the machine or the working folder written out, so that
    /// it can be run again from elsewhere.
    ///
    /// # Errors
    /// [`ConfigError::Io`] when the working folder is gone.
    pub fn resolve(mut self) -> Result<Self, ConfigError> {
        let absolute =
            |path: &PathBuf| std::path::absolute(path).map_err(|cause| ConfigError::Io { file: path.clone(), cause });
        self.data.root = absolute(&self.data.root)?;
        self.data.cache = absolute(&self.data.cache)?;
        if let Some(encoders) = &mut self.data.encoders {
            encoders.from = absolute(&encoders.from)?;
        }
        self.training.threads = Some(self.training.resolved_threads());
        Ok(self)
    }

    /// The experiment as the text of a configuration file.
    ///
    /// # Errors
    /// [`ConfigError::Syntax`] when a value has no form in TOML.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        toml::to_string(self)
            .map_err(|error| ConfigError::Syntax { origin: self.origin.clone(), message: error.to_string() })
    }

    /// The file's name, for messages.
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    const EXPERIMENT: &str = r#"
        [data]
        train = "train.csv"
        validation.fraction = 0.1
        [schema]
        label = "click"
        features.item = { kind = "category" }
        features.history = { kind = "sequence", max_length = 50, vocabulary = "item" }
        [model]
        kind = "din"
        interests = [{ candidate = ["item"], history = ["history"] }]
    "#;

    fn message(settings: &[&str]) -> String {
        let settings: Vec<Override> = settings.iter().map(|text| text.parse().unwrap()).collect();
        let read = Experiment::parse(EXPERIMENT, "e.toml", &settings);
        read.and_then(|experiment| experiment.check().map(|_| experiment)).unwrap_err().to_string()
    }

    #[test]
    fn what_is_resolved_is_read_back() {
        let experiment = Experiment::parse(EXPERIMENT, "e.toml", &[]).unwrap().resolve().unwrap();
        assert!(experiment.training.threads.unwrap() >= 1);
        assert!(experiment.data.root.is_absolute());
        let again = Experiment::parse(&experiment.to_toml().unwrap(), "e.toml", &[]).unwrap();
        assert_eq!(again, experiment);
    }

    #[test]
    fn wrong_keys_and_values_are_named() {
        for (setting, start, part) in [
            ("training.bacth_size=1", "e.toml: training", "unknown field `bacth_size`, expected one of `batch_size`"),
            ("trainning.batch_size=1", "e.toml: ", "unknown field `trainning`"),
            ("training.batch_size=1", "e.toml: training.batch_size is 1; allowed: at least 2", ""),
            ("training.batch_size=x", "e.toml: training.batch_size: invalid type: string \"x\"", ""),
            ("training.epochs=0", "e.toml: training.epochs is 0; allowed: at least 1", ""),
            ("training.threads=0", "e.toml: training.threads is 0; allowed: 1 to 1024", ""),
            ("training.threads=9999", "e.toml: training.threads is 9999; allowed: 1 to 1024", ""),
            (
                "training.precision=bf16",
                "e.toml: training.precision: ",
                "unknown variant `bf16`, expected `float32` or `bfloat16`",
            ),
            ("training.learning_rate=0.0", "e.toml: training.learning_rate is 0; allowed: above 0", ""),
            ("training.learning_rate=nan", "e.toml: training.learning_rate is NaN; allowed: above 0", ""),
            ("training.weight_decay=-1.0", "e.toml: training.weight_decay is -1; allowed: at least 0", ""),
            (
                "training.optimizer.kind=lion",
                "e.toml: training.optimizer",
                "unknown variant `lion`, expected one of `adam`",
            ),
            ("training.optimizer.beta1=0.5", "e.toml: training.optimizer", "missing field `kind`"),
            (
                "training.optimizer={ kind = \"sgd\", beta1 = 0.5 }",
                "e.toml: training.optimizer",
                "unknown field `beta1`",
            ),
            (
                "training.optimizer={ kind = \"adagrad\", beta1 = 0.5 }",
                "e.toml: training.optimizer",
                "expected `epsilon`",
            ),
            (
                "training.optimizer={ kind = \"adam_w\", beta2 = 1.0 }",
                "e.toml: training.optimizer.beta2 is 1; allowed: at least 0 and below 1",
                "",
            ),
            (
                "training.tables.mini_batch_aware=-1.0",
                "e.toml: training.tables.mini_batch_aware is -1; allowed: at least 0",
                "",
            ),
            (
                "training.tables.moments=column",
                "e.toml: training.tables.moments",
                "unknown variant `column`, expected `element` or `row`",
            ),
            (
                "training={ optimizer = { kind = \"sgd\" }, tables = { moments = \"row\" } }",
                "e.toml: training.tables.moments is row; allowed: element, as training.optimizer.kind is sgd",
                "",
            ),
            (
                "training={ optimizer = { kind = \"adagrad\" }, tables = { bias_correction = \"row\" } }",
                "e.toml: training.tables.bias_correction is row; allowed: step, unless training.optimizer.kind is adam",
                "",
            ),
            (
                "training.tables.bias_correction=row",
                "e.toml: training.tables.bias_correction is row; allowed: step, unless model.embedding.sparse is true",
                "",
            ),
            ("training.monitor=mse", "e.toml: training.monitor", "unknown variant `mse`, expected one of `auc`"),
            ("training.monitor=gauc", "e.toml: training.monitor is gauc; allowed: auc or log_loss", ""),
            ("data.validation.fraction=0.9", "e.toml: data.validation.fraction is 0.9", ""),
            ("model.kind=dien2", "e.toml: model", "unknown variant `dien2`, expected"),
            ("model.mpl.hidden=[1]", "e.toml: model", "unknown field `mpl`, expected one of"),
            ("model.mlp.hidden=[]", "e.toml: model.mlp.hidden is []; allowed: one or more widths", ""),
            ("model.mlp.dropout=1.0", "e.toml: model.mlp.dropout is 1; allowed: at least 0 and below 1", ""),
            ("model.embedding.dim=0", "e.toml: model.embedding.dim is 0; allowed: at least 1", ""),
            ("schema.features.history.vocabulary=itme", "e.toml: schema.features.history.vocabulary", "itme"),
        ] {
            let message = message(&[setting]);
            assert!(message.starts_with(start) && message.contains(part), "{setting}: {message}");
        }
    }

    #[test]
    fn interests_must_fit_the_schema() {
        for (setting, expected) in [
            (
                "model.interests=[{ candidate = [\"itme\"], history = [\"history\"] }]",
                "e.toml: model.interests.0.candidate is `itme`; allowed: a category feature: item",
            ),
            (
                "model.interests=[{ candidate = [\"item\"], history = [\"item\"] }]",
                "e.toml: model.interests.0.history is `item`; allowed: a sequence feature: history",
            ),
            (
                "model.interests=[{ candidate = [\"item\"], history = [] }]",
                "e.toml: model.interests.0 is 1 candidate and 0 history features; allowed: as many history features as \
                 candidate features, at least one",
            ),
            (
                "model.interests=[]",
                "e.toml: model.interests is empty; allowed: at least one interest with a candidate and a history",
            ),
        ] {
            assert_eq!(message(&[setting]), expected);
        }
        let own_vocabulary = "schema.features.history={ kind = \"sequence\", max_length = 5 }";
        assert_eq!(
            message(&[own_vocabulary]),
            "e.toml: model.interests.0.history is `history`; allowed: a sequence with the candidate's vocabulary \
             (schema.features.history.vocabulary = \"item\")"
        );
    }

    #[test]
    fn two_features_of_one_name_are_refused() {
        let text = EXPERIMENT.replace("[model]", "features.item = { kind = \"numeric\" }\n[model]");
        let error = Experiment::parse(&text, "e.toml", &[]).unwrap_err().to_string();
        assert!(
            error.starts_with("e.toml: ") && error.contains("duplicate key") && error.contains("line 9"),
            "{error}"
        );
    }
}

//! A mapping file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::ImportError;
use super::operations::WeightOperations;
use super::pattern::Pattern;

/// Which tensor of another program each variable of a model is read from, and what is done to it on the way.
///
/// All tables are `ours = "theirs"`, and their order does not matter. `docs/formats/mapping.md` describes the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WeightMapping {
    /// Whole names. A rule here goes before the rules of `prefixes`. A `*` stands for one character or more, and for
    /// the same in both names.
    pub names: BTreeMap<String, String>,
    /// Starts of names. The longest that fits is replaced; what follows it goes through `suffixes`.
    pub prefixes: BTreeMap<String, String>,
    /// What follows a prefix, with `*` as in `names`. What no rule fits stays as it is.
    pub suffixes: BTreeMap<String, String>,
    /// What is done to the tensor of a variable, by the variable's whole name, with `*`.
    pub operations: BTreeMap<String, WeightOperations>,
    /// Tensors that may be left aside.
    pub ignore: TensorNames,
    /// Tensors that several variables may be read from.
    pub shared: TensorNames,
}

/// Names of tensors of the other program, with `*`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TensorNames {
    /// The names.
    pub theirs: BTreeSet<String>,
}

impl WeightMapping {
    /// Reads a mapping file.
    ///
    /// # Errors
    /// [`ImportError::Io`], or [`ImportError::Mapping`] which names the file, the rule and what is allowed.
    pub fn read(file: &Path) -> Result<Self, ImportError> {
        let text = std::fs::read_to_string(file)
            .map_err(|cause| ImportError::Io { file: file.display().to_string(), cause })?;
        Self::parse(&text, &file.display().to_string())
    }

    /// Reads the text of a mapping file; `origin` names it in messages.
    ///
    /// # Errors
    /// [`ImportError::Mapping`] names the origin, the rule and what is allowed.
    pub fn parse(text: &str, origin: &str) -> Result<Self, ImportError> {
        let refuse = |problem: String| ImportError::Mapping { origin: origin.to_owned(), problem };
        let mapping: Self = toml::from_str(text).map_err(|error| refuse(error.to_string().trim_end().to_owned()))?;
        mapping.check().map_err(refuse)?;
        Ok(mapping)
    }

    /// Looks for rules that cannot mean anything; gives the first one, with what is allowed.
    pub(super) fn check(&self) -> Result<(), String> {
        for (table, rules) in [("names", &self.names), ("suffixes", &self.suffixes)] {
            for (ours, theirs) in rules {
                let (left, right) = (Pattern(ours).stars(), Pattern(theirs).stars());
                if left != right {
                    return Err(format!(
                        "[{table}] \"{ours}\" has {left} `*` and \"{theirs}\" has {right}; allowed: as many in both"
                    ));
                }
            }
        }
        for text in self.prefixes.iter().flat_map(|(ours, theirs)| [ours, theirs]) {
            if !Pattern(text).is_plain() {
                return Err(format!("[prefixes] \"{text}\"; allowed: a start of a name without `*`"));
            }
        }
        for (ours, operations) in &self.operations {
            operations.check().map_err(|problem| format!("[operations] \"{ours}\": {problem}"))?;
        }
        Ok(())
    }
}

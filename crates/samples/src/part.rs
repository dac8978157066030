//! The three parts that samples are split into.

use serde::{Deserialize, Serialize};

/// A part of the samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// What a model learns from.
    Train,
    /// What choices between models are made by.
    Validation,
    /// What the chosen model is measured on, once.
    Test,
}

impl Part {
    /// All parts, in the order of training.
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// The name in files and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// One thing for each part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByPart<T> {
    /// Of the training part.
    pub train: T,
    /// Of the validation part.
    pub validation: T,
    /// Of the test part.
    pub test: T,
}

impl<T> ByPart<T> {
    /// What belongs to a part.
    pub fn get(&self, part: Part) -> &T {
        match part {
            Part::Train => &self.train,
            Part::Validation => &self.validation,
            Part::Test => &self.test,
        }
    }

    /// What belongs to a part, to be changed.
    pub fn get_mut(&mut self, part: Part) -> &mut T {
        match part {
            Part::Train => &mut self.train,
            Part::Validation => &mut self.validation,
            Part::Test => &mut self.test,
        }
    }

    /// Makes the thing of each part, in the order of [`Part::ALL`].
    ///
    /// # Errors
    /// The first error of `make`.
    pub fn try_from_fn<E>(mut make: impl FnMut(Part) -> Result<T, E>) -> Result<Self, E> {
        Ok(Self { train: make(Part::Train)?, validation: make(Part::Validation)?, test: make(Part::Test)? })
    }
}

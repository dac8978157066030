//! Which events of the log are meant, as written in a configuration.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::condition::Condition;
use crate::error::PrepareError;

/// Some of the events of the log: TOML `"all"`, `"positive"`, or a [`Condition`].
#[derive(Debug, Clone, PartialEq)]
pub enum EventChoice {
    /// All.
    All,
    /// The positive ones: those that `label` says.
    Positive,
    /// Those that fulfil a condition, such as a kind of behaviour, whether they are positive or not.
    Where(Condition),
}

impl EventChoice {
    /// `key` is where the choice stands.
    pub(crate) fn check(&self, key: &str) -> Result<(), PrepareError> {
        match self {
            Self::Where(condition) => condition.check(key),
            Self::All | Self::Positive => Ok(()),
        }
    }
}

/// The choice as TOML writes it; of a condition, its column.
impl fmt::Display for EventChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("\"all\""),
            Self::Positive => f.write_str("\"positive\""),
            Self::Where(condition) => condition.fmt(f),
        }
    }
}

impl Serialize for EventChoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str("all"),
            Self::Positive => serializer.serialize_str("positive"),
            Self::Where(condition) => condition.serialize(serializer),
        }
    }
}

/// By hand, because a derived untagged enum hides what is wrong with a condition.
impl<'de> Deserialize<'de> for EventChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameOrCondition)
    }
}

struct NameOrCondition;

impl<'de> Visitor<'de> for NameOrCondition {
    type Value = EventChoice;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("\"positive\", \"all\" or a condition such as { column = \"behaviour\", equals = \"buy\" }")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<EventChoice, E> {
        match name {
            "all" => Ok(EventChoice::All),
            "positive" => Ok(EventChoice::Positive),
            other => Err(E::invalid_value(Unexpected::Str(other), &self)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<EventChoice, A::Error> {
        Condition::deserialize(MapAccessDeserializer::new(map)).map(EventChoice::Where)
    }
}

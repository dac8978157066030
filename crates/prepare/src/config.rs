//! What to prepare, as written in a configuration file.

use std::path::PathBuf;

use fain_samples::{ColumnInfo, Kind, Layout};
use fain_tables::CsvConfig;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::condition::Condition;
use crate::rules::{HistoryConfig, LabelConfig, NegativesConfig, RulesConfig, SamplesConfig, SplitConfig};

/// How a raw log becomes samples: the file `prepare.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrepareConfig {
    /// Folder of the source files. Default: the working directory.
    #[serde(default = "default_root")]
    pub root: PathBuf,
    /// The log of interactions.
    pub log: LogConfig,
    /// The table of users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<AttributeTable>,
    /// The table of items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<AttributeTable>,
    /// Which events are positive. Without it every event is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<LabelConfig>,
    /// What histories keep.
    pub history: HistoryConfig,
    /// Which events become samples.
    #[serde(default)]
    pub samples: SamplesConfig,
    /// Which samples are for training, validation and test.
    pub split: SplitConfig,
    /// Items that users did not choose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub negatives: Option<NegativesConfig>,
}

/// The log of interactions: TOML `[log]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// The files, relative to [`PrepareConfig::root`].
    pub files: FileNames,
    /// How CSV files are written.
    #[serde(default)]
    pub csv: CsvConfig,
    /// The column of the user.
    pub user: String,
    /// The column of the item.
    pub item: String,
    /// The time of an interaction. Either this or `order` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<TimeConfig>,
    /// A column of integers that order the log without being a time; it is not stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// The rows that count: those that fulfil all conditions. Default: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<Condition>,
    /// The columns that a history keeps of each event, [`ColumnKind::Term`] or [`ColumnKind::Number`].
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub event: IndexMap<String, ColumnKind>,
    /// The columns of the interaction that a sample keeps.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub row: IndexMap<String, ColumnKind>,
}

/// What is known of users, or of items: TOML `[users]` and `[items]`.
///
/// With `files` it stands in a table of its own, with one row per user or item. Without, it stands in the rows of the
/// log: of each column the first row that counts and has a value decides, in the order of the files' rows. Another value
/// in a later row changes nothing; [`Summary`](crate::Summary) says how many users and items have such rows.
///
/// ```
/// # use fain_prepare::PrepareConfig;
/// let config: PrepareConfig = toml::from_str(
///     r#"
///     log = { files = "log.csv", user = "user", item = "item", time = "time" }
///     users = { files = "users.csv", key = "id", columns = { age = "number" } }
///     items = { columns = { category = "term" } }
///     label = { column = "stars", at_least = 4 }
///     history = { max_length = 50 }
///     split = { last = { test = 1, validation = 1 } }
///     "#,
/// )?;
/// config.check()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttributeTable {
    /// The files, relative to [`PrepareConfig::root`]. Without them, the columns are those of the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<FileNames>,
    /// How CSV files are written; only beside `files`.
    #[serde(default)]
    pub csv: CsvConfig,
    /// The column of the user or item; needed beside `files`, and only there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The columns to keep.
    pub columns: IndexMap<String, ColumnKind>,
}

/// One name of a file, or several. A name may be a pattern with `*`, `?`, `[…]` and `**`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "the name of a file, or a list of names, is needed")]
pub enum FileNames {
    /// One name.
    One(String),
    /// Several names.
    Many(Vec<String>),
}

/// Where the time of an interaction stands, and how it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "the name of a column, or { column = NAME, format = DATE FORMAT }, is needed")]
pub enum TimeConfig {
    /// A column of Unix seconds, integers.
    Seconds(String),
    /// A column of dates in UTC.
    Date(DateColumn),
}

/// A column of dates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DateColumn {
    /// The column.
    pub column: String,
    /// How a date is written, as `strftime` does: `"%Y-%m-%d %H:%M:%S"`. Without a time of day, midnight is meant;
    /// without an offset, UTC.
    pub format: String,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "WrittenKind", into = "WrittenKind")]
pub enum ColumnKind {
    /// One term: TOML `"term"`.
    Term,
    /// A number: TOML `"number"`. A missing one is NaN.
    Number,
    /// Several terms with this separator between them: TOML `{ terms = "|" }`.
    Terms(String),
    /// The first term of another column of the same table: TOML `{ first = "|", of = "genres" }`.
    First {
        /// What ends the first term.
        separator: String,
        /// The other column.
        of: String,
    },
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "a kind is needed: \"term\", \"number\", { terms = SEPARATOR } or { first = SEPARATOR, of = COLUMN }"
)]
enum WrittenKind {
    Name(KindName),
    Terms(TermsKind),
    First(FirstKind),
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KindName {
    Term,
    Number,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TermsKind {
    terms: String,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FirstKind {
    first: String,
    of: String,
}

impl From<WrittenKind> for ColumnKind {
    fn from(written: WrittenKind) -> Self {
        match written {
            WrittenKind::Name(KindName::Term) => Self::Term,
            WrittenKind::Name(KindName::Number) => Self::Number,
            WrittenKind::Terms(kind) => Self::Terms(kind.terms),
            WrittenKind::First(kind) => Self::First { separator: kind.first, of: kind.of },
        }
    }
}

impl From<ColumnKind> for WrittenKind {
    fn from(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Term => Self::Name(KindName::Term),
            ColumnKind::Number => Self::Name(KindName::Number),
            ColumnKind::Terms(terms) => Self::Terms(TermsKind { terms }),
            ColumnKind::First { separator, of } => Self::First(FirstKind { first: separator, of }),
        }
    }
}

fn default_root() -> PathBuf {
    PathBuf::from(".")
}

impl FileNames {
    /// The names, one or more of them.
    pub(crate) fn as_slice(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Many(names) => names,
        }
    }
}

impl TimeConfig {
    /// The column.
    pub(crate) fn column(&self) -> &str {
        match self {
            Self::Seconds(column) | Self::Date(DateColumn { column, .. }) => column,
        }
    }
}

impl ColumnKind {
    /// What samples keep of it.
    pub(crate) fn stored(&self) -> Kind {
        match self {
            Self::Term | Self::First { .. } => Kind::Term,
            Self::Number => Kind::Number,
            Self::Terms(_) => Kind::Terms,
        }
    }
}

impl PrepareConfig {
    /// What the rules over one user's events are made from.
    pub(crate) fn rules(&self) -> RulesConfig<'_> {
        RulesConfig {
            label: self.label.as_ref(),
            history: &self.history,
            samples: &self.samples,
            split: &self.split,
            negatives: self.negatives.as_ref(),
            timed: self.log.time.is_some(),
        }
    }

    /// The columns of the samples.
    pub(crate) fn layout(&self) -> Layout {
        let columns = |columns: &IndexMap<String, ColumnKind>| {
            let info = |(name, kind): (&String, &ColumnKind)| ColumnInfo { name: name.clone(), kind: kind.stored() };
            columns.iter().map(info).collect()
        };
        let attributes =
            |table: &Option<AttributeTable>| table.as_ref().map_or_else(Vec::new, |table| columns(&table.columns));
        Layout {
            user: self.log.user.clone(),
            item: self.log.item.clone(),
            time: self.log.time.as_ref().map(|time| time.column().to_owned()),
            max_length: self.history.max_length,
            row_columns: columns(&self.log.row),
            event_columns: columns(&self.log.event),
            user_columns: attributes(&self.users),
            item_columns: attributes(&self.items),
        }
    }
}

//! Which columns the tables of a samples folder have.

use serde::{Deserialize, Serialize};

use crate::error::SamplesError;
use crate::logical::{Field, TermTable, logical_columns};

/// A table that columns of the log, the users or the items are kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The samples: the context of an interaction, such as the device or the hour.
    Row,
    /// The events of histories: what a past interaction was like, such as its rating.
    Event,
    /// The users.
    User,
    /// The items.
    Item,
}

impl Place {
    /// All places.
    pub const ALL: [Self; 4] = [Self::Row, Self::Event, Self::User, Self::Item];

    /// The name in files and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Row => "row",
            Self::Event => "event",
            Self::User => "user",
            Self::Item => "item",
        }
    }
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One term: `UInt32`, the row of its text in the column's table of terms. A missing term is the empty text.
    Term,
    /// A number: `Float64`, `NaN` where it is missing.
    Number,
    /// A list of terms: list of `UInt32`.
    Terms,
}

/// A column of a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnInfo {
    /// Its name in the log or table that it came from.
    pub name: String,
    /// What it holds. A column of events holds a term or a number.
    pub kind: Kind,
}

/// The columns of a samples folder beside those that every one has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    /// The log's name of the column that tells users apart.
    pub user: String,
    /// The log's name of the column that tells items apart.
    pub item: String,
    /// The log's name of the time column; `None` if the log has an order only. Times are seconds.
    pub time: Option<String>,
    /// The events of a history are the last so many, 1 or more.
    pub max_length: u32,
    /// Columns of the samples.
    pub row_columns: Vec<ColumnInfo>,
    /// Columns of the events, of kind term or number.
    pub event_columns: Vec<ColumnInfo>,
    /// Columns of the users.
    pub user_columns: Vec<ColumnInfo>,
    /// Columns of the items.
    pub item_columns: Vec<ColumnInfo>,
}

impl Layout {
    /// The columns of a place, in the order of the files.
    pub fn columns(&self, place: Place) -> &[ColumnInfo] {
        match place {
            Place::Row => &self.row_columns,
            Place::Event => &self.event_columns,
            Place::User => &self.user_columns,
            Place::Item => &self.item_columns,
        }
    }

    /// The tables of terms: those of the user key and the item key, then one for each column of terms, place by place
    /// in the order of [`Place::ALL`]. The table at place `N` is in the file `terms/N.arrow`.
    pub fn term_tables(&self) -> Vec<TermTable> {
        let mut tables = vec![TermTable::User(Field::Key), TermTable::Item(Field::Key)];
        for place in Place::ALL {
            let with_terms = self.columns(place).iter().enumerate().filter(|(_, column)| column.kind != Kind::Number);
            tables.extend(with_terms.map(|(column, _)| TermTable::of(place, column)));
        }
        tables
    }

    /// Finds what no folder can be written with: names that are empty or mean two things, events that hold lists, a
    /// longest history of 0.
    ///
    /// # Errors
    /// [`SamplesError::Layout`] names the column and what is wrong with it.
    pub fn check(&self) -> Result<(), SamplesError> {
        let problem =
            |name: &str, reason: &str| Err(SamplesError::Layout { name: name.to_owned(), reason: reason.to_owned() });
        if self.max_length == 0 {
            return problem("max_length", "the longest history has 0 events; at least 1 is needed");
        }
        for event in &self.event_columns {
            if event.kind == Kind::Terms {
                return problem(&event.name, "an event holds one term or a number, not a list of terms");
            }
        }
        // With negatives all names there can be: a folder without them must not need other names.
        let mut names: Vec<String> = logical_columns(self, true).into_iter().map(|column| column.name).collect();
        names.sort_unstable();
        for pair in names.windows(2) {
            if pair[0] == pair[1] {
                return problem(&pair[0], "two columns of samples would have this name");
            }
        }
        let given = Place::ALL.iter().flat_map(|place| self.columns(*place)).map(|column| &column.name);
        let mut given = given.chain([&self.user, &self.item]).chain(&self.time);
        if given.any(String::is_empty) {
            return problem("", "a column needs a name");
        }
        Ok(())
    }
}

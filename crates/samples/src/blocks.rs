//! Columns on their way to the writer: blocks of rows of any size.

use crate::layout::{ColumnInfo, Kind, Layout};

/// Lists of codes, one after the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CodeLists {
    pub(crate) codes: Vec<u32>,
    pub(crate) ends: Vec<usize>,
}

impl CodeLists {
    /// Adds a list.
    pub fn push(&mut self, codes: impl IntoIterator<Item = u32>) {
        self.codes.extend(codes);
        self.ends.push(self.codes.len());
    }

    /// Number of lists.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no lists.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// A list; `None` if there are fewer.
    pub fn get(&self, number: usize) -> Option<&[u32]> {
        let end = *self.ends.get(number)?;
        let start = number.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.codes.get(start..end)
    }

    fn clear(&mut self) {
        self.codes.clear();
        self.ends.clear();
    }
}

/// The values of a column that a layout names.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Of a [`Kind::Term`].
    Term(Vec<u32>),
    /// Of a [`Kind::Number`].
    Number(Vec<f64>),
    /// Of a [`Kind::Terms`].
    Terms(CodeLists),
}

impl Values {
    /// No values of a kind.
    pub fn new(kind: Kind) -> Self {
        match kind {
            Kind::Term => Self::Term(Vec::new()),
            Kind::Number => Self::Number(Vec::new()),
            Kind::Terms => Self::Terms(CodeLists::default()),
        }
    }

    fn clear(&mut self) {
        match self {
            Self::Term(codes) => codes.clear(),
            Self::Number(numbers) => numbers.clear(),
            Self::Terms(lists) => lists.clear(),
        }
    }
}

fn values(columns: &[ColumnInfo]) -> Vec<Values> {
    columns.iter().map(|column| Values::new(column.kind)).collect()
}

/// Samples, column by column. All columns have one length.
#[derive(Debug, Clone, PartialEq)]
pub struct RowBlock {
    /// 0 or 1.
    pub labels: Vec<u8>,
    /// Rows of the users.
    pub users: Vec<u32>,
    /// Rows of the items: the candidates.
    pub items: Vec<u32>,
    /// Rows of the events: each behind the last event of the history.
    pub history_ends: Vec<u32>,
    /// Seconds; empty where the layout has no time.
    pub times: Vec<i64>,
    /// The columns of [`Layout::row_columns`].
    pub columns: Vec<Values>,
}

impl RowBlock {
    /// No rows.
    pub fn new(layout: &Layout) -> Self {
        Self {
            labels: Vec::new(),
            users: Vec::new(),
            items: Vec::new(),
            history_ends: Vec::new(),
            times: Vec::new(),
            columns: values(&layout.row_columns),
        }
    }

    /// Takes all rows out; the memory stays.
    pub fn clear(&mut self) {
        self.labels.clear();
        self.users.clear();
        self.items.clear();
        self.history_ends.clear();
        self.times.clear();
        self.columns.iter_mut().for_each(Values::clear);
    }
}

/// Events, column by column: user by user in the order of the users, oldest first. All columns have one length.
#[derive(Debug, Clone, PartialEq)]
pub struct EventBlock {
    /// Rows of the items.
    pub items: Vec<u32>,
    /// Seconds; empty where the layout has no time.
    pub times: Vec<i64>,
    /// The columns of [`Layout::event_columns`].
    pub columns: Vec<Values>,
}

impl EventBlock {
    /// No events.
    pub fn new(layout: &Layout) -> Self {
        Self { items: Vec::new(), times: Vec::new(), columns: values(&layout.event_columns) }
    }

    /// Takes all events out; the memory stays.
    pub fn clear(&mut self) {
        self.items.clear();
        self.times.clear();
        self.columns.iter_mut().for_each(Values::clear);
    }
}

/// Users, column by column. All columns have one length.
#[derive(Debug, Clone, PartialEq)]
pub struct UserBlock {
    /// Rows of the events: the first of each user.
    pub events_starts: Vec<u32>,
    /// Rows of the events: each behind the last of the user.
    pub events_ends: Vec<u32>,
    /// Rows of the events: each behind the last that training may know.
    pub window_ends: Vec<u32>,
    /// The columns of [`Layout::user_columns`].
    pub columns: Vec<Values>,
}

impl UserBlock {
    /// No users.
    pub fn new(layout: &Layout) -> Self {
        Self {
            events_starts: Vec::new(),
            events_ends: Vec::new(),
            window_ends: Vec::new(),
            columns: values(&layout.user_columns),
        }
    }

    /// Takes all users out; the memory stays.
    pub fn clear(&mut self) {
        self.events_starts.clear();
        self.events_ends.clear();
        self.window_ends.clear();
        self.columns.iter_mut().for_each(Values::clear);
    }
}

/// Items, column by column. All columns have one length.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemBlock {
    /// Events of each item within the training windows of all users.
    pub counts: Vec<u32>,
    /// The columns of [`Layout::item_columns`].
    pub columns: Vec<Values>,
}

impl ItemBlock {
    /// No items.
    pub fn new(layout: &Layout) -> Self {
        Self { counts: Vec::new(), columns: values(&layout.item_columns) }
    }

    /// Takes all items out; the memory stays.
    pub fn clear(&mut self) {
        self.counts.clear();
        self.columns.iter_mut().for_each(Values::clear);
    }
}

//! The names by which schemas know the columns of samples, as if histories were written in line.

use crate::layout::{Kind, Layout, Place};

/// A column of users or items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// The key that tells them apart; its code is the row of the user or the item.
    Key,
    /// The column of this place, counted from 0, among [`Layout::user_columns`] or [`Layout::item_columns`].
    Column(usize),
}

/// Something that is known of each event of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Past {
    /// Its item, or something of its item.
    Item(Field),
    /// Its time.
    Time,
    /// The column of this place, counted from 0, among [`Layout::event_columns`].
    Event(usize),
}

/// What a name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Logical {
    /// The label of the sample.
    Label,
    /// The time of the sample.
    Time,
    /// The column of this place, counted from 0, among [`Layout::row_columns`].
    Row(usize),
    /// Something of the user.
    User(Field),
    /// Something of the candidate.
    Item(Field),
    /// Something of each event of the history, oldest first.
    History(Past),
    /// Something of each negative item, one beside each event of the history.
    Negative(Field),
}

/// What one sample has under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Content {
    /// 0 or 1.
    Label,
    /// Seconds.
    Time,
    /// A term.
    Term,
    /// A number, or `NaN`.
    Number,
    /// Terms: of a list column, or one for each event or negative.
    Terms,
    /// A time for each event, in seconds.
    Times,
    /// A number for each event, or `NaN`.
    Numbers,
}

/// A column as schemas and CSV exports know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogicalColumn {
    /// Its name.
    pub name: String,
    /// What the name means.
    pub meaning: Logical,
    /// What one sample has there.
    pub content: Content,
}

/// A table of terms: the texts of one column, or of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TermTable {
    /// Of a column of the samples, counted from 0.
    Row(usize),
    /// Of a column of the events, counted from 0.
    Event(usize),
    /// Of the user key or a column of the users.
    User(Field),
    /// Of the item key or a column of the items.
    Item(Field),
}

impl TermTable {
    /// The table of a column of a place.
    pub fn of(place: Place, column: usize) -> Self {
        match place {
            Place::Row => Self::Row(column),
            Place::Event => Self::Event(column),
            Place::User => Self::User(Field::Column(column)),
            Place::Item => Self::Item(Field::Column(column)),
        }
    }
}

impl Logical {
    /// The table that the codes under this name point into; `None` if numbers or times are there.
    pub fn term_table(self, layout: &Layout) -> Option<TermTable> {
        let table = match self {
            Self::Label | Self::Time | Self::History(Past::Time) => return None,
            Self::Row(column) => TermTable::Row(column),
            Self::User(field) => TermTable::User(field),
            Self::Item(field) | Self::History(Past::Item(field)) | Self::Negative(field) => TermTable::Item(field),
            Self::History(Past::Event(column)) => TermTable::Event(column),
        };
        let kind = |place, column: usize| layout.columns(place).get(column).map(|column| column.kind);
        let kind = match table {
            TermTable::Row(column) => kind(Place::Row, column),
            TermTable::Event(column) => kind(Place::Event, column),
            TermTable::User(Field::Column(column)) => kind(Place::User, column),
            TermTable::Item(Field::Column(column)) => kind(Place::Item, column),
            TermTable::User(Field::Key) | TermTable::Item(Field::Key) => Some(Kind::Term),
        };
        kind.filter(|kind| *kind != Kind::Number).map(|_| table)
    }
}

/// All names that the columns of a layout have: what the sample itself is first, then what its history holds.
/// `negatives`: whether negative items stand beside the events of histories.
pub(crate) fn logical_columns(layout: &Layout, negatives: bool) -> Vec<LogicalColumn> {
    let mut columns = Columns(Vec::new());
    columns.add("label", Logical::Label, Content::Label);
    if let Some(time) = &layout.time {
        columns.add(time, Logical::Time, Content::Time);
    }
    columns.add(&layout.user, Logical::User(Field::Key), Content::Term);
    columns.add_all(layout, Place::User, |column| Logical::User(Field::Column(column)));
    columns.add(&layout.item, Logical::Item(Field::Key), Content::Term);
    columns.add_all(layout, Place::Item, |column| Logical::Item(Field::Column(column)));
    columns.add_all(layout, Place::Row, Logical::Row);
    for (name, field) in terms_of_items(layout) {
        columns.add(&format!("history.{name}"), Logical::History(Past::Item(field)), Content::Terms);
    }
    for (place, column) in layout.event_columns.iter().enumerate() {
        let content = if column.kind == Kind::Number { Content::Numbers } else { Content::Terms };
        columns.add(&format!("history.{}", column.name), Logical::History(Past::Event(place)), content);
    }
    if let Some(time) = &layout.time {
        columns.add(&format!("history.{time}"), Logical::History(Past::Time), Content::Times);
    }
    if negatives {
        for (name, field) in terms_of_items(layout) {
            columns.add(&format!("negative.{name}"), Logical::Negative(field), Content::Terms);
        }
    }
    columns.0
}

struct Columns(Vec<LogicalColumn>);

impl Columns {
    fn add(&mut self, name: &str, meaning: Logical, content: Content) {
        self.0.push(LogicalColumn { name: name.to_owned(), meaning, content });
    }

    fn add_all(&mut self, layout: &Layout, place: Place, meaning: impl Fn(usize) -> Logical) {
        for (number, column) in layout.columns(place).iter().enumerate() {
            let content = match column.kind {
                Kind::Term => Content::Term,
                Kind::Number => Content::Number,
                Kind::Terms => Content::Terms,
            };
            self.add(&column.name, meaning(number), content);
        }
    }
}

/// The item key, and the columns of items that hold one term: what lists of items can show.
fn terms_of_items(layout: &Layout) -> impl Iterator<Item = (&str, Field)> {
    let columns = layout.item_columns.iter().enumerate().filter(|(_, column)| column.kind == Kind::Term);
    let columns = columns.map(|(place, column)| (column.name.as_str(), Field::Column(place)));
    std::iter::once((layout.item.as_str(), Field::Key)).chain(columns)
}

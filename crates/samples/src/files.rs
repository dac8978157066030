//! The files of a samples folder and their columns.

use std::sync::Arc;

use arrow_schema::{DataType, Field as ArrowField, Schema, SchemaRef};
use fain_storage::list_of;

use crate::layout::{Kind, Layout, Place};
use crate::logical::{Field, TermTable};
use crate::part::Part;

pub(crate) const EVENTS: &str = "events.arrow";
pub(crate) const USERS: &str = "users.arrow";
pub(crate) const ITEMS: &str = "items.arrow";
/// The folder of the tables of terms.
pub(crate) const TERMS: &str = "terms";

pub(crate) const LABEL: &str = "label";
pub(crate) const USER: &str = "user";
pub(crate) const ITEM: &str = "item";
pub(crate) const TIME: &str = "time";
pub(crate) const HISTORY_END: &str = "history_end";
pub(crate) const EVENTS_START: &str = "events_start";
pub(crate) const EVENTS_END: &str = "events_end";
pub(crate) const WINDOW_END: &str = "window_end";
pub(crate) const COUNT: &str = "count";
pub(crate) const TERM: &str = "term";

/// The file of a part.
pub(crate) fn part_file(part: Part) -> String {
    format!("{part}.arrow")
}

/// The file of the table of terms at a place of [`Layout::term_tables`].
pub(crate) fn terms_file(number: usize) -> String {
    format!("{TERMS}/{number}.arrow")
}

/// The name of a column in its file. The prefix keeps it apart from the columns that every file has.
pub(crate) fn column_name(place: Place, name: &str) -> String {
    format!("{}:{name}", place.name())
}

/// Whose codes point into a table of terms, as the manifest says it.
pub(crate) fn terms_column(layout: &Layout, table: TermTable) -> String {
    let column = |place: Place, column: usize| {
        layout.columns(place).get(column).map_or_else(String::new, |column| column_name(place, &column.name))
    };
    match table {
        TermTable::User(Field::Key) => USER.to_owned(),
        TermTable::Item(Field::Key) => ITEM.to_owned(),
        TermTable::Row(number) => column(Place::Row, number),
        TermTable::Event(number) => column(Place::Event, number),
        TermTable::User(Field::Column(number)) => column(Place::User, number),
        TermTable::Item(Field::Column(number)) => column(Place::Item, number),
    }
}

/// The Arrow schema of a place's file.
pub(crate) fn schema(layout: &Layout, place: Place) -> SchemaRef {
    let time = layout.time.is_some().then_some((TIME, DataType::Int64));
    let fixed: Vec<(&str, DataType)> = match place {
        Place::Row => [
            (LABEL, DataType::UInt8),
            (USER, DataType::UInt32),
            (ITEM, DataType::UInt32),
            (HISTORY_END, DataType::UInt32),
        ]
        .into_iter()
        .chain(time)
        .collect(),
        Place::Event => [(ITEM, DataType::UInt32)].into_iter().chain(time).collect(),
        Place::User => [EVENTS_START, EVENTS_END, WINDOW_END].map(|name| (name, DataType::UInt32)).into(),
        Place::Item => vec![(COUNT, DataType::UInt32)],
    };
    let fixed = fixed.into_iter().map(|(name, kind)| ArrowField::new(name, kind, false));
    let named = layout.columns(place).iter().map(|column| {
        let kind = match column.kind {
            Kind::Term => DataType::UInt32,
            Kind::Number => DataType::Float64,
            Kind::Terms => list_of(DataType::UInt32),
        };
        ArrowField::new(column_name(place, &column.name), kind, false)
    });
    Arc::new(Schema::new(fixed.chain(named).collect::<Vec<_>>()))
}

/// The Arrow schema of every table of terms.
pub(crate) fn terms_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![ArrowField::new(TERM, DataType::Utf8, false)]))
}

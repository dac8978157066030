//! The tables of an open folder. Their values stay in the mapped files.

use arrow_array::types::{Float64Type, Int64Type, UInt8Type, UInt32Type};
use fain_storage::{Chunks, ColumnFile, ListChunks};

use crate::error::SamplesError;
use crate::files::{COUNT, EVENTS_END, EVENTS_START, HISTORY_END, ITEM, LABEL, TIME, USER, WINDOW_END, column_name};
use crate::layout::{Kind, Layout, Place};

/// A column that the layout names.
#[derive(Debug, Clone)]
pub enum StoredColumn {
    /// Codes: rows of the column's table of terms.
    Term(Chunks<u32>),
    /// Numbers, `NaN` where missing.
    Number(Chunks<f64>),
    /// Lists of codes.
    Terms(ListChunks<u32>),
}

/// The samples of a part, in the order of their users, and of a user's in the order of time.
#[derive(Debug, Clone)]
pub struct Rows {
    /// 0 or 1.
    pub labels: Chunks<u8>,
    /// Rows of the users.
    pub users: Chunks<u32>,
    /// Rows of the items: the candidates.
    pub items: Chunks<u32>,
    /// Rows of the events: each behind the last event of the history.
    pub history_ends: Chunks<u32>,
    /// Seconds; `None` where the layout has no time.
    pub times: Option<Chunks<i64>>,
    /// The columns of [`Layout::row_columns`].
    pub columns: Vec<StoredColumn>,
    /// Number of samples.
    pub rows: u64,
    /// Samples with label 1.
    pub positives: u64,
}

/// The events of all histories: user by user in the order of the users, oldest first.
#[derive(Debug, Clone)]
pub struct Events {
    /// Rows of the items.
    pub items: Chunks<u32>,
    /// Seconds; `None` where the layout has no time.
    pub times: Option<Chunks<i64>>,
    /// The columns of [`Layout::event_columns`].
    pub columns: Vec<StoredColumn>,
    /// Number of events.
    pub rows: u64,
}

/// The users.
#[derive(Debug, Clone)]
pub struct Users {
    /// Rows of the events: the first of each user.
    pub events_starts: Chunks<u32>,
    /// Rows of the events: each behind the last of the user.
    pub events_ends: Chunks<u32>,
    /// Rows of the events: each behind the last that training may know.
    pub window_ends: Chunks<u32>,
    /// The columns of [`Layout::user_columns`].
    pub columns: Vec<StoredColumn>,
    /// Number of users.
    pub rows: u64,
}

/// The items.
#[derive(Debug, Clone)]
pub struct Items {
    /// Events of each item within the training windows of all users.
    pub counts: Chunks<u32>,
    /// The columns of [`Layout::item_columns`].
    pub columns: Vec<StoredColumn>,
    /// Number of items.
    pub rows: u64,
}

impl Rows {
    pub(crate) fn new(file: &ColumnFile, layout: &Layout, positives: u64) -> Result<Self, SamplesError> {
        Ok(Self {
            labels: file.chunks::<UInt8Type>(LABEL)?,
            users: file.chunks::<UInt32Type>(USER)?,
            items: file.chunks::<UInt32Type>(ITEM)?,
            history_ends: file.chunks::<UInt32Type>(HISTORY_END)?,
            times: times(file, layout)?,
            columns: columns(file, layout, Place::Row)?,
            rows: file.rows(),
            positives,
        })
    }
}

impl Events {
    pub(crate) fn new(file: &ColumnFile, layout: &Layout) -> Result<Self, SamplesError> {
        Ok(Self {
            items: file.chunks::<UInt32Type>(ITEM)?,
            times: times(file, layout)?,
            columns: columns(file, layout, Place::Event)?,
            rows: file.rows(),
        })
    }
}

impl Users {
    pub(crate) fn new(file: &ColumnFile, layout: &Layout) -> Result<Self, SamplesError> {
        Ok(Self {
            events_starts: file.chunks::<UInt32Type>(EVENTS_START)?,
            events_ends: file.chunks::<UInt32Type>(EVENTS_END)?,
            window_ends: file.chunks::<UInt32Type>(WINDOW_END)?,
            columns: columns(file, layout, Place::User)?,
            rows: file.rows(),
        })
    }
}

impl Items {
    pub(crate) fn new(file: &ColumnFile, layout: &Layout) -> Result<Self, SamplesError> {
        Ok(Self {
            counts: file.chunks::<UInt32Type>(COUNT)?,
            columns: columns(file, layout, Place::Item)?,
            rows: file.rows(),
        })
    }
}

fn times(file: &ColumnFile, layout: &Layout) -> Result<Option<Chunks<i64>>, SamplesError> {
    Ok(layout.time.as_ref().map(|_| file.chunks::<Int64Type>(TIME)).transpose()?)
}

fn columns(file: &ColumnFile, layout: &Layout, place: Place) -> Result<Vec<StoredColumn>, SamplesError> {
    let column = |column: &crate::layout::ColumnInfo| {
        let name = column_name(place, &column.name);
        Ok(match column.kind {
            Kind::Term => StoredColumn::Term(file.chunks::<UInt32Type>(&name)?),
            Kind::Number => StoredColumn::Number(file.chunks::<Float64Type>(&name)?),
            Kind::Terms => StoredColumn::Terms(file.lists::<UInt32Type>(&name)?),
        })
    };
    layout.columns(place).iter().map(column).collect()
}

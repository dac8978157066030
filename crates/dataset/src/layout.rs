//! The columns of a dataset's files.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema as ArrowSchema, SchemaRef};
use fain_features::{Feature, FeatureKind, Parts, Schema};
use fain_storage::list_of;

/// File of the training rows.
pub(crate) const TRAIN: &str = "train.arrow";
/// File of the validation rows.
pub(crate) const VALIDATION: &str = "validation.arrow";
/// File of the test rows.
pub(crate) const TEST: &str = "test.arrow";
/// File of the users that rows refer to.
pub(crate) const USERS: &str = "users.arrow";
/// File of the items that rows and events refer to.
pub(crate) const ITEMS: &str = "items.arrow";
/// File of the events that histories are made of.
pub(crate) const EVENTS: &str = "events.arrow";

/// Column of the labels: `Float32`, 0 or 1.
pub(crate) const LABEL: &str = "label";
/// Column of the groups: `UInt64`.
pub(crate) const GROUP: &str = "group";
/// Column of the rows' times: `Int64`, seconds since 1970.
pub(crate) const TIME: &str = "time";
/// Columns of the known probabilities: `Float64`.
pub(crate) const CEILING: [&str; 2] = ["ceiling_blind", "ceiling_optimal"];
/// Columns of a row that refers to tables: its user, its item, and the event behind the last one of its history.
pub(crate) const REFERENCES: [&str; 3] = ["user", "item", "history_end"];
/// Column of a user or an item: the text that tells it apart.
pub(crate) const KEY: &str = "key";
/// Columns of a user: the first event, the one behind the last, and the one behind the last of the training window.
pub(crate) const SPANS: [&str; 3] = ["events_start", "events_end", "window_end"];
/// Column of an item: its events within training windows.
pub(crate) const COUNT: &str = "count";
/// Column of an event: its item.
pub(crate) const ITEM: &str = "item";

/// The name of a feature's column. The prefix keeps features apart from the fixed columns, whatever they are called.
pub(crate) fn column_name(feature: &str) -> String {
    format!("feature:{feature}")
}

/// The name of the column that holds the weights of a feature's values.
pub(crate) fn weights_name(feature: &str) -> String {
    format!("weights:{feature}")
}

/// The Arrow schema of files whose rows hold all their columns.
pub(crate) fn inline_schema(schema: &Schema) -> SchemaRef {
    let mut fields = part_fields(Parts::of(schema));
    fields.extend(schema.features().iter().flat_map(feature_fields));
    Arc::new(ArrowSchema::new(fields))
}

/// The parts that rows hold beside their features.
pub(crate) fn part_fields(parts: Parts) -> Vec<Field> {
    let mut fields = Vec::new();
    if parts.labels {
        fields.push(field(LABEL, DataType::Float32));
    }
    if parts.groups {
        fields.push(field(GROUP, DataType::UInt64));
    }
    if parts.times {
        fields.push(field(TIME, DataType::Int64));
    }
    if parts.ceiling {
        fields.extend(CEILING.map(|name| field(name, DataType::Float64)));
    }
    fields
}

/// The columns of a feature that has a value in each row of a table: one, and another for weights.
pub(crate) fn feature_fields(feature: &Feature) -> Vec<Field> {
    let column = |kind| field(column_name(&feature.name), kind);
    match &feature.kind {
        FeatureKind::Category { .. } | FeatureKind::Bucket { .. } => vec![column(DataType::UInt32)],
        FeatureKind::Sequence { weight_separator: None, .. } => vec![column(list_of(DataType::UInt32))],
        FeatureKind::Sequence { weight_separator: Some(_), .. } => {
            let weights = field(weights_name(&feature.name), list_of(DataType::Float32));
            vec![column(list_of(DataType::UInt32)), weights]
        }
        FeatureKind::Numeric { .. } => vec![column(DataType::Float32)],
        FeatureKind::Times { .. } => vec![column(list_of(DataType::Int64))],
    }
}

/// The column of a feature whose list is made of one value from each of several rows of a table.
pub(crate) fn element_field(feature: &Feature) -> Field {
    let kind = match feature.kind {
        FeatureKind::Times { .. } => DataType::Int64,
        _ => DataType::UInt32,
    };
    field(column_name(&feature.name), kind)
}

/// A column without nulls.
pub(crate) fn field(name: impl Into<String>, kind: DataType) -> Field {
    Field::new(name, kind, false)
}

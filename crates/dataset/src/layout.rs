//! The columns of a dataset's files.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema as ArrowSchema, SchemaRef};
use fain_features::{FeatureKind, Parts, Schema};
use fain_storage::list_of;

/// File of the training rows.
pub(crate) const TRAIN: &str = "train.arrow";
/// File of the validation rows.
pub(crate) const VALIDATION: &str = "validation.arrow";
/// File of the test rows.
pub(crate) const TEST: &str = "test.arrow";

/// Column of the labels: `Float32`, 0 or 1.
pub(crate) const LABEL: &str = "label";
/// Column of the groups: `UInt64`.
pub(crate) const GROUP: &str = "group";
/// Column of the times: `Int64`.
pub(crate) const TIME: &str = "time";
/// Columns of the known probabilities: `Float64`.
pub(crate) const CEILING: [&str; 2] = ["ceiling_blind", "ceiling_optimal"];

/// The name of a feature's column. The prefix keeps features apart from the fixed columns, whatever they are called.
pub(crate) fn column_name(feature: &str) -> String {
    format!("feature:{feature}")
}

/// The name of the column with the weights of a feature's values.
pub(crate) fn weights_name(feature: &str) -> String {
    format!("weights:{feature}")
}

/// The Arrow schema of every file of a dataset.
pub(crate) fn arrow_schema(schema: &Schema) -> SchemaRef {
    let parts = Parts::of(schema);
    let mut fields = vec![Field::new(LABEL, DataType::Float32, false)];
    if parts.groups {
        fields.push(Field::new(GROUP, DataType::UInt64, false));
    }
    if parts.times {
        fields.push(Field::new(TIME, DataType::Int64, false));
    }
    if parts.ceiling {
        fields.extend(CEILING.map(|name| Field::new(name, DataType::Float64, false)));
    }
    for feature in schema.features() {
        let kind = match &feature.kind {
            FeatureKind::Category { .. } | FeatureKind::Bucket { .. } => DataType::UInt32,
            FeatureKind::Sequence { .. } => list_of(DataType::UInt32),
            FeatureKind::Numeric { .. } => DataType::Float32,
            FeatureKind::Times { .. } => list_of(DataType::Int64),
        };
        fields.push(Field::new(column_name(&feature.name), kind, false));
        if let FeatureKind::Sequence { weight_separator: Some(_), .. } = feature.kind {
            fields.push(Field::new(weights_name(&feature.name), list_of(DataType::Float32), false));
        }
    }
    Arc::new(ArrowSchema::new(fields))
}

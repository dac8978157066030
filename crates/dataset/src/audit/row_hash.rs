//! What makes two rows the same.

use fain_features::{Column, Samples};
use xxhash_rust::xxh3::xxh3_128;

/// Hashes rows: group, time, and every feature; not the label.
#[derive(Default)]
pub(super) struct RowHasher {
    bytes: Vec<u8>,
}

impl RowHasher {
    /// xxh3-128 of a row. Lists are preceded by their lengths, so that no two rows have the same bytes.
    pub(super) fn hash(&mut self, samples: &Samples, row: usize) -> u128 {
        let bytes = &mut self.bytes;
        bytes.clear();
        if let Some(groups) = &samples.groups {
            bytes.extend_from_slice(&groups[row].to_le_bytes());
        }
        if let Some(times) = &samples.times {
            bytes.extend_from_slice(&times[row].to_le_bytes());
        }
        for column in &samples.columns {
            match column {
                Column::Category(ids) => bytes.extend_from_slice(&ids[row].to_le_bytes()),
                Column::Numeric(numbers) => bytes.extend_from_slice(&(numbers[row] + 0.0).to_bits().to_le_bytes()),
                Column::Sequence(lists) => {
                    let list = lists.get(row).unwrap_or_default();
                    bytes.extend_from_slice(&(list.len() as u64).to_le_bytes());
                    bytes.extend(list.iter().flat_map(|id| id.to_le_bytes()));
                    let weights = lists.weights(row).unwrap_or_default();
                    bytes.extend(weights.iter().flat_map(|weight| (weight + 0.0).to_bits().to_le_bytes()));
                }
                Column::Times(lists) => {
                    let list = lists.get(row).unwrap_or_default();
                    bytes.extend_from_slice(&(list.len() as u64).to_le_bytes());
                    bytes.extend(list.iter().flat_map(|time| time.to_le_bytes()));
                }
            }
        }
        xxh3_128(bytes)
    }
}

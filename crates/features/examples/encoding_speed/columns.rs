//! Encoded columns for others to compare.

use std::fs;
use std::path::Path;

use fain_features::{Column, Samples};

/// Writes little-endian numbers, a file per column: ids and offsets of 32 bits, scaled numbers of 32 bits, times of 64.
pub(crate) fn write(folder: &Path, names: &[&str], samples: &Samples) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let offsets = |name: &str, offsets: &[u32]| fs::write(folder.join(format!("{name}.offsets")), of_ids(offsets));
    for (name, column) in names.iter().zip(&samples.columns) {
        let bytes: Vec<u8> = match column {
            Column::Category(ids) => of_ids(ids),
            Column::Sequence(lists) => {
                offsets(name, &lists.offsets)?;
                of_ids(&lists.values)
            }
            Column::Numeric(numbers) => numbers.iter().flat_map(|number| number.to_le_bytes()).collect(),
            Column::Times(times) => {
                offsets(name, &times.offsets)?;
                times.values.iter().flat_map(|time| time.to_le_bytes()).collect()
            }
        };
        fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}

fn of_ids(ids: &[u32]) -> Vec<u8> {
    ids.iter().flat_map(|id| id.to_le_bytes()).collect()
}

//! How many training rows have each id.

use fain_dataset::{BatchPlan, Batches, Dataset, Order, Tail};
use fain_features::Column;
use fain_models::{EmbeddingsConfig, FeatureSpace};

use crate::evaluate::PREFETCH;
use crate::{TrainedTable, TrainingError};

/// Rows looked at together.
const ROWS: usize = 8192;

/// The tables that are trained; with the training rows of each id where the mini-batch aware regularisation needs them.
///
/// A row that has an id several times, in its history and as a candidate for example, counts once: eq. (3) of Deep
/// Interest Network, <https://arxiv.org/abs/1706.06978>, then adds up to `‖w‖²`. Negatives that are drawn anew in each
/// epoch are counted as the first epoch draws them.
pub(crate) fn trained_tables(
    dataset: &Dataset,
    space: &FeatureSpace,
    config: &EmbeddingsConfig,
    counted: bool,
) -> Result<Vec<TrainedTable>, TrainingError> {
    let mut tables: Vec<Counter> = config.trained_tables(space).into_iter().map(Counter::new).collect();
    if counted {
        for table in &mut tables {
            let vocabulary = table.features.first().and_then(|&place| space.features()[place].kind.vocabulary());
            table.counts = vec![0; vocabulary.map_or(0, |index| space.vocabularies()[index].1)];
            table.last = vec![0; table.counts.len()];
        }
        count(dataset, &mut tables)?;
    }
    let trained = |table: Counter| TrainedTable {
        parameter: table.parameter,
        occurrences: counted.then_some(table.counts),
    };
    Ok(tables.into_iter().map(trained).collect())
}

struct Counter {
    parameter: String,
    features: Vec<usize>,
    counts: Vec<u32>,
    /// The last row that had the id, from 1, so that it counts once.
    last: Vec<u64>,
}

impl Counter {
    fn new((parameter, features): (String, Vec<usize>)) -> Self {
        Self { parameter, features, counts: Vec::new(), last: Vec::new() }
    }

    fn add(&mut self, ids: &[u32], row: u64) {
        for &id in ids {
            let Some(last) = self.last.get_mut(id as usize) else { continue };
            if std::mem::replace(last, row) != row {
                let count = &mut self.counts[id as usize];
                *count = count.saturating_add(1);
            }
        }
    }
}

fn count(dataset: &Dataset, tables: &mut [Counter]) -> Result<(), TrainingError> {
    let plan = BatchPlan { batch_size: ROWS, order: Order::Sequential, tail: Tail::Keep, start: 0, prefetch: PREFETCH };
    let mut batches = Batches::new(dataset.train(), plan)?;
    let mut before = 1;
    while let Some(samples) = batches.next().transpose()? {
        for table in tables.iter_mut() {
            // Row by row over all features of the table, so that one row is over before the next begins.
            for row in 0..samples.rows {
                for place in table.features.clone() {
                    let ids = match samples.columns.get(place) {
                        Some(Column::Category(ids)) => ids.get(row..=row),
                        Some(Column::Sequence(lists)) => {
                            let bound = |row: usize| lists.offsets.get(row).map(|&offset| offset as usize);
                            bound(row).zip(bound(row + 1)).and_then(|(start, end)| lists.values.get(start..end))
                        }
                        _ => None,
                    };
                    table.add(ids.unwrap_or_default(), before + row as u64);
                }
            }
        }
        before += samples.rows as u64;
        batches.recycle(samples);
    }
    Ok(())
}

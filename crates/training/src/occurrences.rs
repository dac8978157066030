//! How many training rows have each id.

use fain_dataset::{BatchPlan, Batches, Dataset, Order, Tail};
use fain_features::Column;
use fain_models::{EmbeddingsConfig, FeatureSpace, TableParameter};

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
    let start = |table| Counter::new(table, counted);
    let mut tables: Vec<Counter> = config.trained_tables(space).into_iter().map(start).collect();
    if counted {
        count(dataset, &mut tables)?;
    }
    let trained =
        |table: Counter| TrainedTable { parameter: table.table.name, occurrences: counted.then_some(table.counts) };
    Ok(tables.into_iter().map(trained).collect())
}

struct Counter {
    table: TableParameter,
    counts: Vec<u32>,
    /// The last row that had the id, from 1, so that it counts once.
    last: Vec<u64>,
}

impl Counter {
    fn new(table: TableParameter, counted: bool) -> Self {
        let rows = if counted { table.rows } else { 0 };
        Self { table, counts: vec![0; rows], last: vec![0; rows] }
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

/// Looks through the training rows once.
fn count(dataset: &Dataset, tables: &mut [Counter]) -> Result<(), TrainingError> {
    let plan = BatchPlan { batch_size: ROWS, order: Order::Sequential, tail: Tail::Keep, start: 0, prefetch: PREFETCH };
    let mut batches = Batches::new(dataset.train(), plan)?;
    let mut before = 1;
    while let Some(samples) = batches.next().transpose()? {
        for counter in tables.iter_mut() {
            // Row by row over all features of the table, so that one row is over before the next begins.
            for row in 0..samples.rows {
                for index in 0..counter.table.features.len() {
                    let ids = match samples.columns.get(counter.table.features[index]) {
                        Some(Column::Category(ids)) => ids.get(row..=row),
                        Some(Column::Sequence(lists)) => lists.get(row),
                        _ => None,
                    };
                    counter.add(ids.unwrap_or_default(), before + row as u64);
                }
            }
        }
        before += samples.rows as u64;
        batches.recycle(samples);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use crate::small_data::SmallData;

    const EXPERIMENT: &str = r#"
        [data]
        train = "train.csv"
        validation.file = "validation.csv"
        [schema]
        label = "click"
        features.user = { kind = "category" }
        features.item = { kind = "category" }
        features.history = { kind = "sequence", max_length = 5, vocabulary = "item" }
        [model]
        kind = "din"
        interests = [{ candidate = ["item"], history = ["history"] }]
    "#;

    /// The occurrences of each table, with the settings of the model's embedding.
    fn counted(embedding: &str, counted: bool) -> Vec<(String, Option<Vec<u32>>)> {
        // b is twice in a history and also the candidate of its row.
        let rows = "click,user,item,history\n1,u,b,b|a|b\n0,u,a,\n1,u,c,a\n";
        let files = [("train.csv", rows), ("validation.csv", rows)];
        let settings = (!embedding.is_empty()).then_some(embedding);
        let data = SmallData::new(EXPERIMENT, &files, settings.as_slice());
        let (experiment, dataset) = (&data.experiment, &data.dataset);
        let space = FeatureSpace::of(dataset.encoders());
        let tables = trained_tables(dataset, &space, experiment.model.embedding(), counted).unwrap();
        tables.into_iter().map(|table| (table.parameter, table.occurrences)).collect()
    }

    fn table(name: &str, counts: &[u32]) -> (String, Option<Vec<u32>>) {
        (format!("embedding.{name}.weight"), Some(counts.to_vec()))
    }

    /// Ids: 0 is the unknown, then a, b, c.
    #[test]
    fn a_row_counts_once_for_each_id() {
        let user = table("user", &[0, 3]);
        assert_eq!(counted("", true), [user.clone(), table("item", &[0, 3, 1, 1])]);
        let apart = [user, table("item", &[0, 1, 1, 1]), table("history", &[0, 2, 1, 0])];
        assert_eq!(counted("model.embedding.tables=feature", true), apart);
    }

    #[test]
    fn nothing_is_counted_that_nobody_needs() {
        let names = ["user", "item"].map(|name| (format!("embedding.{name}.weight"), None));
        assert_eq!(counted("", false), names);
    }
}

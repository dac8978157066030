//! The lines of the table.

mod encoding;
mod metrics;
mod recurrences;
mod scaling;
mod scoring;
mod training;
mod vocabulary;

use anyhow::Result;
use clap::ValueEnum;
use tch::Device;

use crate::bench::Bench;
use crate::figures::{Peer, Row, Unit};
use crate::machine::sustained_products;
use crate::rounds::{Side, alternate};

pub(crate) use vocabulary::report_memory;

/// A line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Line {
    /// DIN as torch-rechub builds it, from files to weights.
    DinTraining,
    /// DIEN of a notebook against a plain PyTorch program, and torch-rechub's DIEN.
    DienTraining,
    /// AUGRU forward and backward.
    Augru,
    /// GRU forward and backward.
    Gru,
    /// AUC and AUC within users.
    Auc,
    /// Evaluation, and one user with 500 candidates.
    Scoring,
    /// Two threads against one.
    Threads,
    /// Batches of 32 to 8192 samples.
    BatchSizes,
    /// Tables of ten thousand to ten million rows.
    Vocabulary,
    /// Text to ids.
    Encoding,
}

impl Line {
    /// All lines in the order of the table.
    pub(crate) const ALL: [Self; 10] = [
        Self::DinTraining,
        Self::DienTraining,
        Self::Augru,
        Self::Gru,
        Self::Auc,
        Self::Scoring,
        Self::Threads,
        Self::BatchSizes,
        Self::Vocabulary,
        Self::Encoding,
    ];

    /// Its name on the command line.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Whether a GPU does its work.
    pub(crate) fn is_on_gpus(self) -> bool {
        matches!(self, Self::DinTraining | Self::DienTraining | Self::Augru | Self::Gru)
    }

    /// What is measured, for the table.
    pub(crate) fn about(self) -> &'static str {
        match self {
            Self::DinTraining => training::DIN_ABOUT,
            Self::DienTraining => training::DIEN_ABOUT,
            Self::Augru => recurrences::AUGRU_ABOUT,
            Self::Gru => recurrences::GRU_ABOUT,
            Self::Auc => metrics::ABOUT,
            Self::Scoring => scoring::ABOUT,
            Self::Threads => scaling::THREADS_ABOUT,
            Self::BatchSizes => scaling::BATCH_SIZES_ABOUT,
            Self::Vocabulary => vocabulary::ABOUT,
            Self::Encoding => encoding::ABOUT,
        }
    }

    /// Does the work.
    ///
    /// # Errors
    /// Our side or another fails.
    pub(crate) fn measure(self, bench: &Bench) -> Result<Vec<Row>> {
        match self {
            Self::DinTraining => training::din(bench),
            Self::DienTraining => training::dien(bench),
            Self::Augru => recurrences::augru(bench),
            Self::Gru => recurrences::gru(bench),
            Self::Auc => metrics::measure(bench),
            Self::Scoring => scoring::measure(bench),
            Self::Threads => scaling::threads(bench),
            Self::BatchSizes => scaling::batch_sizes(bench),
            Self::Vocabulary => vocabulary::measure(bench),
            Self::Encoding => encoding::measure(bench),
        }
    }
}

/// What is measured against what.
struct Comparison<'a> {
    work: String,
    unit: Unit,
    limit: Option<Products>,
    ours: Side<'a>,
    peers: Vec<(String, Side<'a>)>,
}

/// Matrix products, which bound the work: they are measured in the same rounds, as what else runs on the machine slows
/// them down too.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Products {
    pub(crate) device: Device,
    /// How long they are measured in one round.
    pub(crate) seconds: f64,
    /// Operations that the work needs for one of its unit.
    pub(crate) operations: f64,
}

/// Measures all sides in turn.
fn compare(rounds: u16, comparison: Comparison<'_>) -> Result<Row> {
    let Comparison { work, unit, limit, ours, peers } = comparison;
    let (names, sides): (Vec<String>, Vec<Side<'_>>) = peers.into_iter().unzip();
    let mut sides: Vec<Side<'_>> = std::iter::once(ours).chain(sides).collect();
    if let Some(Products { device, seconds, operations }) = limit {
        sides.push(Box::new(move || Ok(sustained_products(device, seconds)? / operations)));
    }
    let mut figures = alternate(rounds, &mut sides)?.into_iter();
    let ours = figures.next().ok_or_else(|| anyhow::anyhow!("our side was not measured"))?;
    let peers = names.into_iter().zip(&mut figures).map(|(name, figure)| Peer { name, figure }).collect();
    let limit = figures.next().map(|products| products.median);
    Ok(Row { peers, limit, ..Row::new(work, unit, ours) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use crate::figures::Figure;

    #[test]
    fn every_line_is_in_the_table_once_and_has_its_words() {
        assert_eq!(Line::value_variants(), Line::ALL);
        for line in Line::ALL {
            assert!(line.about().ends_with('.') && !line.name().is_empty(), "{line:?}");
        }
        assert_eq!(Line::BatchSizes.name(), "batch-sizes");
    }

    #[test]
    fn peers_keep_their_names() {
        let comparison = Comparison {
            work: "work".to_owned(),
            unit: Unit::Samples,
            limit: Some(Products { device: Device::Cpu, seconds: 0.01, operations: 1.0 }),
            ours: Box::new(|| Ok(4.0)),
            peers: vec![("one".to_owned(), Box::new(|| Ok(1.0))), ("two".to_owned(), Box::new(|| Ok(2.0)))],
        };
        let row = compare(3, comparison).unwrap();
        let peers: Vec<(&str, f64)> = row.peers.iter().map(|peer| (peer.name.as_str(), peer.figure.median)).collect();
        assert_eq!((row.ours, peers), (Figure::single(4.0), vec![("one", 1.0), ("two", 2.0)]));
        // Any machine does a million operations in a second, and none 10¹⁸.
        assert!(row.limit.unwrap() > 1e6 && row.limit.unwrap() < 1e18, "{:?}", row.limit);
        assert_eq!(row.share(), Some(4.0 / row.limit.unwrap()));
    }
}

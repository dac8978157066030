//! What is written down about one piece of work.

use serde::Serialize;

/// What a figure counts, and which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unit {
    /// Samples per second.
    Samples,
    /// Floating-point operations of the matrix products, in 10⁹ per second.
    Gigaflops,
    /// Rows per second, in millions.
    MillionRows,
    /// Users per second.
    Users,
    /// Milliseconds: fewer are better.
    Milliseconds,
    /// Memory, in MiB: less is better.
    Mebibytes,
    /// Area under the ROC curve of the test rows; two are compared by their difference.
    TestAuc,
}

/// The median of several rounds, and how far they were apart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Figure {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Figure {
    /// A figure that was measured once.
    pub(crate) fn single(value: f64) -> Self {
        Self { median: value, least: value, most: value }
    }

    /// The figure of some rounds; `None` without any, or if one is no number.
    pub(crate) fn of(rounds: &[f64]) -> Option<Self> {
        let mut sorted = rounds.to_vec();
        if sorted.is_empty() || sorted.iter().any(|round| !round.is_finite()) {
            return None;
        }
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        let median =
            if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) };
        Some(Self { median, least: sorted[0], most: sorted[sorted.len() - 1] })
    }
}

/// The value below which this share of the measurements lies (nearest rank); `None` without any.
pub(crate) fn percentile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
}

/// Another program at the same work.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Peer {
    pub(crate) name: String,
    pub(crate) figure: Figure,
}

/// A place on a curve of the document's pictures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct CurvePoint {
    /// The curve's name.
    pub(crate) curve: String,
    /// Along the picture.
    pub(crate) at: f64,
}

/// What one unit of a figure costs at the least: one sample, or 10⁹ operations a second of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Cost {
    /// Operations of the matrix products.
    pub(crate) operations: f64,
    /// Bytes read from and written to memory.
    pub(crate) bytes: f64,
}

/// One piece of work: ours, the others', and what the machine could do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Row {
    /// What is done.
    pub(crate) work: String,
    pub(crate) unit: Unit,
    pub(crate) ours: Figure,
    pub(crate) peers: Vec<Peer>,
    /// The most that the machine could reach, in the same unit.
    pub(crate) limit: Option<f64>,
    /// Where it stands on a curve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<CurvePoint>,
    /// For the roofline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cost: Option<Cost>,
}

impl Row {
    /// A row of ours alone.
    pub(crate) fn new(work: impl Into<String>, unit: Unit, ours: Figure) -> Self {
        Self { work: work.into(), unit, ours, peers: Vec::new(), limit: None, place: None, cost: None }
    }

    /// How many times a peer we are: above 1 we are better, for the AUC above 0.
    pub(crate) fn compared(&self, peer: &Peer) -> f64 {
        let (ours, theirs) = (self.ours.median, peer.figure.median);
        match self.unit {
            Unit::Milliseconds | Unit::Mebibytes => theirs / ours,
            Unit::TestAuc => ours - theirs,
            _ => ours / theirs,
        }
    }

    /// How much of the limit is reached.
    pub(crate) fn share(&self) -> Option<f64> {
        self.limit.map(|limit| match self.unit {
            Unit::Milliseconds | Unit::Mebibytes => limit / self.ours.median,
            _ => self.ours.median / limit,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp, reason = "these numbers are exact")]
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        assert_eq!(Figure::of(&[3.0, 1.0, 2.0]), Some(Figure { median: 2.0, least: 1.0, most: 3.0 }));
        assert_eq!(Figure::of(&[4.0, 1.0]), Some(Figure { median: 2.5, least: 1.0, most: 4.0 }));
        assert_eq!(Figure::of(&[7.0]), Some(Figure::single(7.0)));
        assert_eq!(Figure::of(&[]), None);
        assert_eq!(Figure::of(&[1.0, f64::NAN]), None);
    }

    #[test]
    fn percentiles_are_measurements() {
        let values: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        assert_eq!(percentile(&values, 0.5), Some(100.0));
        assert_eq!(percentile(&values, 0.99), Some(198.0));
        assert_eq!(percentile(&values, 1.0), Some(200.0));
        assert_eq!(percentile(&[5.0], 0.0), Some(5.0));
        assert_eq!(percentile(&[], 0.5), None);
    }

    #[test]
    fn better_is_above_one_whichever_way_the_unit_goes() {
        let peer = |value| Peer { name: "other".to_owned(), figure: Figure::single(value) };
        let row = |unit, limit| Row { limit, ..Row::new("work", unit, Figure::single(20.0)) };
        assert_eq!(row(Unit::Samples, None).compared(&peer(5.0)), 4.0);
        assert_eq!(row(Unit::Milliseconds, None).compared(&peer(5.0)), 0.25);
        assert_eq!(row(Unit::TestAuc, None).compared(&peer(5.0)), 15.0);
        assert_eq!(row(Unit::Samples, Some(80.0)).share(), Some(0.25));
        assert_eq!(row(Unit::Milliseconds, Some(5.0)).share(), Some(0.25));
        assert_eq!(row(Unit::Samples, None).share(), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn half_of_the_rounds_lie_on_each_side_of_the_median(rounds in prop::collection::vec(-1e6f64..1e6, 1..40)) {
            let figure = Figure::of(&rounds).unwrap();
            let below = rounds.iter().filter(|round| **round < figure.median).count();
            let above = rounds.iter().filter(|round| **round > figure.median).count();
            prop_assert!(2 * below <= rounds.len() && 2 * above <= rounds.len());
            prop_assert!(figure.least <= figure.median && figure.median <= figure.most);
        }
    }
}

//! Items with weights, and draws in proportion to them in constant time.

use crate::negatives::key::fraction;
use crate::negatives::rule::Distribution;

/// Items and their weights as an alias table: A. J. Walker, "An Efficient Method for Generating Discrete Random
/// Variables with General Distributions", 1977, <https://doi.org/10.1145/355744.355749>, built as M. D. Vose did, 1991.
#[derive(Debug, Clone)]
pub(crate) struct WeightedItems {
    /// Ascending items; the weights, in the same order, are above 0 and at most 1.
    items: Vec<u32>,
    weights: Weights,
}

#[derive(Debug, Clone)]
enum Weights {
    Even,
    Uneven { cells: Vec<Cell>, weights: Vec<f64> },
}

/// One of as many equal shares as there are items, divided between two of them.
#[derive(Debug, Clone, Copy)]
struct Cell {
    /// Numbers below this, of 2⁶⁴, stand for `item`; the others for `other`.
    limit: u64,
    item: u32,
    other: u32,
}

impl WeightedItems {
    /// The items with a count above 0, numbered as they come.
    pub(crate) fn new(distribution: Distribution, counts: impl IntoIterator<Item = u32>) -> Self {
        let (items, counts): (Vec<u32>, Vec<u32>) = (0..).zip(counts).filter(|(_, count)| *count > 0).unzip();
        let weights = match distribution {
            Distribution::Uniform => Weights::Even,
            Distribution::Popularity(exponent) => {
                let most = f64::from(counts.iter().copied().max().unwrap_or(1));
                // The most popular item weighs 1, so no exponent overflows. One that takes the others below what a
                // number can be leaves them possible: they may be all that is left for a user.
                let weight = |count| libm::pow(f64::from(count) / most, exponent).max(f64::MIN_POSITIVE);
                let weights: Vec<f64> = counts.into_iter().map(weight).collect();
                Weights::Uneven { cells: cells(&items, &weights), weights }
            }
        };
        Self { items, weights }
    }

    /// How many items can be drawn.
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// The item that a random number stands for, in proportion to its weight; `None` if there are none.
    #[inline]
    pub(crate) fn draw(&self, number: u64) -> Option<u32> {
        // The upper half of the product is an even index; the lower half is even within it.
        let product = u128::from(number) * self.items.len() as u128;
        let index = (product >> 64) as usize;
        match &self.weights {
            Weights::Even => self.items.get(index).copied(),
            Weights::Uneven { cells, .. } => {
                cells.get(index).map(|cell| if (product as u64) < cell.limit { cell.item } else { cell.other })
            }
        }
    }

    /// Puts the items that the numbers of the places stand for, from `first` on, into `out`; `None` if there are none.
    /// It does not wait for one item before it looks for the next.
    pub(crate) fn fill(&self, number: impl Fn(u32) -> u64, first: u32, out: &mut [u32]) -> Option<()> {
        for (item, place) in out.iter_mut().zip(first..) {
            *item = self.draw(number(place))?;
        }
        Some(())
    }

    /// An item in proportion to its weight among those that are not in `excluded`, which is ascending; `None` if there
    /// are none. It looks at all items.
    pub(crate) fn draw_without(&self, excluded: impl Iterator<Item = u32> + Clone, number: u64) -> Option<u32> {
        let total: f64 = self.without(excluded.clone()).map(|(_, weight)| weight).sum();
        let mark = fraction(number) * total;
        let mut sum = 0.0;
        let mut last = None;
        for (item, weight) in self.without(excluded) {
            sum += weight;
            last = Some(item);
            if mark < sum {
                break;
            }
        }
        last
    }

    /// The items that are not in `excluded`, with their weights.
    fn without(&self, excluded: impl Iterator<Item = u32>) -> impl Iterator<Item = (u32, f64)> {
        let mut excluded = excluded.peekable();
        self.items.iter().enumerate().filter_map(move |(place, &item)| {
            while excluded.next_if(|out| *out < item).is_some() {}
            let weight = match &self.weights {
                Weights::Even => 1.0,
                Weights::Uneven { weights, .. } => weights[place],
            };
            (excluded.peek() != Some(&item)).then_some((item, weight))
        })
    }
}

/// Divides equal shares between the items, so that each item has its weight.
fn cells(items: &[u32], weights: &[f64]) -> Vec<Cell> {
    const WHOLE: f64 = 18_446_744_073_709_551_616.0;
    let scale = items.len() as f64 / weights.iter().sum::<f64>();
    let mut left: Vec<f64> = weights.iter().map(|weight| weight * scale).collect();
    // An item whose share is whole is alone in its cell; what rounding leaves over at the end counts as whole.
    let mut cells: Vec<Cell> = items.iter().map(|&item| Cell { limit: u64::MAX, item, other: item }).collect();
    let (mut small, mut large): (Vec<usize>, Vec<usize>) = (0..items.len()).partition(|place| left[*place] < 1.0);
    while let (Some(few), Some(&many)) = (small.pop(), large.last()) {
        cells[few].limit = (left[few] * WHOLE) as u64;
        cells[few].other = items[many];
        left[many] -= 1.0 - left[few];
        if left[many] < 1.0 {
            large.pop();
            small.push(many);
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{ProptestConfig, prop_assert, proptest};

    use super::{Cell, Distribution, WeightedItems, cells};

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn cells_give_every_item_its_weight(weights in vec(1e-6_f64..1.0, 1..200)) {
            let items: Vec<u32> = (0..weights.len() as u32).collect();
            let cells = cells(&items, &weights);
            let mut shares = vec![0.0; weights.len()];
            for Cell { limit, item, other } in &cells {
                let part = *limit as f64 / 2.0_f64.powi(64);
                shares[*item as usize] += part / weights.len() as f64;
                shares[*other as usize] += (1.0 - part) / weights.len() as f64;
            }
            let total: f64 = weights.iter().sum();
            for (share, weight) in shares.iter().zip(&weights) {
                prop_assert!((share - weight / total).abs() < 1e-12, "{} {}", share, weight / total);
            }
        }
    }

    #[test]
    fn items_without_events_are_not_there() {
        for distribution in [Distribution::Uniform, Distribution::Popularity(0.5)] {
            assert_eq!(WeightedItems::new(distribution, [0, 3, 0, 1]).items, [1, 3]);
            assert_eq!(WeightedItems::new(distribution, [0, 0]).len(), 0);
        }
    }

    #[test]
    fn what_is_excluded_is_passed_over() {
        let items = WeightedItems::new(Distribution::Uniform, [1, 0, 1, 1, 1]);
        let left =
            |excluded: &[u32]| -> Vec<u32> { items.without(excluded.iter().copied()).map(|(item, _)| item).collect() };
        assert_eq!(left(&[]), [0, 2, 3, 4]);
        assert_eq!(left(&[1, 2, 9]), [0, 3, 4]);
        assert_eq!(left(&[0, 1, 2, 3, 4]), Vec::<u32>::new());
    }
}

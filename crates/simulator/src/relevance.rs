//! How relevant a history is to a candidate.

use crate::catalogue::Catalogue;
use crate::config::RelevanceConfig;

pub(crate) struct Relevance {
    /// Weight of the event `k` back from the most recent one.
    weights: Vec<f64>,
    related: f64,
    pub(crate) gain: f64,
}

impl Relevance {
    pub(crate) fn new(config: &RelevanceConfig, history_length: usize) -> Self {
        let weights = (0..history_length).map(|k| libm::exp2(-(k as f64) / config.half_life)).collect();
        Self { weights, related: config.related, gain: config.gain }
    }

    /// Relevance in `[0, 1)` of a history of categories, the most recent last, to one category.
    /// Events further back than the history's length are not read.
    pub(crate) fn of(&self, catalogue: &Catalogue, history: &[u32], candidate: u32) -> f64 {
        let department = catalogue.department(candidate);
        let mut sum = 0.0;
        for (&event, weight) in history.iter().rev().zip(&self.weights) {
            if event == candidate {
                sum += weight;
            } else if catalogue.department(event) == department {
                sum += self.related * weight;
            }
        }
        saturate(sum)
    }
}

/// Relevance of one history to every category at once.
pub(crate) struct RelevanceToAll {
    by_category: Vec<f64>,
    by_department: Vec<f64>,
}

impl RelevanceToAll {
    pub(crate) fn new(catalogue: &Catalogue) -> Self {
        Self {
            by_category: vec![0.0; catalogue.category_count()],
            by_department: vec![0.0; catalogue.department_count()],
        }
    }

    /// Calls `visit` with every category whose relevance is not zero, and its relevance: what
    /// [`Relevance::of`] gives, up to rounding.
    pub(crate) fn visit(
        &mut self,
        relevance: &Relevance,
        catalogue: &Catalogue,
        history: &[u32],
        mut visit: impl FnMut(u32, f64),
    ) {
        let read = || history.iter().rev().zip(&relevance.weights);
        for (&event, weight) in read() {
            self.by_category[event as usize] += weight;
            self.by_department[catalogue.department(event) as usize] += weight;
        }
        for (&event, _) in read() {
            let department = catalogue.department(event);
            let all = std::mem::take(&mut self.by_department[department as usize]);
            if all == 0.0 {
                continue;
            }
            for category in catalogue.categories_of(department) {
                let same = std::mem::take(&mut self.by_category[category as usize]);
                let sum = same + relevance.related * (all - same).max(0.0);
                if sum > 0.0 {
                    visit(category, saturate(sum));
                }
            }
        }
    }
}

fn saturate(sum: f64) -> f64 {
    sum / (1.0 + sum)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{prop_assert, proptest};

    use super::{Relevance, RelevanceToAll};
    use crate::catalogue::Catalogue;
    use crate::config::{RelevanceConfig, ShopConfig};
    use crate::error::SimulatorError;

    const CONFIG: RelevanceConfig = RelevanceConfig { gain: 4.0, half_life: 2.0, related: 0.25 };

    /// 22 categories in 3 departments: 0, 3, 6 … are of one.
    fn catalogue() -> Result<Catalogue, SimulatorError> {
        Ok(Catalogue::new(&ShopConfig { impressions: 10_000, ..ShopConfig::default() }.plan()?))
    }

    #[test]
    fn recent_and_similar_events_count() -> Result<(), SimulatorError> {
        let (catalogue, relevance) = (catalogue()?, Relevance::new(&CONFIG, 5));
        let of = |history: &[u32]| relevance.of(&catalogue, history, 0);
        let close = |got: f64, sum: f64| assert!((got - sum / (1.0 + sum)).abs() < 1e-15, "{got} {sum}");
        close(of(&[]), 0.0);
        close(of(&[1, 2]), 0.0);
        close(of(&[0]), 1.0);
        close(of(&[3]), 0.25);
        // Two events back, an event weighs half.
        close(of(&[0, 1, 1]), 0.5);
        close(of(&[0, 3, 0]), 0.5 + 0.25 * 0.5_f64.sqrt() + 1.0);
        // The sixth event back is not read.
        close(of(&[0, 1, 1, 1, 1, 1]), 0.0);
        Ok(())
    }

    proptest! {
        #[test]
        fn all_at_once_is_each_alone(history in vec(0_u32..22, 0..12), length in 1_usize..15) {
            let catalogue = catalogue()?;
            let relevance = Relevance::new(&CONFIG, length);
            let mut to_all = RelevanceToAll::new(&catalogue);
            // The second time shows that nothing of the first is left.
            for _ in 0..2 {
                let mut got = [0.0; 22];
                to_all.visit(&relevance, &catalogue, &history, |category, value| got[category as usize] = value);
                for category in 0..22 {
                    let alone = relevance.of(&catalogue, &history, category);
                    prop_assert!((got[category as usize] - alone).abs() < 1e-12);
                }
            }
        }
    }
}

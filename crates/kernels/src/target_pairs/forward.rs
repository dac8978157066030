//! The map of the pairs of some samples.

use super::Job;
use super::panels::{Along, Blend, BlendOf, Panels};
use super::tiled::{RowsByPanels, Tiled, run_tiled};
use crate::level::Level;
use crate::memory::Buffer;
use crate::partition::Task;
use crate::scalar::Scalar;

pub(super) struct ForwardTask<'a, T> {
    pub(super) job: &'a Job<'a, T>,
    /// `W` and `P`, `[D, H]`.
    pub(super) panels: &'a [Panels<T>; 2],
    pub(super) task: &'a Task,
    /// The task's rows alone.
    pub(super) output: &'a mut [T],
}

impl<T: Scalar> ForwardTask<'_, T> {
    pub(super) fn run(self) {
        run_tiled::<T>(self.job.set, self.job.hidden, self);
    }
}

impl<T: Scalar> Tiled for ForwardTask<'_, T> {
    fn run<L: Level, const W: usize, const R: usize, const M: usize>(self, level: L) {
        let Self { job, panels: [weight, product], task, output } = self;
        let (width, hidden) = (job.width, job.hidden);
        let mut blended = Buffer::zeros(weight.weight().len());
        blended.copy_from_slice(weight.weight());
        let mut rest = output;
        for sample in task.samples.clone() {
            let (start, end) = (job.pairs.offsets[sample] as usize, job.pairs.offsets[sample + 1] as usize);
            let (output, behind) = rest.split_at_mut((end - start) * hidden);
            rest = behind;
            if start == end {
                continue;
            }
            if let Some((candidate, _)) = job.pairs.product {
                let candidate = &candidate[sample * width..][..width];
                let blend = Blend { weight, product, candidate, along: Along::Rows, output: &mut blended };
                level.run(BlendOf::<T, W>(blend));
            }
            let rows = RowsByPanels {
                rows: &job.pairs.events[start * width..end * width],
                stride: width,
                panels: weight,
                weight: &blended,
                start: &job.pairs.base[sample * hidden..][..hidden],
                output,
            };
            rows.run::<L, W, R, M>(level);
        }
    }
}

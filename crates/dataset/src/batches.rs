//! The batches of an epoch.

use fain_features::Samples;

use crate::error::DatasetError;
use crate::plan::{BatchPlan, Epoch, Order};
use crate::prefetch::{Next, Prefetch};
use crate::split::Split;

/// The batches of an epoch, in order. A background thread makes them ahead; dropping the iterator stops it.
///
/// Negatives that are drawn anew in each epoch are those of the plan's epoch, or of epoch 0 where the order is
/// [`Order::Sequential`].
///
/// Hand used batches back with [`Batches::recycle`], and after the first few memory is asked for about ten times a batch,
/// however many rows it has.
pub struct Batches {
    prefetch: Prefetch<Samples, DatasetError>,
    total: u64,
    next: u64,
}

impl Batches {
    /// Starts with batch `plan.start`.
    ///
    /// # Errors
    /// [`DatasetError::Config`] names the field of the plan, its value and what is allowed; [`DatasetError::Thread`] if
    /// the system gives no thread.
    pub fn new(split: &Split, plan: BatchPlan) -> Result<Self, DatasetError> {
        plan.check(split.rows())?;
        let total = plan.count(split.rows());
        let epoch = Epoch::new(&plan, split.rows());
        let drawn = match plan.order {
            Order::Sequential => 0,
            Order::Shuffled { epoch, .. } => epoch,
        };
        let split = split.clone();
        let mut rows = Vec::with_capacity(plan.batch_size.min(split.rows() as usize) + 1);
        let gather = move |number, used: Option<Samples>| {
            let mut samples = used.unwrap_or_default();
            epoch.batch(number, &mut rows);
            split.gather_epoch(&rows, drawn, &mut samples).map(|()| samples)
        };
        let prefetch = Prefetch::start(plan.start..total, plan.prefetch, gather)
            .map_err(|cause| DatasetError::Thread(format!("could not be started: {cause}")))?;
        Ok(Self { prefetch, total, next: plan.start })
    }

    /// Batches of the whole epoch, skipped ones included.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Hands a used batch back. Its memory becomes that of a later one.
    pub fn recycle(&mut self, batch: Samples) {
        self.prefetch.recycle(batch);
    }
}

impl Iterator for Batches {
    type Item = Result<Samples, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next == self.total {
            return None;
        }
        let batch = match self.prefetch.next() {
            Next::Item(batch) => batch,
            Next::Ended => Err(DatasetError::Thread(format!("ended before batch {} of {}", self.next + 1, self.total))),
        };
        // After an error there are no more batches.
        self.next = if batch.is_ok() { self.next + 1 } else { self.total };
        Some(batch)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = (self.total - self.next) as usize;
        (0, Some(left))
    }
}

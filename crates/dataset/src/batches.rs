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
/// Items are [`Samples`], or what [`Batches::prepared`] makes of them. Hand used samples back with [`Batches::recycle`],
/// and after the first few memory is asked for about ten times a batch, however many rows it has.
pub struct Batches<T = Samples, E = DatasetError> {
    prefetch: Prefetch<T, Samples, E>,
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
        Self::prepared(split, plan, Ok)
    }
}

impl<T: Send + 'static, E: From<DatasetError> + Send + 'static> Batches<T, E> {
    /// As [`Batches::new`]; each batch goes through `prepare` in the background thread, ahead of its use: what turns
    /// samples into a model's input need not keep the model waiting. After an error of `prepare` there are no more
    /// batches.
    ///
    /// # Errors
    /// Those of [`Batches::new`].
    pub fn prepared(
        split: &Split,
        plan: BatchPlan,
        mut prepare: impl FnMut(Samples) -> Result<T, E> + Send + 'static,
    ) -> Result<Self, DatasetError> {
        plan.check(split.rows())?;
        let total = plan.count(split.rows());
        let epoch = Epoch::new(&plan, split.rows());
        let drawn = match plan.order {
            Order::Sequential => 0,
            Order::Shuffled { epoch, .. } => epoch,
        };
        let split = split.clone();
        let mut rows = Vec::with_capacity(plan.batch_size.min(split.rows() as usize) + 1);
        let make = move |number, used: Option<Samples>| {
            let mut samples = used.unwrap_or_default();
            epoch.batch(number, &mut rows);
            split.gather_epoch(&rows, drawn, &mut samples)?;
            prepare(samples)
        };
        let prefetch = Prefetch::start(plan.start..total, plan.prefetch, make)
            .map_err(|cause| DatasetError::Thread(format!("could not be started: {cause}")))?;
        Ok(Self { prefetch, total, next: plan.start })
    }

    /// Batches of the whole epoch, skipped ones included.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Hands used samples back. Their memory becomes that of a later batch.
    pub fn recycle(&mut self, samples: Samples) {
        self.prefetch.recycle(samples);
    }
}

impl<T: Send + 'static, E: From<DatasetError> + Send + 'static> Iterator for Batches<T, E> {
    type Item = Result<T, E>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next == self.total {
            return None;
        }
        let batch = match self.prefetch.next() {
            Next::Item(batch) => batch,
            Next::Ended => {
                Err(DatasetError::Thread(format!("ended before batch {} of {}", self.next + 1, self.total)).into())
            }
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

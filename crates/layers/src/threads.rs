//! The threads of the kernels.

use fain_autograd::parallel_tasks;
use fain_kernels::Pool;

/// libtorch's threads.
pub(crate) struct Threads;

impl Pool for Threads {
    fn run(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        // The kernels count the tasks that were done, and fail where some were not.
        let _counted = parallel_tasks(tasks, task);
    }
}

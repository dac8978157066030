/// The threads of a kernel, brought by the caller, so that there is no second pool beside the one that the program has.
pub trait Pool: Sync {
    /// Calls `task(0)` to `task(tasks - 1)`, each once, on any threads and in any order, and returns when all have
    /// returned.
    fn run(&self, tasks: usize, task: &(dyn Fn(usize) + Sync));
}

/// One task after the other, on the caller's thread.
#[derive(Clone, Copy, Debug, Default)]
pub struct Serial;

impl Pool for Serial {
    fn run(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        for index in 0..tasks {
            task(index);
        }
    }
}

//! How a batch is cut into tasks. It depends on the lengths alone, never on the threads: a sum over tasks, taken in
//! their order, is the same for any pool.

use std::ops::Range;

/// As many tasks as most passes are cut into: of a backward pass each has sums of its own for the gradients of the weights,
/// and this bounds their memory.
pub(crate) const MOST_TASKS: usize = 16;
/// A task smaller than this costs more than it brings.
const LEAST_EVENTS: usize = 512;

/// Consecutive samples and their rows of `[N, ·]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Task {
    pub(crate) samples: Range<usize>,
    pub(crate) rows: Range<usize>,
}

/// Cuts the samples into tasks of about as many events each, `most` of them at most. Every sample is in one of them.
pub(crate) fn partition(offsets: &[u32], most: usize) -> Vec<Task> {
    let samples = offsets.len().saturating_sub(1);
    let events = offsets.last().map_or(0, |&events| events as usize);
    let count = (events / LEAST_EVENTS).clamp(1, most);
    let mut tasks = Vec::with_capacity(count);
    let mut start = 0;
    for index in 1..=count {
        let end = if index == count {
            samples
        } else {
            let aim = events * index / count;
            offsets.partition_point(|&offset| (offset as usize) < aim).clamp(start, samples)
        };
        if end > start {
            tasks.push(Task { samples: start..end, rows: offsets[start] as usize..offsets[end] as usize });
            start = end;
        }
    }
    tasks
}

/// A sample within its task.
#[derive(Clone, Copy)]
pub(crate) struct Sample {
    /// Its place among the task's samples.
    pub(crate) index: usize,
    /// The row of its first event among the task's rows.
    pub(crate) first: usize,
    /// The number of its events.
    pub(crate) length: usize,
}

/// The task's samples that have events, the longest first: at any step, those that still run are at the front.
pub(crate) fn by_falling_length(offsets: &[u32], task: &Task) -> Vec<Sample> {
    let bounds = &offsets[task.samples.start..=task.samples.end];
    let mut samples: Vec<Sample> = bounds
        .windows(2)
        .enumerate()
        .map(|(index, pair)| Sample {
            index,
            first: pair[0] as usize - task.rows.start,
            length: (pair[1] - pair[0]) as usize,
        })
        .filter(|sample| sample.length > 0)
        .collect();
    samples.sort_by_key(|sample| std::cmp::Reverse(sample.length));
    samples
}

/// The samples of a block, the longest first, that have this step.
pub(crate) fn running(block: &[Sample], step: usize) -> &[Sample] {
    &block[..block.partition_point(|sample| sample.length > step)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offsets(lengths: &[u32]) -> Vec<u32> {
        let sums = lengths.iter().scan(0, |sum, length| {
            *sum += length;
            Some(*sum)
        });
        std::iter::once(0).chain(sums).collect()
    }

    #[test]
    fn every_sample_is_in_one_task_and_tasks_are_alike() {
        for lengths in [vec![], vec![0; 5], vec![3], vec![50; 1024], vec![0, 9000, 0, 1, 9000, 0], vec![1; 70_000]] {
            let offsets = offsets(&lengths);
            let tasks = partition(&offsets, MOST_TASKS);
            assert!(tasks.len() <= MOST_TASKS);
            let covered: Vec<usize> = tasks.iter().flat_map(|task| task.samples.clone()).collect();
            assert_eq!(covered, (0..lengths.len()).collect::<Vec<_>>());
            for task in &tasks {
                assert_eq!(task.rows.start, offsets[task.samples.start] as usize);
                assert_eq!(task.rows.end, offsets[task.samples.end] as usize);
            }
        }
        let rows: Vec<usize> =
            partition(&offsets(&[50; 1024]), MOST_TASKS).iter().map(|task| task.rows.len()).collect();
        assert_eq!(rows, [3200; 16]);
    }

    #[test]
    fn samples_without_events_are_left_out_and_equal_lengths_keep_their_order() {
        let offsets = offsets(&[2, 0, 5, 2]);
        let task = Task { samples: 0..4, rows: 0..9 };
        let order: Vec<_> = by_falling_length(&offsets, &task)
            .iter()
            .map(|sample| (sample.index, sample.first, sample.length))
            .collect();
        assert_eq!(order, [(2, 2, 5), (0, 0, 2), (3, 7, 2)]);
    }
}

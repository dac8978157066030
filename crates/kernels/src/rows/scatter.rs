//! Sums of rows by the id that each belongs to.

use std::ops::Range;

use super::gather::table_rows;
use super::lookups::{check_ids, check_less, place, row};
use super::update::AHEAD;
use super::width::{ByWidth, run_by_width};
use crate::error::{KernelError, check_length};
use crate::instruction_set::{Detected, InstructionSet};
use crate::level::{Level, Operation, prefetch};
use crate::pool::{Pool, Serial};
use crate::scalar::{Real, Scalar};
use crate::tasks::{Pieces, run_all};

/// Lookups of a task, and of what a thread looks through at once: fewer cost more than they bring.
const TASK: usize = 8192;
/// Bounds the tasks.
const MOST_TASKS: usize = 8;
/// The parts of a table that lookups are counted in, to cut it into tasks that are alike.
const BINS: usize = 1024;

/// The gradients of some lookups.
#[derive(Clone, Copy, Debug)]
pub struct LookupGradients<'a, T> {
    /// `[N]`, each from 0 and below `V`.
    pub ids: &'a [i64],
    /// `[N, D]`, one row for each id.
    pub gradients: &'a [T],
}

/// The gradient of a whole table by its lookups, with the widest vectors of this processor: each row is the sum of the
/// gradients of its lookups, in the order in which they are given; a row that nothing looked up is 0.
///
/// The sum is the same to the last bit for any pool and any instruction set.
///
/// # Shapes
/// - `table_gradient` `[V, D]`, written, where `D` is `width`
/// - [`LookupGradients`] names the shapes of its fields
///
/// # Errors
/// [`KernelError::Id`] names an id that is no row; [`KernelError::TooMany`] when there are 2³² ids or rows; others name
/// the buffer, its length and the length needed. Nothing has been written then.
pub fn scatter_rows<T: Real>(
    width: usize,
    lookups: &[LookupGradients<'_, T>],
    table_gradient: &mut [T],
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    scatter_rows_with(InstructionSet::best(), width, lookups, table_gradient, pool)
}

/// [`scatter_rows`] with a chosen instruction set.
///
/// # Errors
/// As [`scatter_rows`], and [`KernelError::Unavailable`] where the processor lacks the instructions.
pub fn scatter_rows_with<T: Real>(
    set: InstructionSet,
    width: usize,
    lookups: &[LookupGradients<'_, T>],
    table_gradient: &mut [T],
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    let set = Detected::new(set)?;
    let rows = table_rows(width, table_gradient.len())?;
    check_less("rows", rows)?;
    for LookupGradients { ids, gradients } in lookups {
        check_less("ids", ids.len())?;
        check_length("gradients", gradients.len(), ids.len() * width)?;
        check_ids(set, ids, rows)?;
    }
    // A long list is looked through by several threads.
    let lookups: Vec<LookupGradients<'_, T>> = lookups.iter().flat_map(|of| of.pieces(width)).collect();
    let ids: Vec<&[i64]> = lookups.iter().map(|of| of.ids).collect();
    let bins = Bins::new(rows);
    let total: usize = ids.iter().map(|ids| ids.len()).sum();
    // Too little for more than one task is not counted, and for one thread.
    let (pool, counts): (&dyn Pool, _) = if total < 2 * TASK {
        (&Serial, vec![Vec::new(); ids.len()])
    } else {
        (pool, run_all(pool, ids.iter(), |ids| bins.count(ids))?)
    };
    let cut = Cut::new(bins, &counts, rows);
    let grouped = run_all(pool, ids.iter().zip(&counts), |(ids, counts)| cut.group(ids, counts))?;
    let mut pieces = Pieces(Some(table_gradient));
    let work = cut.tasks.iter().enumerate().map(|(task, rows)| Scatter {
        width,
        first: rows.start,
        lookups: grouped.iter().zip(&lookups).map(|(grouped, of)| (grouped.keys(task), of.gradients)).collect(),
        output: pieces.take(rows.len() * width).unwrap_or_default(),
    });
    let run = |work: Scatter<'_, T>| match set {
        Detected::Portable(level) => level.run(work),
        #[cfg(target_arch = "x86_64")]
        Detected::Avx2(level) => level.run(work),
        #[cfg(target_arch = "x86_64")]
        Detected::Avx512(level) => level.run(work),
    };
    run_all(pool, work, run).map(drop)
}

impl<'a, T> LookupGradients<'a, T> {
    /// The same in their order, some at a time.
    fn pieces(&self, width: usize) -> impl Iterator<Item = Self> + use<'a, T> {
        let pieces = self.ids.chunks(TASK).zip(self.gradients.chunks(TASK * width));
        pieces.map(|(ids, gradients)| Self { ids, gradients })
    }
}

/// The parts of a table.
#[derive(Clone, Copy)]
struct Bins {
    /// A row's bin is its number without this many of its last bits.
    shift: u32,
    bins: usize,
}

impl Bins {
    fn new(rows: usize) -> Self {
        let shift = (usize::BITS - rows.saturating_sub(1).leading_zeros()).saturating_sub(BINS.ilog2());
        Self { shift, bins: (rows >> shift) + 1 }
    }

    /// How many ids are in each.
    fn count(self, ids: &[i64]) -> Vec<usize> {
        let mut counts = vec![0; self.bins];
        for &id in ids {
            counts[id as usize >> self.shift] += 1;
        }
        counts
    }
}

/// A table that is cut into tasks.
struct Cut {
    bins: Bins,
    /// The rows of each task; together all rows.
    tasks: Vec<Range<usize>>,
    /// The task of each bin, where there is more than one; the bins behind the last lookup have none.
    task_of: Vec<usize>,
}

impl Cut {
    /// Cuts between bins, so that tasks have about as many lookups each. `counts` has those of each list of ids.
    fn new(bins: Bins, counts: &[Vec<usize>], rows: usize) -> Self {
        let mut all = vec![0; bins.bins];
        for counts in counts {
            all.iter_mut().zip(counts).for_each(|(all, count)| *all += count);
        }
        let total: usize = all.iter().sum();
        let count = (total / TASK).clamp(1, MOST_TASKS);
        if count == 1 {
            return Self { bins, tasks: std::iter::once(0..rows).collect(), task_of: Vec::new() };
        }
        let (mut tasks, mut task_of, mut start, mut seen) = (Vec::new(), Vec::with_capacity(bins.bins), 0, 0);
        for (bin, count_of_bin) in all.iter().enumerate() {
            task_of.push(tasks.len());
            seen += count_of_bin;
            if seen * count >= total * (tasks.len() + 1) || bin + 1 == bins.bins {
                let end = if seen == total { rows } else { (bin + 1) << bins.shift };
                tasks.push(start..end);
                start = end;
            }
            if start == rows {
                // No lookup is in what follows.
                break;
            }
        }
        Self { bins, tasks, task_of }
    }

    /// Groups ids by task, of which `counts` are in each bin; those of one task stay in their order.
    fn group(&self, ids: &[i64], counts: &[usize]) -> Grouped {
        let keys = ids.iter().zip(0u64..).map(|(&id, place)| (id as u64) << 32 | place);
        if self.tasks.len() == 1 {
            return Grouped { keys: keys.collect(), ends: vec![ids.len()] };
        }
        let mut ends = vec![0; self.tasks.len()];
        for (&task, count) in self.task_of.iter().zip(counts) {
            ends[task] += count;
        }
        let mut sum = 0;
        for end in &mut ends {
            sum += std::mem::replace(end, sum);
        }
        let mut grouped = vec![0; ids.len()];
        for key in keys {
            let end = &mut ends[self.task_of[row(key) >> self.bins.shift]];
            grouped[*end] = key;
            *end += 1;
        }
        Grouped { keys: grouped, ends }
    }
}

/// Lookups, task by task: the row in the high half, the place in the low half.
struct Grouped {
    keys: Vec<u64>,
    ends: Vec<usize>,
}

impl Grouped {
    fn keys(&self, task: usize) -> &[u64] {
        let start = task.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.keys[start..self.ends[task]]
    }
}

/// The sums of some rows.
struct Scatter<'a, T> {
    width: usize,
    /// The row that the output starts with.
    first: usize,
    /// Keys with the gradients that they point to.
    lookups: Vec<(&'a [u64], &'a [T])>,
    output: &'a mut [T],
}

impl<T: Scalar> Operation for Scatter<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, _: L) {
        self.output.fill(T::ZERO);
        run_by_width(self.width, self);
    }
}

impl<T: Scalar> ByWidth for Scatter<'_, T> {
    #[inline(always)]
    fn fixed<const D: usize>(self) {
        let output = self.output.as_chunks_mut::<D>().0;
        for (keys, gradients) in self.lookups {
            let gradients = gradients.as_chunks::<D>().0;
            for (index, &key) in keys.iter().enumerate() {
                if let Some(&ahead) = keys.get(index + AHEAD) {
                    prefetch(&gradients[place(ahead)]);
                    prefetch(&output[row(ahead) - self.first]);
                }
                let (sums, gradient) = (&mut output[row(key) - self.first], &gradients[place(key)]);
                for column in 0..D {
                    sums[column] += gradient[column];
                }
            }
        }
    }

    #[inline(always)]
    fn any(self) {
        let width = self.width;
        for (keys, gradients) in self.lookups {
            for (index, &key) in keys.iter().enumerate() {
                if let Some(&ahead) = keys.get(index + AHEAD) {
                    prefetch(&gradients[place(ahead) * width..][..width]);
                    prefetch(&self.output[(row(ahead) - self.first) * width..][..width]);
                }
                let sums = &mut self.output[(row(key) - self.first) * width..][..width];
                for (sum, &number) in sums.iter_mut().zip(&gradients[place(key) * width..][..width]) {
                    *sum += number;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Whatever the ids are, the tasks are all rows, and each lookup is in the task of its row.
        #[test]
        fn tasks_cover_the_table_and_their_lookups_are_theirs(
            rows in 1usize..5000,
            span in 1usize..5000,
            draws in prop::collection::vec(any::<u32>(), 0..40_000),
        ) {
            let span = span.min(rows);
            let ids: Vec<i64> = draws.iter().map(|&draw| (rows - 1 - draw as usize % span) as i64).collect();
            let bins = Bins::new(rows);
            let counts = bins.count(&ids);
            let cut = Cut::new(bins, std::slice::from_ref(&counts), rows);
            prop_assert!(cut.tasks.iter().cloned().flatten().eq(0..rows));
            prop_assert!(cut.tasks.len() <= MOST_TASKS);
            let grouped = cut.group(&ids, &counts);
            let mut seen = 0;
            for (task, rows) in cut.tasks.iter().enumerate() {
                let keys = grouped.keys(task);
                seen += keys.len();
                for &key in keys {
                    prop_assert!(rows.contains(&row(key)) && ids[place(key)] == row(key) as i64);
                }
                prop_assert!(keys.windows(2).all(|pair| place(pair[0]) < place(pair[1])));
            }
            prop_assert_eq!(seen, ids.len());
        }
    }

    #[test]
    fn a_large_batch_is_cut_into_tasks_that_are_alike() {
        let ids: Vec<i64> = (0..65_536).map(|place| place * 48_271 % 3000).collect();
        let bins = Bins::new(3000);
        let counts = bins.count(&ids);
        let cut = Cut::new(bins, std::slice::from_ref(&counts), 3000);
        let grouped = cut.group(&ids, &counts);
        let lengths: Vec<usize> = (0..cut.tasks.len()).map(|task| grouped.keys(task).len()).collect();
        assert_eq!(lengths.len(), MOST_TASKS);
        assert!(lengths.iter().all(|length| (8000..8400).contains(length)), "{lengths:?}");
    }
}

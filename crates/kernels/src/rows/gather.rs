//! Copies of the rows that a batch looks up.

use super::lookups::check_ids;
use super::update::AHEAD;
use super::width::{ByWidth, run_by_width};
use crate::error::{KernelError, check_length};
use crate::instruction_set::{Detected, InstructionSet};
use crate::level::{Level, Operation, prefetch};
use crate::pool::Pool;
use crate::scalar::{Real, Scalar};
use crate::tasks::{Pieces, run_all};

/// Lookups of a task: fewer cost more than they bring.
const TASK: usize = 4096;

/// Copies a row of a table for each id, with the widest vectors of this processor. Rows are asked for some lookups
/// before they are copied, for a row of a large table is in no cache.
///
/// # Shapes
/// - `table` `[V, D]`, where `D` is `width`; `ids` `[N]`, each from 0 and below `V`; `output` `[N, D]`, written
///
/// # Errors
/// [`KernelError::Id`] names an id that is no row; others name the buffer, its length and the length needed. Nothing has
/// been written then.
pub fn gather_rows<T: Real>(
    width: usize,
    table: &[T],
    ids: &[i64],
    output: &mut [T],
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    gather_rows_with(InstructionSet::best(), width, table, ids, output, pool)
}

/// [`gather_rows`] with a chosen instruction set.
///
/// # Errors
/// As [`gather_rows`], and [`KernelError::Unavailable`] where the processor lacks the instructions.
pub fn gather_rows_with<T: Real>(
    set: InstructionSet,
    width: usize,
    table: &[T],
    ids: &[i64],
    output: &mut [T],
    pool: &dyn Pool,
) -> Result<(), KernelError> {
    let set = Detected::new(set)?;
    let rows = table_rows(width, table.len())?;
    check_length("output", output.len(), ids.len() * width)?;
    check_ids(set, ids, rows)?;
    let mut pieces = Pieces(Some(output));
    let work = (0..ids.len()).step_by(TASK).map(|start| {
        let count = TASK.min(ids.len() - start);
        Gather { width, table, ids: &ids[start..], output: pieces.take(count * width).unwrap_or_default() }
    });
    let run = |work: Gather<'_, T>| match set {
        Detected::Portable(level) => level.run(work),
        #[cfg(target_arch = "x86_64")]
        Detected::Avx2(level) => level.run(work),
        #[cfg(target_arch = "x86_64")]
        Detected::Avx512(level) => level.run(work),
    };
    run_all(pool, work, run).map(drop)
}

/// The rows of a table.
pub(super) fn table_rows(width: usize, length: usize) -> Result<usize, KernelError> {
    if width == 0 {
        return Err(KernelError::Zero { name: "width" });
    }
    let rows = length / width;
    check_length("table", length, rows * width)?;
    Ok(rows)
}

/// Copies as many rows as the output has room for; more ids may follow.
struct Gather<'a, T> {
    width: usize,
    table: &'a [T],
    ids: &'a [i64],
    output: &'a mut [T],
}

impl<T: Scalar> Operation for Gather<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self, _: L) {
        run_by_width(self.width, self);
    }
}

impl<T: Scalar> ByWidth for Gather<'_, T> {
    #[inline(always)]
    fn fixed<const D: usize>(self) {
        let table = self.table.as_chunks::<D>().0;
        for (index, output) in self.output.as_chunks_mut::<D>().0.iter_mut().enumerate() {
            if let Some(&ahead) = self.ids.get(index + AHEAD) {
                prefetch(&table[ahead as usize]);
            }
            *output = table[self.ids[index] as usize];
        }
    }

    #[inline(always)]
    fn any(self) {
        let width = self.width;
        let row = |id: i64| &self.table[id as usize * width..][..width];
        for (index, output) in self.output.chunks_exact_mut(width).enumerate() {
            if let Some(&ahead) = self.ids.get(index + AHEAD) {
                prefetch(row(ahead));
            }
            output.copy_from_slice(row(self.ids[index]));
        }
    }
}

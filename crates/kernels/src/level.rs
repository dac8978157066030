//! The same code, compiled for one instruction set or the other. But for vectors of rows that have been checked, see
//! [`crate::memory`], the only unsafe code of the crate is here: calling a function that is compiled for instructions which
//! the rest of the program may not use, the hint to the caches, blocks turned on their side, and the loops of one tile.
#![allow(unsafe_code, reason = "functions with target features and prefetches can only be called by unsafe code")]

#[cfg(target_arch = "x86_64")]
mod tile;
pub(crate) mod turn;

use crate::memory::LINE;
use crate::product::{self, Tile};
use crate::scalar::Scalar;

/// A piece of work that becomes one function per instruction set: small enough for the compiler to keep its numbers in
/// registers.
pub(crate) trait Operation {
    type Output;

    /// The work. It must be `#[inline(always)]`, and all that it calls in a loop too: what is not inlined is compiled
    /// without the instruction set.
    fn run<L: Level>(self, level: L) -> Self::Output;
}

/// An instruction set that this processor has. A value of this type is the proof.
pub(crate) trait Level: Copy + Send + Sync {
    /// Whether it multiplies and adds in one instruction.
    const FUSED: bool;
    /// Whether vectors are divided by their instruction. With AVX-512 it takes longer than an inverse that is made better
    /// step by step; with AVX2 the steps take longer, as each waits for the one before.
    const DIVIDES: bool;
    /// The most events that the sums of a recurrence's weight gradients take at once. A small tile does little with each
    /// row: what it reads must stay in the nearest cache.
    const EVENTS: usize;

    /// Runs an operation with these instructions.
    fn run<O: Operation>(self, operation: O) -> O::Output;

    /// Turns a block of 16 rows on its side: number `c` of row `r` becomes number `r` of row `c` of the target, whose
    /// rows start `stride` numbers apart.
    #[inline(always)]
    fn turn(self, source: &[&[f32; 16]; 16], target: &mut [f32], stride: usize) {
        turn::by_numbers(source, target, stride);
    }

    /// As [`Level::turn`], of 8 rows.
    #[inline(always)]
    fn turn_eight(self, source: &[&[f32; 8]; 8], target: &mut [f32], stride: usize) {
        turn::by_numbers(source, target, stride);
    }

    /// `tile[i] += Σ_k rows[i][k] · panel[k]`; the panel holds `V · W` numbers for every `k`, and each row a number.
    #[inline(always)]
    fn rows_by_panel<T: Scalar, const W: usize, const V: usize, const R: usize>(
        self,
        tile: &mut Tile<T, W, V, R>,
        rows: &[&[T]; R],
        panel: &[T],
    ) {
        product::rows_by_panel::<T, Self, W, V, R>(tile, rows, panel);
    }

    /// As [`Level::rows_by_panel`] for rows of `B` vectors that follow each other.
    #[inline(always)]
    fn blocks_by_panel<T: Scalar, const W: usize, const V: usize, const R: usize, const B: usize>(
        self,
        tile: &mut Tile<T, W, V, R>,
        rows: &[[[T; W]; B]],
        panel: &[T],
    ) {
        product::blocks_by_panel::<T, Self, W, V, R, B>(tile, rows, panel);
    }

    /// `Σ_k left[k][i] · right[k][v]`: the sum over rows of outer products. `left` and `right` start at the columns that
    /// are wanted and are as many numbers wide as their strides say; `depth` rows are summed.
    #[inline(always)]
    fn columns_by_columns<T: Scalar, const W: usize, const V: usize, const R: usize>(
        self,
        left: (&[T], usize),
        right: (&[T], usize),
        depth: usize,
    ) -> Tile<T, W, V, R> {
        product::columns_by_columns::<T, Self, W, V, R>(left, right, depth)
    }
}

/// How many steps before it is read or written a row is asked for.
pub(crate) const AHEAD: usize = 2;

/// Asks the caches for numbers that will be read or written soon. In jagged order each sample is a stream of its own:
/// more streams than the processor follows by itself.
#[inline(always)]
pub(crate) fn prefetch<T>(numbers: &[T]) {
    ask::<T, false>(numbers);
}

/// As [`prefetch`], into the second cache: of numbers that are needed later.
#[inline(always)]
pub(crate) fn prefetch_later<T>(numbers: &[T]) {
    ask::<T, true>(numbers);
}

#[inline(always)]
fn ask<T, const LATER: bool>(numbers: &[T]) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _MM_HINT_T1, _mm_prefetch};
        let line = LINE / size_of::<T>();
        for index in 0..numbers.len().div_ceil(line) {
            let place = numbers.as_ptr().wrapping_add(index * line).cast();
            // SAFETY: every x86-64 processor has this instruction; it loads nothing into the program, and the address
            // is that of a number.
            unsafe {
                if LATER {
                    _mm_prefetch::<_MM_HINT_T1>(place);
                } else {
                    _mm_prefetch::<_MM_HINT_T0>(place);
                }
            }
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (numbers, LINE);
}

/// Stands in a loop over short rows and keeps the compiler from taking several turns of it at once: it would load the
/// numbers of eight rows, turn them on their side, and turn the results back. It is no instruction.
#[inline(always)]
pub(crate) fn one_by_one() {
    std::hint::black_box(());
}

/// What every processor of the target has.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

impl Level for Portable {
    const FUSED: bool = cfg!(target_arch = "aarch64");
    const DIVIDES: bool = !Self::FUSED;
    const EVENTS: usize = 96;

    #[inline(never)]
    fn run<O: Operation>(self, operation: O) -> O::Output {
        operation.run(self)
    }
}

#[cfg(target_arch = "x86_64")]
macro_rules! level {
    ($(#[$meta:meta])* $name:ident, $divides:literal, $events:literal, $all:literal, $($feature:tt),*; $($own:item)*) => {
        $(#[$meta])*
        #[derive(Clone, Copy)]
        pub(crate) struct $name(());

        impl $name {
            /// `None` where the processor lacks an instruction.
            pub(crate) fn detect() -> Option<Self> {
                ($(is_x86_feature_detected!($feature))&&*).then_some(Self(()))
            }
        }

        impl Level for $name {
            const FUSED: bool = true;
            const DIVIDES: bool = $divides;
            const EVENTS: usize = $events;

            #[inline(always)]
            fn run<O: Operation>(self, operation: O) -> O::Output {
                #[inline(never)]
                #[target_feature(enable = $all)]
                fn compiled<O: Operation>(operation: O) -> O::Output {
                    operation.run($name(()))
                }
                // SAFETY: the processor has the features, for `self` can only be made by `detect`, which found them.
                unsafe { compiled(operation) }
            }

            $($own)*
        }
    };
}

#[cfg(target_arch = "x86_64")]
level!(
    /// AVX2 and FMA.
    Avx2, true, 96, "avx2,fma", "avx2", "fma";
    #[inline(always)]
    fn turn_eight(self, source: &[&[f32; 8]; 8], target: &mut [f32], stride: usize) {
        // SAFETY: as in `run`.
        unsafe { turn::by_halves(source, target, stride) }
    }

    #[inline(always)]
    fn rows_by_panel<T: Scalar, const W: usize, const V: usize, const R: usize>(
        self,
        tile: &mut Tile<T, W, V, R>,
        rows: &[&[T]; R],
        panel: &[T],
    ) {
        match tile::whole(tile) {
            Some(sums) => {
                let depth = panel.len() / (V * W);
                let rows = tile::starts(rows, depth);
                // SAFETY: the instructions as in `run`; the tile is borrowed, and rows and panel are as long.
                unsafe { tile::add_rows(sums, rows, panel.as_ptr(), depth) }
            }
            None => product::rows_by_panel::<T, Self, W, V, R>(tile, rows, panel),
        }
    }

    #[inline(always)]
    fn blocks_by_panel<T: Scalar, const W: usize, const V: usize, const R: usize, const B: usize>(
        self,
        tile: &mut Tile<T, W, V, R>,
        rows: &[[[T; W]; B]],
        panel: &[T],
    ) {
        match tile::whole(tile) {
            Some(sums) => {
                let mut each: [&[T]; R] = [&[]; R];
                for i in 0..R {
                    each[i] = rows[i].as_flattened();
                }
                let (each, panel) = (tile::starts(&each, B * W), panel[..B * W * V * W].as_ptr());
                // SAFETY: as in `rows_by_panel`.
                unsafe { tile::add_rows(sums, each, panel, B * W) }
            }
            None => product::blocks_by_panel::<T, Self, W, V, R, B>(tile, rows, panel),
        }
    }

    #[inline(always)]
    fn columns_by_columns<T: Scalar, const W: usize, const V: usize, const R: usize>(
        self,
        left: (&[T], usize),
        right: (&[T], usize),
        depth: usize,
    ) -> Tile<T, W, V, R> {
        let mut tile = [[[T::ZERO; W]; V]; R];
        if depth == 0 {
            return tile;
        }
        match tile::whole(&mut tile) {
            Some(sums) => {
                let (left, right) = (tile::start(left, depth, R), tile::start(right, depth, V * W));
                // SAFETY: the instructions as in `run`; the tile is of this function, and the last row of both sides is as
                // long, and so are those before it.
                unsafe { tile::add_columns(sums, left, right, depth) }
            }
            None => tile = product::columns_by_columns::<T, Self, W, V, R>(left, right, depth),
        }
        tile
    }
);

#[cfg(target_arch = "x86_64")]
level!(
    /// AVX-512 F, VL, DQ and BW.
    Avx512, false, 256, "avx2,fma,avx512f,avx512vl,avx512dq,avx512bw", "avx2", "fma", "avx512f", "avx512vl", "avx512dq", "avx512bw";
    #[inline(always)]
    fn turn(self, source: &[&[f32; 16]; 16], target: &mut [f32], stride: usize) {
        // SAFETY: as in `run`.
        unsafe { turn::by_vectors(source, target, stride) }
    }
);

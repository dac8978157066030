//! The sums of a tile of four rows of three vectors of AVX2: they are 12, and with three vectors of weights and a factor
//! they fill its 16 registers. A compiler loads the next factors early, has no register left for them, and keeps sums in
//! memory; so these two loops are assembler. They have fewer instructions for each product than tiles of three rows, which
//! counts where another program runs on the other half of a core.

use std::arch::asm;
use std::arch::x86_64::{__m256, _mm256_loadu_ps, _mm256_setzero_ps, _mm256_storeu_ps};

use crate::product::{OF_THREE, Tile};
use crate::scalar::Scalar;

/// The vectors of a row.
const VECTORS: usize = 3;
/// Bytes of a vector.
const VECTOR: usize = 32;

/// The sums of such a tile, row by row, as the vectors that they are; `None` of any other.
#[inline(always)]
pub(super) fn whole<T, const W: usize, const V: usize, const R: usize>(
    tile: &mut Tile<T, W, V, R>,
) -> Option<*mut Vectors> {
    (R == OF_THREE && V == VECTORS && W * size_of::<T>() == VECTOR).then_some(std::ptr::from_mut(tile).cast())
}

/// The vectors of a tile. Of which type their numbers are is the instructions' affair.
pub(super) type Vectors = [[f32; VECTOR / size_of::<f32>()]; OF_THREE * VECTORS];

/// `sums[i] += factor[i] · vectors` for one step: three vectors, `$vectors` bytes behind `$panel`, and of each row the
/// number behind `$factors`.
macro_rules! step {
    ($kind:literal, $panel:literal, $vectors:literal, $first:expr, $second:expr, $third:expr, $fourth:expr) => {
        concat!(
            "vmovups ymm12, [",
            $panel,
            " + ",
            $vectors,
            "]\n",
            "vmovups ymm13, [",
            $panel,
            " + ",
            $vectors,
            " + 32]\n",
            "vmovups ymm14, [",
            $panel,
            " + ",
            $vectors,
            " + 64]\n",
            row!($kind, $first, 0, 1, 2),
            row!($kind, $second, 3, 4, 5),
            row!($kind, $third, 6, 7, 8),
            row!($kind, $fourth, 9, 10, 11),
        )
    };
}

/// A row's part of a step; the numbers are those of the registers of its sums.
macro_rules! row {
    ($kind:literal, $factor:expr, $one:literal, $two:literal, $three:literal) => {
        concat!(
            "vbroadcasts",
            $kind,
            " ymm15, [",
            $factor,
            "]\n",
            "vfmadd231p",
            $kind,
            " ymm",
            $one,
            ", ymm12, ymm15\n",
            "vfmadd231p",
            $kind,
            " ymm",
            $two,
            ", ymm13, ymm15\n",
            "vfmadd231p",
            $kind,
            " ymm",
            $three,
            ", ymm14, ymm15\n",
        )
    };
}

/// Assembler over the sums, which come in and go out in registers; the other operands follow.
macro_rules! over_sums {
    ($vectors:ident, $($line:expr),+; $($operand:tt)+) => {
        asm!(
            $($line,)+
            inout("ymm0") $vectors[0], inout("ymm1") $vectors[1], inout("ymm2") $vectors[2],
            inout("ymm3") $vectors[3], inout("ymm4") $vectors[4], inout("ymm5") $vectors[5],
            inout("ymm6") $vectors[6], inout("ymm7") $vectors[7], inout("ymm8") $vectors[8],
            inout("ymm9") $vectors[9], inout("ymm10") $vectors[10], inout("ymm11") $vectors[11],
            out("ymm12") _, out("ymm13") _, out("ymm14") _, out("ymm15") _,
            $($operand)+,
            options(readonly, nostack)
        )
    };
}

/// The loop over rows: `$size` is that of a number. Four steps stand one after the other.
macro_rules! loop_over_rows {
    ($kind:literal, $size:literal, $vectors:ident, $rows:ident, $panel:ident, $depth:ident) => {
        over_sums!(
            $vectors,
            "test {fours}, {fours}",
            "jz 3f",
            "2:",
            loop_over_rows!(step $kind, $size, 0, 0),
            loop_over_rows!(step $kind, $size, 1, 96),
            loop_over_rows!(step $kind, $size, 2, 192),
            loop_over_rows!(step $kind, $size, 3, 288),
            "add {panel}, 4 * 96",
            concat!("add {place}, 4 * ", $size),
            "dec {fours}",
            "jnz 2b",
            "3:",
            "test {rest}, {rest}",
            "jz 5f",
            "4:",
            loop_over_rows!(step $kind, $size, 0, 0),
            "add {panel}, 96",
            concat!("add {place}, ", $size),
            "dec {rest}",
            "jnz 4b",
            "5:";
            fours = inout(reg) $depth / 4 => _,
            rest = inout(reg) $depth % 4 => _,
            panel = inout(reg) $panel => _,
            place = inout(reg) 0usize => _,
            first = in(reg) $rows[0],
            second = in(reg) $rows[1],
            third = in(reg) $rows[2],
            fourth = in(reg) $rows[3]
        )
    };
    (step $kind:literal, $size:literal, $step:literal, $vectors:literal) => {
        step!(
            $kind,
            "{panel}",
            $vectors,
            concat!("{first} + {place} + ", $step, " * ", $size),
            concat!("{second} + {place} + ", $step, " * ", $size),
            concat!("{third} + {place} + ", $step, " * ", $size),
            concat!("{fourth} + {place} + ", $step, " * ", $size)
        )
    };
}

/// The loop over outer products. Two steps stand one after the other.
macro_rules! loop_over_columns {
    ($kind:literal, $size:literal, $vectors:ident, $left:ident, $right:ident, $depth:ident) => {
        over_sums!(
            $vectors,
            "test {twos}, {twos}",
            "jz 3f",
            "2:",
            loop_over_columns!(step $kind, $size, "{right}", "{left}"),
            loop_over_columns!(step $kind, $size, "{right} + {right_stride}", "{left} + {left_stride}"),
            "lea {right}, [{right} + 2 * {right_stride}]",
            "lea {left}, [{left} + 2 * {left_stride}]",
            "dec {twos}",
            "jnz 2b",
            "3:",
            "test {rest}, {rest}",
            "jz 4f",
            loop_over_columns!(step $kind, $size, "{right}", "{left}"),
            "4:";
            twos = inout(reg) $depth / 2 => _,
            rest = in(reg) $depth % 2,
            left = inout(reg) $left.0 => _,
            left_stride = in(reg) $left.1 * $size,
            right = inout(reg) $right.0 => _,
            right_stride = in(reg) $right.1 * $size
        )
    };
    (step $kind:literal, $size:literal, $right:literal, $left:literal) => {
        step!(
            $kind,
            $right,
            0,
            $left,
            concat!($left, " + ", $size),
            concat!($left, " + 2 * ", $size),
            concat!($left, " + 3 * ", $size)
        )
    };
}

/// Where four rows start that have `depth` numbers each.
///
/// # Panics
/// A row is shorter, or there are not four.
#[inline(always)]
pub(super) fn starts<T, const R: usize>(rows: &[&[T]; R], depth: usize) -> [*const T; OF_THREE] {
    let mut starts = [std::ptr::null(); OF_THREE];
    for i in 0..OF_THREE {
        starts[i] = rows[i][..depth].as_ptr();
    }
    starts
}

/// `sums[i] += Σ_k rows[i][k] · panel[k]`, with three vectors of the panel for every `k`.
///
/// # Safety
/// `sums` are those of a tile, which nobody else uses; each row has `depth` numbers, and the panel three vectors as often.
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn add_rows<T: Scalar>(
    sums: *mut Vectors,
    rows: [*const T; OF_THREE],
    panel: *const T,
    depth: usize,
) {
    // SAFETY: the caller's sums; the assembler reads what the caller has and writes nothing but the registers that it names.
    unsafe {
        let mut vectors = load(sums);
        if size_of::<T>() == size_of::<f32>() {
            loop_over_rows!("s", 4, vectors, rows, panel, depth);
        } else {
            loop_over_rows!("d", 8, vectors, rows, panel, depth);
        }
        store(sums, &vectors);
    }
}

/// Where a matrix starts that has `depth` rows, `stride` numbers apart, of which four or three vectors are wanted.
///
/// # Panics
/// It ends before.
#[inline(always)]
pub(super) fn start<T>((numbers, stride): (&[T], usize), depth: usize, wanted: usize) -> (*const T, usize) {
    let last = (depth - 1).saturating_mul(stride);
    assert!(numbers[last..].len() >= wanted, "the last row of a product is not there");
    (numbers.as_ptr(), stride)
}

/// `sums[i][v] += Σ_k left[k][i] · right[k][v]` for four columns of the left side and three vectors of the right one; each
/// side comes with its stride, and `depth` rows are summed.
///
/// # Safety
/// `sums` are those of a tile, which nobody else uses; both sides have `depth` rows, with four numbers and three vectors.
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn add_columns<T: Scalar>(
    sums: *mut Vectors,
    left: (*const T, usize),
    right: (*const T, usize),
    depth: usize,
) {
    // SAFETY: as in `add_rows`.
    unsafe {
        let mut vectors = load(sums);
        if size_of::<T>() == size_of::<f32>() {
            loop_over_columns!("s", 4, vectors, left, right, depth);
        } else {
            loop_over_columns!("d", 8, vectors, left, right, depth);
        }
        store(sums, &vectors);
    }
}

/// # Safety
/// The vectors are there.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn load(sums: *const Vectors) -> [__m256; OF_THREE * VECTORS] {
    let mut vectors = [_mm256_setzero_ps(); OF_THREE * VECTORS];
    for (index, vector) in vectors.iter_mut().enumerate() {
        // SAFETY: it is one of the caller's.
        *vector = unsafe { _mm256_loadu_ps((&raw const (*sums)[index]).cast()) };
    }
    vectors
}

/// # Safety
/// As [`load`], and nobody else uses them.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn store(sums: *mut Vectors, vectors: &[__m256; OF_THREE * VECTORS]) {
    for (index, &vector) in vectors.iter().enumerate() {
        // SAFETY: it is one of the caller's.
        unsafe { _mm256_storeu_ps((&raw mut (*sums)[index]).cast(), vector) };
    }
}

#[cfg(test)]
mod tests {
    use crate::level::{Avx2, Level, Operation};
    use crate::product::{OF_THREE, Tile, columns_by_columns, rows_by_panel};
    use crate::scalar::Scalar;

    /// Numbers from -1 to 1, none like its neighbours.
    fn numbers<T: Scalar>(count: usize) -> Vec<T> {
        (0..count).map(|index| T::from_f64((index as f64 * 0.7).sin())).collect()
    }

    /// The products of both loops beside those of the plain ones.
    struct Both<'a, T> {
        rows: &'a [T],
        panel: &'a [T],
        depth: usize,
        /// From one row to the next, of both sides.
        stride: usize,
    }

    impl<T: Scalar> Both<'_, T> {
        fn compare<L: Level, const W: usize>(&self, level: L) {
            let Self { rows, panel, depth, stride } = *self;
            let each: [&[T]; OF_THREE] = std::array::from_fn(|i| &rows[i * stride..]);
            let panel_of = &panel[..depth * 3 * W];
            let mut tile: Tile<T, W, 3, OF_THREE> = [[[T::ONE; W]; 3]; OF_THREE];
            let mut expected = tile;
            level.rows_by_panel(&mut tile, &each, panel_of);
            rows_by_panel::<T, L, W, 3, OF_THREE>(&mut expected, &each, panel_of);
            assert_eq!(tile, expected, "rows, {depth} deep");

            let (left, right) = ((&rows[1..], stride), (panel, stride));
            let tile = level.columns_by_columns::<T, W, 3, OF_THREE>(left, right, depth);
            let expected = columns_by_columns::<T, L, W, 3, OF_THREE>(left, right, depth);
            assert_eq!(tile, expected, "columns, {depth} deep");
        }
    }

    struct InLanes<'a, T, const W: usize>(Both<'a, T>);

    impl<T: Scalar, const W: usize> Operation for InLanes<'_, T, W> {
        type Output = ();

        fn run<L: Level>(self, level: L) {
            self.0.compare::<L, W>(level);
        }
    }

    #[test]
    fn the_loops_give_the_bits_of_the_plain_ones() {
        let Some(level) = Avx2::detect() else { return };
        let (stride, most) = (40, 23);
        let (rows, panel) = (numbers::<f32>(stride * most), numbers::<f32>(stride * most));
        let (rows_64, panel_64) = (numbers::<f64>(stride * most), numbers::<f64>(stride * most));
        for depth in 0..=most {
            level.run(InLanes::<f32, 8>(Both { rows: &rows, panel: &panel, depth, stride }));
            level.run(InLanes::<f64, 4>(Both { rows: &rows_64, panel: &panel_64, depth, stride }));
        }
    }

    #[test]
    fn what_is_too_short_is_refused() {
        let Some(level) = Avx2::detect() else { return };
        let (rows, panel) = (numbers::<f32>(64), numbers::<f32>(240));
        let products = |rows: &[f32], panel: &[f32], depth: usize| {
            let refused = std::panic::catch_unwind(|| {
                let mut tile: Tile<f32, 8, 3, OF_THREE> = [[[0.0; 8]; 3]; OF_THREE];
                level.rows_by_panel(&mut tile, &[rows; OF_THREE], panel);
            });
            let columns = std::panic::catch_unwind(|| {
                level.columns_by_columns::<f32, 8, 3, OF_THREE>((rows, 4), (panel, 24), depth);
            });
            (refused.is_ok(), columns.is_ok())
        };
        assert_eq!(products(&rows[..40], &panel, 10), (true, true));
        // A row of nine numbers for a panel of ten; the last of ten rows has three numbers of four.
        assert_eq!(products(&rows[..9], &panel, 10), (false, false));
        assert_eq!(products(&rows[..39], &panel, 10), (true, false));
        assert_eq!(products(&rows[..40], &panel[..239], 10), (true, false));
    }
}

//! Blocks turned on their side: a compiler makes one load and one store of each number of it.

/// Number `c` of row `r` becomes number `r` of row `c` of the target, whose rows start `stride` numbers apart.
#[inline(always)]
pub(crate) fn by_numbers<T: Copy, const W: usize>(source: &[&[T; W]; W], target: &mut [T], stride: usize) {
    for c in 0..W {
        let row = &mut target[c * stride..][..W];
        for r in 0..W {
            row[r] = source[r][c];
        }
    }
}

/// As [`by_numbers`], in three steps of as many vectors as there are rows: pairs of rows, then fours, then the halves of
/// vectors.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx")]
pub(super) fn by_halves(source: &[&[f32; 8]; 8], target: &mut [f32], stride: usize) {
    use std::arch::x86_64::{
        __m256, _mm256_loadu_ps, _mm256_permute2f128_ps, _mm256_setzero_ps, _mm256_shuffle_ps, _mm256_storeu_ps,
        _mm256_unpackhi_ps, _mm256_unpacklo_ps,
    };
    let mut rows = [_mm256_setzero_ps(); 8];
    for (row, numbers) in rows.iter_mut().zip(source) {
        // SAFETY: there are 8 numbers.
        *row = unsafe { _mm256_loadu_ps(numbers.as_ptr()) };
    }
    let mut pairs = rows;
    for i in (0..8).step_by(2) {
        pairs[i] = _mm256_unpacklo_ps(rows[i], rows[i + 1]);
        pairs[i + 1] = _mm256_unpackhi_ps(rows[i], rows[i + 1]);
    }
    // Half h of vector g + c holds column 4h + c of the four rows from g on.
    let mut fours = pairs;
    for g in (0..8).step_by(4) {
        fours[g] = _mm256_shuffle_ps::<0x44>(pairs[g], pairs[g + 2]);
        fours[g + 1] = _mm256_shuffle_ps::<0xee>(pairs[g], pairs[g + 2]);
        fours[g + 2] = _mm256_shuffle_ps::<0x44>(pairs[g + 1], pairs[g + 3]);
        fours[g + 3] = _mm256_shuffle_ps::<0xee>(pairs[g + 1], pairs[g + 3]);
    }
    let mut store = |column: usize, vector: __m256| {
        let row = &mut target[column * stride..][..8];
        // SAFETY: there is room for 8 numbers.
        unsafe { _mm256_storeu_ps(row.as_mut_ptr(), vector) };
    };
    for c in 0..4 {
        store(c, _mm256_permute2f128_ps::<0x20>(fours[c], fours[4 + c]));
        store(4 + c, _mm256_permute2f128_ps::<0x31>(fours[c], fours[4 + c]));
    }
}

/// As [`by_numbers`], in four steps of as many vectors as there are rows: pairs of rows, then fours, then the quarters
/// of vectors.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
pub(super) fn by_vectors(source: &[&[f32; 16]; 16], target: &mut [f32], stride: usize) {
    use std::arch::x86_64::{
        __m512, _mm512_loadu_ps, _mm512_setzero_ps, _mm512_shuffle_f32x4, _mm512_shuffle_ps, _mm512_storeu_ps,
        _mm512_unpackhi_ps, _mm512_unpacklo_ps,
    };
    let mut rows = [_mm512_setzero_ps(); 16];
    for (row, numbers) in rows.iter_mut().zip(source) {
        // SAFETY: there are 16 numbers.
        *row = unsafe { _mm512_loadu_ps(numbers.as_ptr()) };
    }
    let mut pairs = rows;
    for i in (0..16).step_by(2) {
        pairs[i] = _mm512_unpacklo_ps(rows[i], rows[i + 1]);
        pairs[i + 1] = _mm512_unpackhi_ps(rows[i], rows[i + 1]);
    }
    // Quarter q of vector g + c holds column 4q + c of the four rows from g on.
    let mut fours = pairs;
    for g in (0..16).step_by(4) {
        fours[g] = _mm512_shuffle_ps::<0x44>(pairs[g], pairs[g + 2]);
        fours[g + 1] = _mm512_shuffle_ps::<0xee>(pairs[g], pairs[g + 2]);
        fours[g + 2] = _mm512_shuffle_ps::<0x44>(pairs[g + 1], pairs[g + 3]);
        fours[g + 3] = _mm512_shuffle_ps::<0xee>(pairs[g + 1], pairs[g + 3]);
    }
    let mut store = |column: usize, vector: __m512| {
        let row = &mut target[column * stride..][..16];
        // SAFETY: there is room for 16 numbers.
        unsafe { _mm512_storeu_ps(row.as_mut_ptr(), vector) };
    };
    for c in 0..4 {
        let even = _mm512_shuffle_f32x4::<0x88>(fours[c], fours[4 + c]);
        let odd = _mm512_shuffle_f32x4::<0xdd>(fours[c], fours[4 + c]);
        let even_below = _mm512_shuffle_f32x4::<0x88>(fours[8 + c], fours[12 + c]);
        let odd_below = _mm512_shuffle_f32x4::<0xdd>(fours[8 + c], fours[12 + c]);
        store(c, _mm512_shuffle_f32x4::<0x88>(even, even_below));
        store(4 + c, _mm512_shuffle_f32x4::<0x88>(odd, odd_below));
        store(8 + c, _mm512_shuffle_f32x4::<0xdd>(even, even_below));
        store(12 + c, _mm512_shuffle_f32x4::<0xdd>(odd, odd_below));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "x86_64")]
    use crate::level::{Avx2, Avx512, Level};

    const STRIDE: usize = 19;

    /// Row `r` of the block is `W` numbers from `W r` on.
    fn turned<const W: usize>(turn: impl Fn(&[&[f32; W]; W], &mut [f32], usize)) -> Vec<f32> {
        let numbers: Vec<f32> = (0..256u16).map(f32::from).collect();
        let rows = numbers.as_chunks::<W>().0;
        let mut target = vec![-1.0; W * STRIDE];
        turn(&std::array::from_fn(|r| &rows[r]), &mut target, STRIDE);
        target
    }

    fn expected(width: usize) -> Vec<f32> {
        (0..width * STRIDE)
            .map(|index| (index / STRIDE, index % STRIDE))
            .map(|(row, column)| if column < width { (column * width + row) as f32 } else { -1.0 })
            .collect()
    }

    #[test]
    fn rows_become_columns() {
        assert_eq!(turned::<16>(by_numbers), expected(16));
        assert_eq!(turned::<8>(by_numbers), expected(8));
        #[cfg(target_arch = "x86_64")]
        if let Some(level) = Avx512::detect() {
            assert_eq!(turned(|source, target, stride| level.turn(source, target, stride)), expected(16));
        }
        #[cfg(target_arch = "x86_64")]
        if let Some(level) = Avx2::detect() {
            assert_eq!(turned(|source, target, stride| level.turn_eight(source, target, stride)), expected(8));
        }
    }
}

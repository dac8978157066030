//! Rows whose width is known when the program is compiled, and all others.

/// Work on rows of one table.
pub(super) trait ByWidth {
    /// For rows of `D` numbers.
    fn fixed<const D: usize>(self);

    /// For rows of any width.
    fn any(self);
}

/// Runs work for the width of its rows: the usual ones become a few vector instructions for each row.
#[inline(always)]
pub(super) fn run_by_width<W: ByWidth>(width: usize, work: W) {
    match width {
        1 => work.fixed::<1>(),
        4 => work.fixed::<4>(),
        8 => work.fixed::<8>(),
        16 => work.fixed::<16>(),
        32 => work.fixed::<32>(),
        64 => work.fixed::<64>(),
        _ => work.any(),
    }
}

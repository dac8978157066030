//! A history and its candidate as one sequence.

use fain_autograd::upload;
use tch::Tensor;

use crate::places::distances_from_last;
use crate::{Jagged, JaggedLayout, LayerError};

/// Puts each sample's candidate after its most recent `max_length` events: jagged `[M, D]` with `M ≤ N + B`.
pub(super) fn join(candidate: &Tensor, history: &Jagged, max_length: i64) -> Result<Jagged, LayerError> {
    let layout = history.layout();
    let most = u32::try_from(max_length).unwrap_or(u32::MAX);
    let mut order = Vec::with_capacity((layout.events() + layout.rows()) as usize);
    let mut offsets = vec![0];
    for (row, pair) in layout.host_offsets().windows(2).enumerate() {
        order.extend((pair[1] - most.min(pair[1] - pair[0])..pair[1]).map(i64::from));
        order.push(layout.events() + row as i64);
        offsets.push(order.len() as u32);
    }
    let device = history.values().device();
    let order = upload(Tensor::f_from_slice(&order)?, device)?;
    let values = Tensor::f_cat(&[history.values(), candidate], 0)?.f_index_select(0, &order)?;
    Jagged::new(values, JaggedLayout::new(&offsets, device)?)
}

/// The last entry of each sequence, the candidate's: `[B, D]`. No sequence is empty.
pub(super) fn candidates(sequence: &Jagged) -> Result<Tensor, LayerError> {
    let layout = sequence.layout();
    let last = layout.offsets().f_narrow(0, 1, layout.rows())?.f_sub_scalar(1)?;
    Ok(sequence.values().f_index_select(0, &last)?)
}

/// The entries of each sequence one after another, the last first: `[B, length · D]`, zeros after the oldest.
pub(super) fn flatten(sequence: &Jagged, length: i64) -> Result<Tensor, LayerError> {
    let (layout, width) = (sequence.layout(), sequence.width());
    let places = layout.segments().f_mul_scalar(length)?.f_add(&distances_from_last(layout)?)?;
    let options = (sequence.kind(), sequence.values().device());
    let zeros = Tensor::f_zeros([layout.rows() * length, width], options)?;
    Ok(zeros.f_index_copy(0, &places, sequence.values())?.f_reshape([layout.rows(), length * width])?)
}

//! A dense tensor for operations that libtorch has for equal lengths only.

use fain_autograd::upload;
use tch::{Kind, Tensor};

use crate::places::distances_from_first;
use crate::{JaggedLayout, LayerError};

/// Where the events of a jagged tensor lie in a dense one, `[R, T, D]`, of the `R` samples that have events.
///
/// Samples without events are left out: a softmax over nothing but masked entries would be NaN.
#[derive(Debug)]
pub(crate) struct Padding {
    /// `[N]`, int64: the place of each event in `[R·T, D]`.
    places: Tensor,
    /// `[R, T]`, bool: true where there is no event.
    absent: Tensor,
    rows: i64,
    longest: i64,
}

impl Padding {
    pub(crate) fn new(layout: &JaggedLayout) -> Result<Self, LayerError> {
        let lengths: Vec<i64> = layout.host_offsets().windows(2).map(|pair| i64::from(pair[1] - pair[0])).collect();
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let mut rows = 0;
        let mut starts = Vec::with_capacity(lengths.len());
        for &length in &lengths {
            starts.push(rows * longest);
            rows += i64::from(length > 0);
        }
        let device = layout.offsets().device();
        let starts = upload(Tensor::f_from_slice(&starts)?, device)?;
        let places = layout.expand(&starts)?.f_add(&distances_from_first(layout)?)?;
        let absent = Tensor::f_ones([rows * longest], (Kind::Bool, device))?;
        let absent = absent.f_index_fill(0, &places, 0)?.f_reshape([rows, longest])?;
        Ok(Self { places, absent, rows, longest })
    }

    /// `[R, T]`, bool: true where there is no event.
    pub(crate) fn absent(&self) -> &Tensor {
        &self.absent
    }

    /// `[N, D]` → `[R, T, D]`, zeros where there is no event.
    pub(crate) fn pad(&self, events: &Tensor) -> Result<Tensor, LayerError> {
        let width = events.size()[1];
        let zeros = Tensor::f_zeros([self.rows * self.longest, width], (events.kind(), events.device()))?;
        Ok(zeros.f_index_copy(0, &self.places, events)?.f_reshape([self.rows, self.longest, width])?)
    }

    /// `[R, T, D]` → `[N, D]`
    pub(crate) fn unpad(&self, dense: &Tensor) -> Result<Tensor, LayerError> {
        let width = dense.size()[2];
        Ok(dense.f_reshape([self.rows * self.longest, width])?.f_index_select(0, &self.places)?)
    }
}

//! Sequences of different lengths, one after another, without padding.

use tch::{Device, Kind, Tensor};

use crate::LayerError;
use crate::error::check_shape;

/// Where each sample's events lie in a jagged tensor.
///
/// It is made once per batch and shared by everything that has the same lengths.
#[derive(Debug)]
pub struct JaggedLayout {
    /// `[B + 1]`, int64: the events of sample `b` are `offsets[b]..offsets[b + 1]`.
    offsets: Tensor,
    /// `[N]`, int64: the sample each event belongs to.
    segments: Tensor,
    /// `[B]`, int64.
    lengths: Tensor,
    rows: i64,
    events: i64,
}

impl JaggedLayout {
    /// Builds the layout on `device` from offsets on the host.
    ///
    /// # Shapes
    /// - `offsets` `[B + 1]`, starting at 0, never falling; a sample may have no events.
    ///
    /// # Errors
    /// [`LayerError::Offsets`] names the first entry that breaks the rule.
    pub fn new(offsets: &[u32], device: Device) -> Result<Self, LayerError> {
        if offsets.len() < 2 {
            return Err(LayerError::Offsets { problem: format!("there are {} entries", offsets.len()) });
        }
        if offsets[0] != 0 {
            return Err(LayerError::Offsets { problem: format!("entry 0 is {}", offsets[0]) });
        }
        let rows = offsets.len() - 1;
        let mut segments: Vec<i64> = Vec::with_capacity(offsets[rows] as usize);
        let mut lengths: Vec<i64> = Vec::with_capacity(rows);
        for (row, pair) in offsets.windows(2).enumerate() {
            if pair[1] < pair[0] {
                let problem = format!("entry {} is {} after {}", row + 1, pair[1], pair[0]);
                return Err(LayerError::Offsets { problem });
            }
            segments.resize(pair[1] as usize, row as i64);
            lengths.push(i64::from(pair[1] - pair[0]));
        }
        let starts: Vec<i64> = offsets.iter().map(|&offset| i64::from(offset)).collect();
        Ok(Self {
            offsets: Tensor::f_from_slice(&starts)?.f_to_device(device)?,
            segments: Tensor::f_from_slice(&segments)?.f_to_device(device)?,
            lengths: Tensor::f_from_slice(&lengths)?.f_to_device(device)?,
            rows: rows as i64,
            events: segments.len() as i64,
        })
    }

    /// `B`, the number of samples.
    pub fn rows(&self) -> i64 {
        self.rows
    }

    /// `N`, the number of events of all samples.
    pub fn events(&self) -> i64 {
        self.events
    }

    /// `[B + 1]`, int64.
    pub fn offsets(&self) -> &Tensor {
        &self.offsets
    }

    /// `[N]`, int64: the sample of each event.
    pub fn segments(&self) -> &Tensor {
        &self.segments
    }

    /// `[B]`, int64: events per sample.
    pub fn lengths(&self) -> &Tensor {
        &self.lengths
    }

    /// True when the two were cloned from one another. Equal lengths made apart are not the same.
    pub fn same_as(&self, other: &Self) -> bool {
        self.offsets.data_ptr() == other.offsets.data_ptr()
    }

    /// Repeats each sample's row for each of its events: `[B, …]` → `[N, …]`.
    ///
    /// # Errors
    /// [`LayerError::Torch`] when libtorch refuses, for a first dimension other than `B` for example.
    pub fn expand(&self, rows: &Tensor) -> Result<Tensor, LayerError> {
        Ok(rows.f_index_select(0, &self.segments)?)
    }
}

impl Clone for JaggedLayout {
    /// Shares the tensors; nothing is copied.
    fn clone(&self) -> Self {
        Self {
            offsets: self.offsets.shallow_clone(),
            segments: self.segments.shallow_clone(),
            lengths: self.lengths.shallow_clone(),
            rows: self.rows,
            events: self.events,
        }
    }
}

/// The events of a batch, packed one sample after another.
#[derive(Debug)]
pub struct Jagged {
    values: Tensor,
    layout: JaggedLayout,
}

impl Jagged {
    /// Joins values and their layout.
    ///
    /// # Shapes
    /// - `values` `[N, D]`, any float kind
    ///
    /// # Errors
    /// [`LayerError::Shape`] when `values` does not have `N` rows.
    pub fn new(values: Tensor, layout: JaggedLayout) -> Result<Self, LayerError> {
        check_shape("history", &values, &[Some(layout.events()), None], "[N, D]")?;
        Ok(Self { values, layout })
    }

    /// `[N, D]`.
    pub fn values(&self) -> &Tensor {
        &self.values
    }

    /// Lengths and offsets.
    pub fn layout(&self) -> &JaggedLayout {
        &self.layout
    }

    /// `D`, the width of an event.
    pub fn width(&self) -> i64 {
        self.values.size()[1]
    }

    /// The kind of the values.
    pub fn kind(&self) -> Kind {
        self.values.kind()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn layout_names_each_events_sample() {
        let layout = JaggedLayout::new(&[0, 2, 2, 5], Device::Cpu).unwrap();
        assert_eq!((layout.rows(), layout.events()), (3, 5));
        assert_eq!(Vec::<i64>::try_from(layout.segments()).unwrap(), [0, 0, 2, 2, 2]);
        assert_eq!(Vec::<i64>::try_from(layout.lengths()).unwrap(), [2, 0, 3]);
        let expanded = layout.expand(&Tensor::from_slice(&[10.0f32, 20.0, 30.0])).unwrap();
        assert_eq!(Vec::<f32>::try_from(expanded).unwrap(), [10.0, 10.0, 30.0, 30.0, 30.0]);
    }

    #[test]
    fn broken_offsets_are_refused() {
        for (offsets, problem) in [
            (vec![], "there are 0 entries"),
            (vec![0], "there are 1 entries"),
            (vec![1, 2], "entry 0 is 1"),
            (vec![0, 3, 2], "entry 2 is 2 after 3"),
        ] {
            let error = JaggedLayout::new(&offsets, Device::Cpu).unwrap_err().to_string();
            assert!(error.ends_with(problem), "{error}");
        }
    }

    #[test]
    fn values_must_fit_the_layout() {
        let layout = JaggedLayout::new(&[0, 2], Device::Cpu).unwrap();
        let error = Jagged::new(Tensor::zeros([3, 4], (Kind::Float, Device::Cpu)), layout).unwrap_err();
        assert_eq!(error.to_string(), "history has shape [3, 4], but [N, D] = [2, any] is needed");
    }
}

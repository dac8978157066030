//! Sequences of different lengths, one after another, without padding.

use std::sync::Arc;

use fain_autograd::upload;
use tch::{Device, Kind, Tensor};

use crate::error::check_shape;
use crate::{LayerError, Packing, segment};

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
    /// The offsets on the host, so that nothing waits for the device to learn them.
    host: Arc<[u32]>,
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
        Self::nested(offsets, device)
    }

    /// As [`JaggedLayout::new`], but there may be no sample at all: users without sessions make none. The offsets have
    /// at least one entry.
    pub(crate) fn nested(offsets: &[u32], device: Device) -> Result<Self, LayerError> {
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
        let on_device = |places: &[i64]| upload(Tensor::f_from_slice(places)?, device);
        Ok(Self {
            offsets: on_device(&starts)?,
            segments: on_device(&segments)?,
            lengths: on_device(&lengths)?,
            rows: rows as i64,
            events: segments.len() as i64,
            host: offsets.into(),
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

    /// The offsets on the host: `B + 1` numbers.
    pub fn host_offsets(&self) -> &[u32] {
        &self.host
    }

    /// The events in the order of a recurrence.
    ///
    /// # Errors
    /// [`LayerError::Torch`] when the device has no memory left.
    pub fn packing(&self) -> Result<Packing, LayerError> {
        Packing::new(&self.host, self.offsets.device())
    }

    /// Whether each sample has at least as many events as in `other`.
    fn check_prefix(&self, other: &Self) -> Result<(), LayerError> {
        if self.rows != other.rows {
            let problem = format!("{} samples are cut to {}", self.rows, other.rows);
            return Err(LayerError::Offsets { problem });
        }
        let longer =
            self.host.windows(2).zip(other.host.windows(2)).position(|(own, cut)| cut[1] - cut[0] > own[1] - own[0]);
        match longer {
            None => Ok(()),
            Some(row) => {
                Err(LayerError::Offsets { problem: format!("sample {row} has fewer events than are asked for") })
            }
        }
    }

    /// The shortest of several layouts, sample by sample.
    ///
    /// # Errors
    /// [`LayerError::Offsets`] when there is none, or their numbers of samples differ.
    pub fn shortest(layouts: &[&Self]) -> Result<Self, LayerError> {
        let Some(first) = layouts.first() else {
            return Err(LayerError::Offsets { problem: "there is no layout".to_owned() });
        };
        if let Some(other) = layouts.iter().find(|layout| layout.rows != first.rows) {
            let problem = format!("{} samples beside {}", first.rows, other.rows);
            return Err(LayerError::Offsets { problem });
        }
        if layouts.iter().all(|layout| layout.host == first.host) {
            return Ok((*first).clone());
        }
        let mut offsets = Vec::with_capacity(first.host.len());
        let mut end = 0;
        offsets.push(end);
        for row in 0..first.host.len() - 1 {
            let lengths = layouts.iter().map(|layout| layout.host[row + 1] - layout.host[row]);
            end += lengths.min().unwrap_or(0);
            offsets.push(end);
        }
        Self::new(&offsets, first.offsets.device())
    }

    /// Pairs of events that follow each other in a sample: two int64 tensors `[P]`, the earlier and the later ones.
    ///
    /// # Errors
    /// [`LayerError::Torch`] when the device has no memory left.
    pub fn successions(&self) -> Result<(Tensor, Tensor), LayerError> {
        let earlier: Vec<i64> = self
            .host
            .windows(2)
            .flat_map(|pair| i64::from(pair[0])..i64::from(pair[1]).saturating_sub(1).max(i64::from(pair[0])))
            .collect();
        let earlier = upload(Tensor::f_from_slice(&earlier)?, self.offsets.device())?;
        let later = earlier.f_add_scalar(1)?;
        Ok((earlier, later))
    }

    /// True when the two were cloned from one another. Equal lengths made apart are not the same.
    pub fn same_as(&self, other: &Self) -> bool {
        self.offsets.data_ptr() == other.offsets.data_ptr()
    }

    /// Repeats each sample's row for each of its events: `[B, …]` → `[N, …]`.
    ///
    /// # Errors
    /// [`LayerError::Shape`], or [`LayerError::Torch`] where there is no kernel, when the first dimension is not `B`.
    pub fn expand(&self, rows: &Tensor) -> Result<Tensor, LayerError> {
        if segment::applies(&[rows]) {
            check_shape("rows", rows, &[Some(self.rows), None], "[B, D]")?;
            return segment::expand(rows, self);
        }
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
            host: Arc::clone(&self.host),
        }
    }
}

/// The events of a batch, packed one sample after another.
#[derive(Debug)]
pub struct Jagged {
    values: Tensor,
    layout: JaggedLayout,
}

impl Clone for Jagged {
    /// Shares the tensors; nothing is copied.
    fn clone(&self) -> Self {
        Self { values: self.values.shallow_clone(), layout: self.layout.clone() }
    }
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

    /// The first events of each sample: as many as `layout` has.
    ///
    /// # Errors
    /// [`LayerError::Offsets`] when the numbers of samples differ or a sample has fewer events than `layout`.
    pub fn first(&self, layout: &JaggedLayout) -> Result<Self, LayerError> {
        if self.layout.host == layout.host {
            return Self::new(self.values.shallow_clone(), layout.clone());
        }
        self.layout.check_prefix(layout)?;
        let starts = self.layout.host.iter();
        let kept: Vec<i64> = starts
            .zip(layout.host.windows(2))
            .flat_map(|(&start, pair)| i64::from(start)..i64::from(start + pair[1] - pair[0]))
            .collect();
        let kept = upload(Tensor::f_from_slice(&kept)?, self.values.device())?;
        Self::new(self.values.f_index_select(0, &kept)?, layout.clone())
    }

    /// The last event of each sample: `[B, D]`; a sample without events gives zeros, and takes no gradient.
    ///
    /// # Errors
    /// [`LayerError::Torch`] when libtorch refuses.
    pub fn last(&self) -> Result<Tensor, LayerError> {
        if segment::applies(&[&self.values]) {
            return segment::last(&self.values, &self.layout);
        }
        let windows = self.layout.host.windows(2).enumerate().filter(|(_, pair)| pair[1] > pair[0]);
        let (rows, events): (Vec<i64>, Vec<i64>) =
            windows.map(|(row, pair)| (row as i64, i64::from(pair[1]) - 1)).unzip();
        let index = |places: &[i64]| upload(Tensor::f_from_slice(places)?, self.values.device());
        let zeros = Tensor::f_zeros([self.layout.rows, self.width()], (self.kind(), self.values.device()))?;
        Ok(zeros.f_index_add(0, &index(&rows)?, &self.values.f_index_select(0, &index(&events)?)?)?)
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

    fn numbers(tensor: &Tensor) -> Vec<f64> {
        Vec::<f64>::try_from(tensor.to_kind(Kind::Double).reshape([-1])).unwrap()
    }

    #[test]
    fn successions_stay_within_a_sample() {
        let layout = JaggedLayout::new(&[0, 2, 2, 5, 6], Device::Cpu).unwrap();
        let (earlier, later) = layout.successions().unwrap();
        assert_eq!(Vec::<i64>::try_from(earlier).unwrap(), [0, 2, 3]);
        assert_eq!(Vec::<i64>::try_from(later).unwrap(), [1, 3, 4]);
        let empty = JaggedLayout::new(&[0, 0], Device::Cpu).unwrap();
        assert_eq!(empty.successions().unwrap().0.size(), [0]);
    }

    #[test]
    fn the_shortest_history_counts() {
        let long = JaggedLayout::new(&[0, 2, 2, 5], Device::Cpu).unwrap();
        let other = JaggedLayout::new(&[0, 1, 3, 5], Device::Cpu).unwrap();
        let shortest = JaggedLayout::shortest(&[&long, &other]).unwrap();
        assert_eq!(shortest.host_offsets(), [0, 1, 1, 3]);
        assert!(JaggedLayout::shortest(&[&long, &long]).unwrap().same_as(&long));
        let values = Tensor::from_slice(&[1.0, 2.0, 3.0, 4.0, 5.0]).reshape([5, 1]);
        let first = Jagged::new(values, long.clone()).unwrap().first(&shortest).unwrap();
        assert_eq!(numbers(first.values()), [1.0, 3.0, 4.0]);
        let error = first.first(&long).unwrap_err().to_string();
        assert!(error.ends_with("sample 0 has fewer events than are asked for"), "{error}");
        let one = JaggedLayout::new(&[0, 1], Device::Cpu).unwrap();
        assert!(JaggedLayout::shortest(&[&long, &one]).is_err());
        assert!(JaggedLayout::shortest(&[]).is_err());
    }

    #[test]
    fn the_last_event_of_no_events_is_zero() {
        let layout = JaggedLayout::new(&[0, 2, 2, 5], Device::Cpu).unwrap();
        let values = Tensor::from_slice(&[1.0, 2.0, 3.0, 4.0, 5.0]).reshape([5, 1]).set_requires_grad(true);
        let last = Jagged::new(values.shallow_clone(), layout).unwrap().last().unwrap();
        assert_eq!(numbers(&last), [2.0, 0.0, 5.0]);
        last.sum(Kind::Double).backward();
        assert_eq!(numbers(&values.grad()), [0.0, 1.0, 0.0, 0.0, 1.0]);
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

    #[test]
    fn the_last_events_take_the_gradient() {
        let layout = JaggedLayout::new(&[0, 2, 2, 3], Device::Cpu).unwrap();
        for kind in [Kind::Float, Kind::Double, Kind::BFloat16] {
            // The last kind has no kernel.
            let values = Tensor::from_slice(&[1.0f32, 2.0, 3.0]).unsqueeze(1).to_kind(kind).set_requires_grad(true);
            let last = Jagged::new(values.shallow_clone(), layout.clone()).unwrap().last().unwrap();
            assert_eq!(last, Tensor::from_slice(&[2.0f32, 0.0, 3.0]).unsqueeze(1).to_kind(kind));
            let factors = Tensor::from_slice(&[5.0f32, 6.0, 7.0]).unsqueeze(1).to_kind(kind);
            (last * factors).sum(kind).backward();
            assert_eq!(values.grad(), Tensor::from_slice(&[0.0f32, 5.0, 7.0]).unsqueeze(1).to_kind(kind));
        }
        let none = JaggedLayout::new(&[0, 0], Device::Cpu).unwrap();
        let values = Tensor::zeros([0, 2], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let last = Jagged::new(values.shallow_clone(), none).unwrap().last().unwrap();
        assert_eq!(last, Tensor::zeros([1, 2], (Kind::Float, Device::Cpu)));
        last.sum(Kind::Float).backward();
        assert_eq!(values.grad().size(), [0, 2]);
    }
}

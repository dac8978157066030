//! Events in the order in which a recurrence takes them.

use fain_autograd::upload;
use tch::{Device, Tensor};

use crate::LayerError;

/// The events of a jagged tensor by time step: all first events, then all second ones, and so on.
///
/// Samples are ordered by falling length, so that the samples that still have events at a step are the first ones of
/// the step before. It is what PyTorch calls a packed sequence; samples without events are not in it.
#[derive(Debug)]
pub struct Packing {
    events: Tensor,
    places: Tensor,
    samples: Tensor,
    batch_sizes: Vec<i64>,
}

impl Packing {
    /// `offsets` are checked by the layout they belong to.
    pub(crate) fn new(offsets: &[u32], device: Device) -> Result<Self, LayerError> {
        let mut samples: Vec<usize> = (0..offsets.len() - 1).filter(|&row| offsets[row + 1] > offsets[row]).collect();
        let length = |row: usize| (offsets[row + 1] - offsets[row]) as usize;
        // Stable, so that equal lengths keep the order of the batch.
        samples.sort_by_key(|&row| std::cmp::Reverse(length(row)));
        let longest = samples.first().map_or(0, |&row| length(row));
        let count = offsets[offsets.len() - 1] as usize;
        let (mut events, mut places) = (Vec::with_capacity(count), vec![0i64; count]);
        let mut batch_sizes = Vec::with_capacity(longest);
        let mut active = samples.len();
        for step in 0..longest {
            while length(samples[active - 1]) <= step {
                active -= 1;
            }
            batch_sizes.push(active as i64);
            for &row in &samples[..active] {
                let event = offsets[row] as usize + step;
                places[event] = events.len() as i64;
                events.push(event as i64);
            }
        }
        let samples: Vec<i64> = samples.into_iter().map(|row| row as i64).collect();
        let tensor = |values: &[i64]| upload(Tensor::f_from_slice(values)?, device);
        Ok(Self { events: tensor(&events)?, places: tensor(&places)?, samples: tensor(&samples)?, batch_sizes })
    }

    /// How many samples have an event at each time step; `T` numbers that never rise.
    pub fn batch_sizes(&self) -> &[i64] {
        &self.batch_sizes
    }

    /// `[S]`, int64: the samples that have events, longest first. Those of step `t` are the first `batch_sizes[t]`.
    pub fn samples(&self) -> &Tensor {
        &self.samples
    }

    /// Orders rows by time step: `[N, …]` → `[N, …]`.
    ///
    /// # Errors
    /// [`LayerError::Torch`] when libtorch refuses, for a first dimension other than `N` for example.
    pub fn pack(&self, events: &Tensor) -> Result<Tensor, LayerError> {
        Ok(events.f_index_select(0, &self.events)?)
    }

    /// Puts rows in the order of the samples again: undoes [`Packing::pack`].
    ///
    /// # Errors
    /// As [`Packing::pack`].
    pub fn unpack(&self, packed: &Tensor) -> Result<Tensor, LayerError> {
        Ok(packed.f_index_select(0, &self.places)?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn numbers(tensor: &Tensor) -> Vec<i64> {
        Vec::<i64>::try_from(tensor).unwrap()
    }

    #[test]
    fn steps_take_the_longest_samples_first() {
        // Lengths 2, 0, 3, 2.
        let packing = Packing::new(&[0, 2, 2, 5, 7], Device::Cpu).unwrap();
        assert_eq!(packing.batch_sizes(), [3, 3, 1]);
        assert_eq!(numbers(packing.samples()), [2, 0, 3]);
        let events = Tensor::from_slice(&[10i64, 11, 20, 21, 22, 30, 31]);
        let packed = packing.pack(&events).unwrap();
        assert_eq!(numbers(&packed), [20, 10, 30, 21, 11, 31, 22]);
        assert_eq!(numbers(&packing.unpack(&packed).unwrap()), numbers(&events));
    }

    #[test]
    fn nothing_is_packed_without_events() {
        let packing = Packing::new(&[0, 0, 0], Device::Cpu).unwrap();
        assert!(packing.batch_sizes().is_empty());
        assert_eq!(packing.samples().size(), [0]);
    }
}

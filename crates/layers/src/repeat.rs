//! The same histories several times over.

use crate::{Jagged, JaggedLayout, LayerError};

impl JaggedLayout {
    /// The batch `times` times, one after another: `B·times` samples.
    ///
    /// # Errors
    /// [`LayerError::Offsets`] when `times` is not positive, or there are more events than 32 bits count.
    pub fn repeat(&self, times: i64) -> Result<Self, LayerError> {
        let (events, count) = (self.events(), usize::try_from(times).unwrap_or(0));
        if events.checked_mul(times).is_none_or(|events| u32::try_from(events).is_err()) {
            return Err(LayerError::Offsets { problem: format!("{events} events are repeated {times} times") });
        }
        let mut offsets = vec![0];
        for copy in 0..count as u32 {
            offsets.extend(self.host_offsets()[1..].iter().map(|&offset| copy * events as u32 + offset));
        }
        Self::new(&offsets, self.offsets().device())
    }
}

impl Jagged {
    /// The batch `times` times, one after another: jagged `[N·times, D]` of `B·times` samples.
    ///
    /// # Errors
    /// As [`JaggedLayout::repeat`].
    pub fn repeat(&self, times: i64) -> Result<Self, LayerError> {
        let layout = self.layout().repeat(times)?;
        self.repeat_to(layout)
    }

    /// As [`Jagged::repeat`], by a layout that was made before.
    fn repeat_to(&self, layout: JaggedLayout) -> Result<Self, LayerError> {
        let times = layout.rows() / self.layout().rows().max(1);
        Self::new(self.values().f_repeat([times, 1])?, layout)
    }
}

/// Several jagged tensors as [`Jagged::repeat`]; those of one layout still share one.
pub(crate) fn repeat_all(parts: &[Jagged], times: i64) -> Result<Vec<Jagged>, LayerError> {
    let mut repeated: Vec<Jagged> = Vec::with_capacity(parts.len());
    for part in parts {
        let known = parts.iter().zip(&repeated).find(|(other, _)| other.layout().same_as(part.layout()));
        let layout = match known {
            Some((_, repeated)) => repeated.layout().clone(),
            None => part.layout().repeat(times)?,
        };
        repeated.push(part.repeat_to(layout)?);
    }
    Ok(repeated)
}

/// Numbers of a batch's events, `times` times.
pub(crate) fn repeat_events(events: &[i64], times: i64) -> Vec<i64> {
    events.repeat(usize::try_from(times).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use tch::{Device, Tensor};

    use super::*;

    #[test]
    fn a_batch_is_repeated_whole() {
        let layout = JaggedLayout::new(&[0, 2, 2, 3], Device::Cpu).unwrap();
        let values = Tensor::from_slice(&[1.0f32, 2.0, 3.0]).reshape([3, 1]);
        let history = Jagged::new(values, layout.clone()).unwrap();
        let twice = history.repeat(2).unwrap();
        assert_eq!(twice.layout().host_offsets(), [0, 2, 2, 3, 5, 5, 6]);
        assert_eq!(Vec::<f32>::try_from(twice.values().reshape([-1])).unwrap(), [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]);
        let both = repeat_all(&[history.clone(), history], 3).unwrap();
        assert!(both[0].layout().same_as(both[1].layout()));
        assert_eq!(both[1].layout().rows(), 9);
        assert_eq!(repeat_events(&[7, 8], 2), [7, 8, 7, 8]);
    }

    #[test]
    fn histories_without_events_are_repeated_too() {
        let layout = JaggedLayout::new(&[0, 0], Device::Cpu).unwrap();
        assert_eq!(layout.repeat(4).unwrap().host_offsets(), [0, 0, 0, 0, 0]);
    }

    #[test]
    fn too_many_copies_and_none_are_refused() {
        let layout = JaggedLayout::new(&[0, 2], Device::Cpu).unwrap();
        for times in [i64::MAX, i64::from(u32::MAX), 0, -1] {
            assert!(matches!(layout.repeat(times), Err(LayerError::Offsets { .. })), "{times}");
        }
    }
}

//! What a layer has read of a history before it knows a candidate.

use tch::Tensor;

use crate::error::check_shape;
use crate::repeat::{repeat_all, repeat_events};
use crate::{Jagged, LayerError};

/// What an [`InterestLayer`](crate::InterestLayer) has read of one user's history, whatever the candidate will be.
///
/// What the parts are is the layer's affair: the events as they are, the states of a recurrence, a user's sessions.
#[derive(Debug)]
pub struct HistoryState {
    parts: Vec<Jagged>,
    times: Option<Vec<i64>>,
}

impl HistoryState {
    /// Takes the parts: jagged `[·, W]` each.
    ///
    /// # Errors
    /// [`LayerError::Offsets`] when a part is not of one sample.
    pub fn new(parts: Vec<Jagged>) -> Result<Self, LayerError> {
        match parts.iter().find(|part| part.layout().rows() != 1) {
            None => Ok(Self { parts, times: None }),
            Some(part) => {
                let problem = format!("{} samples; the state of a history is of one", part.layout().rows());
                Err(LayerError::Offsets { problem })
            }
        }
    }

    /// Keeps the times of the events as well, in seconds.
    #[must_use]
    pub fn with_times(self, times: Option<&[i64]>) -> Self {
        Self { times: times.map(<[i64]>::to_vec), ..self }
    }

    /// The parts, as they were given.
    pub fn parts(&self) -> &[Jagged] {
        &self.parts
    }

    /// The parts before `candidates` `[K, D]`: each once for every candidate, `K` samples. There is at least one.
    ///
    /// # Errors
    /// [`LayerError::Shape`] when `candidates` has no rows and columns; [`LayerError::Offsets`] when it has none.
    pub fn repeat(&self, candidates: &Tensor) -> Result<Vec<Jagged>, LayerError> {
        check_shape("candidates", candidates, &[None, None], "[K, D]")?;
        repeat_all(&self.parts, candidates.size()[0])
    }

    /// The times, once for every candidate.
    pub(crate) fn repeat_times(&self, candidates: &Tensor) -> Option<Vec<i64>> {
        self.times.as_ref().map(|times| repeat_events(times, candidates.size()[0]))
    }

    /// The part with this number.
    ///
    /// # Errors
    /// [`LayerError::Offsets`] when there is none, because another layer has read the history.
    pub fn part(&self, index: usize) -> Result<&Jagged, LayerError> {
        self.parts.get(index).ok_or_else(|| LayerError::Offsets {
            problem: format!("a state of {} parts; another layer has read the history", self.parts.len()),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use tch::{Device, Kind};

    use super::*;
    use crate::JaggedLayout;

    fn events(offsets: &[u32]) -> Jagged {
        let layout = JaggedLayout::new(offsets, Device::Cpu).unwrap();
        Jagged::new(Tensor::ones([layout.events(), 2], (Kind::Float, Device::Cpu)), layout).unwrap()
    }

    #[test]
    fn a_state_is_of_one_history() {
        let error = HistoryState::new(vec![events(&[0, 3]), events(&[0, 1, 2])]).unwrap_err().to_string();
        assert!(error.ends_with("2 samples; the state of a history is of one"), "{error}");
        let state = HistoryState::new(vec![events(&[0, 3])]).unwrap();
        assert_eq!(state.part(0).unwrap().layout().events(), 3);
        assert!(state.part(1).unwrap_err().to_string().contains("another layer"));
    }

    #[test]
    fn it_is_laid_before_each_candidate() {
        let state = HistoryState::new(vec![events(&[0, 2])]).unwrap().with_times(Some(&[5, 6]));
        let candidates = Tensor::zeros([3, 4], (Kind::Float, Device::Cpu));
        assert_eq!(state.repeat(&candidates).unwrap()[0].layout().host_offsets(), [0, 2, 4, 6]);
        assert_eq!(state.repeat_times(&candidates).unwrap(), [5, 6, 5, 6, 5, 6]);
        assert!(state.repeat(&candidates.reshape([-1])).is_err());
        assert!(state.repeat(&candidates.narrow(0, 0, 0)).is_err());
    }
}

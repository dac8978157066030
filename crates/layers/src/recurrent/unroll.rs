//! A loop over the time steps of a batch.

use fain_autograd::take_back_threads;
use tch::{Kind, Tensor};

use crate::{Jagged, JaggedLayout, LayerError, Packing};

/// The time steps of a batch that has events.
pub(super) struct Steps(Packing);

impl Steps {
    /// Many operations follow, on all rows.
    pub(super) fn new(layout: &JaggedLayout) -> Result<Self, LayerError> {
        take_back_threads();
        Ok(Self(layout.packing()?))
    }

    /// Rows `[N, W]` by time step: `[M, W]` for each, where `M` samples have an event.
    pub(super) fn split(&self, rows: &Tensor) -> Result<Vec<Tensor>, LayerError> {
        self.split_packed(&self.pack(rows)?)
    }

    /// Rows in the order of the time steps.
    pub(super) fn pack(&self, rows: &Tensor) -> Result<Tensor, LayerError> {
        self.0.pack(rows)
    }

    /// One operation for all steps: its gradient is one concatenation, where slicing step by step would fill a tensor
    /// of all rows for each of them.
    pub(super) fn split_packed(&self, packed: &Tensor) -> Result<Vec<Tensor>, LayerError> {
        Ok(packed.f_split_with_sizes(self.0.batch_sizes(), 0)?)
    }

    /// The states `[M, H]` before the first step, from those of the batch or zeros.
    pub(super) fn initial(&self, initial: Option<&Tensor>, inputs: &Jagged, hidden: i64) -> Result<Tensor, LayerError> {
        let samples = self.0.samples();
        match initial {
            Some(initial) => Ok(initial.f_index_select(0, samples)?),
            None => Ok(Tensor::f_zeros([samples.size()[0], hidden], (inputs.kind(), samples.device()))?),
        }
    }

    /// Runs `step` on the index of each time step and the states before it, `[M, H]`; returns all states `[N, H]`.
    pub(super) fn run(
        &self,
        initial: &Tensor,
        step: impl Fn(usize, &Tensor) -> Result<Tensor, LayerError>,
    ) -> Result<Tensor, LayerError> {
        let mut states: Vec<Tensor> = Vec::with_capacity(self.0.batch_sizes().len());
        let mut active = initial.size()[0];
        for (index, &size) in self.0.batch_sizes().iter().enumerate() {
            let before = states.last().unwrap_or(initial);
            let next = if size < active { step(index, &before.f_narrow(0, 0, size)?)? } else { step(index, before)? };
            states.push(next);
            active = size;
        }
        self.0.unpack(&Tensor::f_cat(&states, 0)?)
    }
}

/// The states of a batch without events: `[0, H]`, with zero gradients for `operands`.
pub(super) fn empty_states(inputs: &Jagged, hidden: i64, operands: &[&Tensor]) -> Result<Jagged, LayerError> {
    let mut states = Tensor::f_zeros([0, hidden], (inputs.kind(), inputs.values().device()))?;
    for operand in operands {
        // The sum of no rows: a zero, whatever the tensor holds, that a backward pass goes through.
        let nothing = operand.f_narrow(0, 0, 0)?.f_sum(None::<Kind>)?;
        states = states.f_add(&nothing)?;
    }
    Jagged::new(states, inputs.layout().clone())
}

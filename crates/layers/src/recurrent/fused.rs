//! The gated recurrences as one differentiable function on the CPU, by the kernels of `fain-kernels`.

use fain_autograd::{Buffer, Context, Element, Function, apply, slice};
use fain_kernels::{
    AugruGate, Cell, Gradients, Real, Sequences, StateGradient, Weights, recurrence_backward, recurrence_forward,
};
use tch::{Device, Kind, Tensor};

use super::operands::Operands;
use super::update::Update;
use crate::segment;
use crate::threads::Threads;
use crate::{Jagged, JaggedLayout, LayerError};

/// Whether there are kernels for these operands.
pub(super) fn applies(operands: Operands<&Tensor>) -> bool {
    let fits = |kind: Kind| {
        let same = |operand: &&Tensor| operand.device() == Device::Cpu && operand.f_kind().is_ok_and(|of| of == kind);
        operands.into_list().iter().all(same)
    };
    fits(Kind::Float) || fits(Kind::Double)
}

/// The states after each event, jagged `[N, H]`.
pub(super) fn forward(
    operands: Operands<&Tensor>,
    update: &Update<&Tensor>,
    layout: &JaggedLayout,
) -> Result<Jagged, LayerError> {
    Jagged::new(run(operands, update, layout, Outcome::States)?, layout.clone())
}

/// Each sample's last state `[B, H]`; zeros where a sample has no events.
pub(super) fn last(
    operands: Operands<&Tensor>,
    update: &Update<&Tensor>,
    layout: &JaggedLayout,
) -> Result<Tensor, LayerError> {
    run(operands, update, layout, Outcome::Last)
}

fn run(
    operands: Operands<&Tensor>,
    update: &Update<&Tensor>,
    layout: &JaggedLayout,
    outcome: Outcome,
) -> Result<Tensor, LayerError> {
    let mut count = 0;
    let places = operands.map(|_| {
        count += 1;
        count - 1
    });
    let operands = operands.try_map(Tensor::f_contiguous)?.into_list();
    let recurrence = Recurrence { cell: update.cell(), layout: layout.clone(), outcome, places, needed: Vec::new() };
    let mut outputs = apply(recurrence, &operands.iter().collect::<Vec<&Tensor>>())?;
    // There is one, as the forward pass below returns one.
    Ok(outputs.swap_remove(0))
}

impl<S> Update<S> {
    pub(super) fn cell(&self) -> Cell {
        match self {
            Self::Gru => Cell::Gru,
            Self::Agru(_) => Cell::Agru,
            Self::Augru(_) => Cell::Augru(AugruGate::Paper),
            Self::AugruOfficial(_) => Cell::Augru(AugruGate::Official),
        }
    }
}

/// Which states come out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// All, `[N, H]`.
    States,
    /// Each sample's last one, `[B, H]`. The others then have no gradient that would have to be filled with zeros and
    /// read.
    Last,
}

/// The differentiable function.
struct Recurrence {
    cell: Cell,
    layout: JaggedLayout,
    outcome: Outcome,
    /// Where each operand stands in the list that libtorch hands over.
    places: Operands<usize>,
    /// Which operands a gradient flows back to, known after the forward pass.
    needed: Vec<bool>,
}

impl Function for Recurrence {
    type Error = LayerError;

    fn forward(&mut self, context: &mut Context<'_>, inputs: &[Tensor]) -> Result<Vec<Tensor>, LayerError> {
        self.needed = (0..inputs.len()).map(|index| context.needs_gradient(index)).collect();
        let (states, gates) = match inputs[self.places.inputs].kind() {
            Kind::Float => self.states::<f32>(inputs)?,
            _ => self.states::<f64>(inputs)?,
        };
        if let Some(gates) = &gates {
            context.save_for_backward(&inputs.iter().chain([&states, gates]).collect::<Vec<&Tensor>>());
        }
        Ok(vec![match self.outcome {
            Outcome::States => states,
            Outcome::Last => segment::last_rows(&states, &self.layout)?,
        }])
    }

    fn backward(&mut self, saved: &[Tensor], gradients: &[Option<Tensor>]) -> Result<Vec<Option<Tensor>>, LayerError> {
        let ([operands @ .., states, gates], [Some(gradient)]) = (saved, gradients) else {
            return Ok(self.needed.iter().map(|_| None).collect());
        };
        let after = After { states, gates, gradient: &gradient.f_contiguous()? };
        match states.kind() {
            Kind::Float => self.gradients::<f32>(operands, &after),
            _ => self.gradients::<f64>(operands, &after),
        }
    }
}

/// What there is after the forward pass.
struct After<'a> {
    /// `[N, H]`
    states: &'a Tensor,
    /// What the kernels have saved, a row for each event.
    gates: &'a Tensor,
    /// Of what came out.
    gradient: &'a Tensor,
}

impl Recurrence {
    /// The states `[N, H]`, and what the backward pass needs of the gates if there will be one.
    fn states<T: Element + Real>(&self, operands: &[Tensor]) -> Result<(Tensor, Option<Tensor>), LayerError> {
        let (width, hidden) = self.widths(operands);
        let numbers = self.places.try_map(|place| slice::<T>(&operands[place]))?;
        let rows = |width: usize| Buffer::<T>::unspecified(&[self.layout.events(), width as i64]);
        let mut states = rows(hidden)?;
        let trained = self.needed.contains(&true);
        let mut gates = trained.then(|| rows(self.cell.saved_width(hidden))).transpose()?;
        recurrence_forward(
            self.cell,
            width,
            hidden,
            &self.sequences(&numbers),
            &weights(&numbers),
            states.as_mut_slice(),
            gates.as_mut().map(Buffer::as_mut_slice),
            &Threads,
        )?;
        Ok((states.into_tensor(), gates.map(Buffer::into_tensor)))
    }

    /// The gradients of the operands that need one.
    fn gradients<T: Element + Real>(
        &self,
        operands: &[Tensor],
        after: &After<'_>,
    ) -> Result<Vec<Option<Tensor>>, LayerError> {
        let (width, hidden) = self.widths(operands);
        let numbers = self.places.try_map(|place| slice::<T>(&operands[place]))?;
        let mut gradients = self.places.try_map(|place| {
            let needed = self.needed[place];
            needed.then(|| Buffer::<T>::unspecified(&operands[place].size())).transpose()
        })?;
        recurrence_backward(
            self.cell,
            width,
            hidden,
            &self.sequences(&numbers),
            &weights(&numbers),
            slice(after.states)?,
            slice(after.gates)?,
            match self.outcome {
                Outcome::States => StateGradient::Events(slice(after.gradient)?),
                Outcome::Last => StateGradient::Last(slice(after.gradient)?),
            },
            &mut places_of(&mut gradients),
            &Threads,
        )?;
        Ok(gradients.into_list().into_iter().map(|gradient| gradient.map(Buffer::into_tensor)).collect())
    }

    /// `D` and `H`.
    fn widths(&self, operands: &[Tensor]) -> (usize, usize) {
        let columns = |place: usize| operands[place].size()[1] as usize;
        (columns(self.places.input_weight), columns(self.places.state_weight))
    }

    fn sequences<'a, T>(&'a self, numbers: &Operands<&'a [T]>) -> Sequences<'a, T> {
        Sequences {
            offsets: self.layout.host_offsets(),
            inputs: numbers.inputs,
            scores: numbers.scores,
            initial: numbers.initial,
        }
    }
}

fn weights<'a, T>(numbers: &Operands<&'a [T]>) -> Weights<'a, T> {
    Weights {
        input: numbers.input_weight,
        hidden: numbers.state_weight,
        input_bias: numbers.input_bias,
        hidden_bias: numbers.state_bias,
    }
}

/// Where the kernels put the gradients.
fn places_of<T: Element>(gradients: &mut Operands<Option<Buffer<T>>>) -> Gradients<'_, T> {
    fn of<T: Element>(gradient: &mut Option<Buffer<T>>) -> Option<&mut [T]> {
        gradient.as_mut().map(Buffer::as_mut_slice)
    }
    Gradients {
        inputs: of(&mut gradients.inputs),
        scores: gradients.scores.as_mut().and_then(of),
        initial: gradients.initial.as_mut().and_then(of),
        input_weight: of(&mut gradients.input_weight),
        hidden_weight: of(&mut gradients.state_weight),
        input_bias: gradients.input_bias.as_mut().and_then(of),
        hidden_bias: gradients.state_bias.as_mut().and_then(of),
    }
}

//! Segment operations as differentiable functions on the CPU, by the kernels of `fain-kernels`.

use std::ops::Range;

use fain_autograd::{Buffer, Context, Element, Function, apply, slice};
use fain_kernels::{
    Real, WeightedEvents, segment_expand, segment_products, segment_softmax_backward, segment_softmax_forward,
    segment_sums,
};
use tch::{Device, Kind, Tensor};

use crate::threads::Threads;
use crate::{JaggedLayout, LayerError};

/// Whether there are kernels for these operands: matrices of one kind on the CPU, with columns.
pub(crate) fn applies(operands: &[&Tensor]) -> bool {
    let fits = |kind: Kind| {
        operands.iter().all(|of| {
            of.device() == Device::Cpu
                && of.f_kind().is_ok_and(|of| of == kind)
                && matches!(of.size()[..], [_, columns] if columns > 0)
        })
    };
    fits(Kind::Float) || fits(Kind::Double)
}

/// Runs a function that has one output; its operands are checked.
fn run<K: Kernel>(kernel: K, layout: &JaggedLayout, inputs: &[&Tensor]) -> Result<Tensor, LayerError> {
    let inputs = inputs.iter().map(|input| input.f_contiguous()).collect::<Result<Vec<Tensor>, _>>()?;
    let function = Segments { layout: layout.clone(), kernel, needed: Vec::new() };
    let mut outputs = apply(function, &inputs.iter().collect::<Vec<&Tensor>>())?;
    // There is one, as the forward pass below returns one.
    Ok(outputs.swap_remove(0))
}

/// `[N, D]` and maybe `[N, 1]` → `[B, D]`: each sample's sum of events, each times its weight.
pub(super) fn sums(events: &Tensor, weights: Option<&Tensor>, layout: &JaggedLayout) -> Result<Tensor, LayerError> {
    let inputs: Vec<&Tensor> = std::iter::once(events).chain(weights).collect();
    run(Sums, layout, &inputs)
}

/// `[B, D]` → `[N, D]`: each sample's row for each of its events.
pub(crate) fn expand(rows: &Tensor, layout: &JaggedLayout) -> Result<Tensor, LayerError> {
    run(Expand, layout, &[rows])
}

/// `[B, D]` and `[N, D]` → `[N, 1]`: the inner product of each event with its sample's row.
pub(crate) fn products(rows: &Tensor, events: &Tensor, layout: &JaggedLayout) -> Result<Tensor, LayerError> {
    run(Products, layout, &[rows, events])
}

/// `[N, 1]` → `[N, 1]`, summing to 1 over each sample's events.
pub(super) fn softmax(logits: &Tensor, layout: &JaggedLayout) -> Result<Tensor, LayerError> {
    run(Softmax, layout, &[logits])
}

/// `[N, D]` → `[B, D]`: each sample's last event; zeros where a sample has none.
pub(crate) fn last(events: &Tensor, layout: &JaggedLayout) -> Result<Tensor, LayerError> {
    run(Last, layout, &[events])
}

/// As [`last`], without a gradient; the events are contiguous, and `f32` or `f64`.
pub(crate) fn last_rows(events: &Tensor, layout: &JaggedLayout) -> Result<Tensor, LayerError> {
    match events.kind() {
        Kind::Float => last_rows_of::<f32>(events, layout.host_offsets()),
        _ => last_rows_of::<f64>(events, layout.host_offsets()),
    }
}

fn last_rows_of<T: Element>(events: &Tensor, offsets: &[u32]) -> Result<Tensor, LayerError> {
    let mut output = Buffer::<T>::new(&[offsets.len() as i64 - 1, events.size()[1]])?;
    let (rows, numbers) = (output.as_mut_slice(), slice::<T>(events)?);
    Last::each(width(events), offsets, |row, event| rows[row].copy_from_slice(&numbers[event]));
    Ok(output.into_tensor())
}

/// What is computed, and its gradients.
trait Kernel: Copy + Send + 'static {
    fn output<T: Element + Real>(self, inputs: &[Tensor], offsets: &[u32]) -> Result<Tensor, LayerError>;

    /// What backward reads, of the inputs and the output.
    fn saved(inputs: &[Tensor], output: &Tensor) -> Vec<Tensor>;

    /// The gradients of the inputs that need one.
    fn gradients<T: Element + Real>(
        self,
        saved: &[Tensor],
        gradient: &Tensor,
        offsets: &[u32],
        needed: &[bool],
    ) -> Result<Vec<Option<Tensor>>, LayerError>;
}

/// The differentiable function of a kernel.
struct Segments<K> {
    layout: JaggedLayout,
    kernel: K,
    /// Which inputs a gradient flows back to, known after the forward pass.
    needed: Vec<bool>,
}

impl<K: Kernel> Function for Segments<K> {
    type Error = LayerError;

    fn forward(&mut self, context: &mut Context<'_>, inputs: &[Tensor]) -> Result<Vec<Tensor>, LayerError> {
        self.needed = (0..inputs.len()).map(|index| context.needs_gradient(index)).collect();
        let offsets = self.layout.host_offsets();
        let output = match inputs[0].kind() {
            Kind::Float => self.kernel.output::<f32>(inputs, offsets)?,
            _ => self.kernel.output::<f64>(inputs, offsets)?,
        };
        context.save_for_backward(&K::saved(inputs, &output).iter().collect::<Vec<&Tensor>>());
        Ok(vec![output])
    }

    fn backward(&mut self, saved: &[Tensor], gradients: &[Option<Tensor>]) -> Result<Vec<Option<Tensor>>, LayerError> {
        let [Some(gradient)] = gradients else {
            return Ok(self.needed.iter().map(|_| None).collect());
        };
        let (gradient, offsets) = (gradient.f_contiguous()?, self.layout.host_offsets());
        match gradient.kind() {
            Kind::Float => self.kernel.gradients::<f32>(saved, &gradient, offsets, &self.needed),
            _ => self.kernel.gradients::<f64>(saved, &gradient, offsets, &self.needed),
        }
    }
}

/// The columns of a matrix.
fn width(matrix: &Tensor) -> usize {
    matrix.size()[1] as usize
}

/// `[B, D]`.
fn sums_of<T: Element + Real>(
    events: &Tensor,
    weights: Option<&Tensor>,
    offsets: &[u32],
) -> Result<Tensor, LayerError> {
    let mut output = Buffer::<T>::unspecified(&[offsets.len() as i64 - 1, events.size()[1]])?;
    let weights = weights.map(slice::<T>).transpose()?;
    let of = WeightedEvents { width: width(events), offsets, weights };
    segment_sums(&of, slice(events)?, output.as_mut_slice(), &Threads)?;
    Ok(output.into_tensor())
}

/// `[N, D]`.
fn expanded<T: Element + Real>(rows: &Tensor, weights: Option<&Tensor>, offsets: &[u32]) -> Result<Tensor, LayerError> {
    let events = offsets.last().map_or(0, |&events| i64::from(events));
    let mut output = Buffer::<T>::unspecified(&[events, rows.size()[1]])?;
    let weights = weights.map(slice::<T>).transpose()?;
    let of = WeightedEvents { width: width(rows), offsets, weights };
    segment_expand(&of, slice(rows)?, output.as_mut_slice(), &Threads)?;
    Ok(output.into_tensor())
}

/// `[N, 1]`.
fn products_of<T: Element + Real>(rows: &Tensor, events: &Tensor, offsets: &[u32]) -> Result<Tensor, LayerError> {
    let mut output = Buffer::<T>::unspecified(&[events.size()[0], 1])?;
    segment_products(width(rows), offsets, slice(rows)?, slice(events)?, output.as_mut_slice(), &Threads)?;
    Ok(output.into_tensor())
}

/// Of events and maybe weights.
#[derive(Clone, Copy)]
struct Sums;

impl Kernel for Sums {
    fn output<T: Element + Real>(self, inputs: &[Tensor], offsets: &[u32]) -> Result<Tensor, LayerError> {
        sums_of::<T>(&inputs[0], inputs.get(1), offsets)
    }

    fn saved(inputs: &[Tensor], _output: &Tensor) -> Vec<Tensor> {
        // A sum without weights needs nothing for its gradient.
        if inputs.len() == 2 { inputs.iter().map(Tensor::shallow_clone).collect() } else { Vec::new() }
    }

    fn gradients<T: Element + Real>(
        self,
        saved: &[Tensor],
        gradient: &Tensor,
        offsets: &[u32],
        needed: &[bool],
    ) -> Result<Vec<Option<Tensor>>, LayerError> {
        let mut gradients = vec![needed[0].then(|| expanded::<T>(gradient, saved.get(1), offsets)).transpose()?];
        if let [_, by_weights] = *needed {
            gradients.push(by_weights.then(|| products_of::<T>(gradient, &saved[0], offsets)).transpose()?);
        }
        Ok(gradients)
    }
}

/// Of rows.
#[derive(Clone, Copy)]
struct Expand;

impl Kernel for Expand {
    fn output<T: Element + Real>(self, inputs: &[Tensor], offsets: &[u32]) -> Result<Tensor, LayerError> {
        expanded::<T>(&inputs[0], None, offsets)
    }

    fn saved(_inputs: &[Tensor], _output: &Tensor) -> Vec<Tensor> {
        Vec::new()
    }

    fn gradients<T: Element + Real>(
        self,
        _saved: &[Tensor],
        gradient: &Tensor,
        offsets: &[u32],
        needed: &[bool],
    ) -> Result<Vec<Option<Tensor>>, LayerError> {
        Ok(vec![needed[0].then(|| sums_of::<T>(gradient, None, offsets)).transpose()?])
    }
}

/// Of rows and events.
#[derive(Clone, Copy)]
struct Products;

impl Kernel for Products {
    fn output<T: Element + Real>(self, inputs: &[Tensor], offsets: &[u32]) -> Result<Tensor, LayerError> {
        products_of::<T>(&inputs[0], &inputs[1], offsets)
    }

    fn saved(inputs: &[Tensor], _output: &Tensor) -> Vec<Tensor> {
        inputs.iter().map(Tensor::shallow_clone).collect()
    }

    fn gradients<T: Element + Real>(
        self,
        saved: &[Tensor],
        gradient: &Tensor,
        offsets: &[u32],
        needed: &[bool],
    ) -> Result<Vec<Option<Tensor>>, LayerError> {
        Ok(vec![
            needed[0].then(|| sums_of::<T>(&saved[1], Some(gradient), offsets)).transpose()?,
            needed[1].then(|| expanded::<T>(&saved[0], Some(gradient), offsets)).transpose()?,
        ])
    }
}

/// Of events. There is one row to copy for each sample: that needs no kernel.
#[derive(Clone, Copy)]
struct Last;

impl Last {
    /// Calls `copy` with the numbers of each sample and those of its last event.
    fn each(width: usize, offsets: &[u32], mut copy: impl FnMut(Range<usize>, Range<usize>)) {
        for (sample, pair) in offsets.windows(2).enumerate() {
            if pair[1] > pair[0] {
                let event = pair[1] as usize - 1;
                copy(sample * width..(sample + 1) * width, event * width..(event + 1) * width);
            }
        }
    }
}

impl Kernel for Last {
    fn output<T: Element + Real>(self, inputs: &[Tensor], offsets: &[u32]) -> Result<Tensor, LayerError> {
        last_rows_of::<T>(&inputs[0], offsets)
    }

    fn saved(_inputs: &[Tensor], _output: &Tensor) -> Vec<Tensor> {
        Vec::new()
    }

    fn gradients<T: Element + Real>(
        self,
        _saved: &[Tensor],
        gradient: &Tensor,
        offsets: &[u32],
        _needed: &[bool],
    ) -> Result<Vec<Option<Tensor>>, LayerError> {
        let events = offsets.last().map_or(0, |&events| i64::from(events));
        let mut output = Buffer::<T>::new(&[events, gradient.size()[1]])?;
        let (events, rows) = (output.as_mut_slice(), slice::<T>(gradient)?);
        Self::each(width(gradient), offsets, |row, event| events[event].copy_from_slice(&rows[row]));
        Ok(vec![Some(output.into_tensor())])
    }
}

/// Of logits.
#[derive(Clone, Copy)]
struct Softmax;

impl Kernel for Softmax {
    fn output<T: Element + Real>(self, inputs: &[Tensor], offsets: &[u32]) -> Result<Tensor, LayerError> {
        let mut output = Buffer::<T>::unspecified(&inputs[0].size())?;
        segment_softmax_forward(offsets, slice(&inputs[0])?, output.as_mut_slice(), &Threads)?;
        Ok(output.into_tensor())
    }

    fn saved(_inputs: &[Tensor], output: &Tensor) -> Vec<Tensor> {
        vec![output.shallow_clone()]
    }

    fn gradients<T: Element + Real>(
        self,
        saved: &[Tensor],
        gradient: &Tensor,
        offsets: &[u32],
        needed: &[bool],
    ) -> Result<Vec<Option<Tensor>>, LayerError> {
        if !needed[0] {
            return Ok(vec![None]);
        }
        let mut output = Buffer::<T>::unspecified(&gradient.size())?;
        segment_softmax_backward(offsets, slice(&saved[0])?, slice(gradient)?, output.as_mut_slice(), &Threads)?;
        Ok(vec![Some(output.into_tensor())])
    }
}

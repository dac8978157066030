//! The gated recurrences on CUDA devices in float32, by the kernels of `fain-cuda`.
//!
//! The kernels walk through time; what depends on the events alone and all sums over events are matrix products of
//! libtorch. Under autocast these products read and write its kind, and the kernels go on in float32.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use fain_autograd::{Context, Function, apply, autocast_kind};
use fain_cuda::{Address, Backward, CudaError, Forward, Kernels, Recurrences};
use fain_kernels::Cell;
use tch::{Device, Kind, TchError, Tensor};

use super::operands::Operands;
use super::update::Update;
use crate::{Jagged, JaggedLayout, LayerError};

/// Whether the gated recurrences have kernels on a CUDA device. Where they have none, [`crate::Execution::Auto`] computes
/// them with libtorch's operations, step by step in time, which is far slower.
///
/// The first call compiles a kernel, which takes about a second.
///
/// # Errors
/// [`CudaError`] says what is missing; [`CudaError::Library`] also where the device is none of CUDA's.
pub fn cuda_recurrences(device: Device) -> Result<(), CudaError> {
    let Device::Cuda(number) = device else {
        let reason = format!("{device:?} is no CUDA device");
        return Err(CudaError::Library { names: "libcuda.so.1".to_owned(), reason });
    };
    of_device(number)?.prepare(Cell::Gru, 16, 1)
}

/// The kernels of a device, opened once. A device that could not be opened is not tried again.
fn of_device(number: usize) -> Result<&'static Recurrences, CudaError> {
    static DEVICES: Mutex<BTreeMap<usize, Result<&'static Recurrences, CudaError>>> = Mutex::new(BTreeMap::new());
    let mut devices = DEVICES.lock().unwrap_or_else(PoisonError::into_inner);
    let open = || Recurrences::open(number).map(|recurrences| &*Box::leak(Box::new(recurrences)));
    devices.entry(number).or_insert_with(open).clone()
}

/// The kernels for these operands, where there are any.
pub(super) fn kernels<S>(
    operands: Operands<&Tensor>,
    update: &Update<S>,
    layout: &JaggedLayout,
) -> Option<&'static dyn Kernels> {
    let device = operands.inputs.device();
    let Device::Cuda(number) = device else { return None };
    let same = |operand: &&Tensor| operand.device() == device && operand.f_kind().is_ok_and(|of| of == Kind::Float);
    if layout.offsets().device() != device || !operands.into_list().iter().all(same) {
        return None;
    }
    let recurrences = of_device(number).ok()?;
    let hidden = operands.state_weight.size()[1] as usize;
    recurrences.prepare(update.cell(), hidden, layout.rows() as usize).ok()?;
    Some(recurrences)
}

/// The states after each event, jagged `[N, H]`; the operands are float32.
pub(super) fn forward(
    kernels: &'static dyn Kernels,
    operands: Operands<&Tensor>,
    update: &Update<&Tensor>,
    layout: &JaggedLayout,
) -> Result<Jagged, LayerError> {
    let mut count = 0;
    let places = operands.map(|_| {
        count += 1;
        count - 1
    });
    let operands = operands.try_map(Tensor::f_contiguous)?.into_list();
    let products = Products { narrow: autocast_kind(layout.offsets().device()) };
    let (cell, layout_of_events) = (update.cell(), layout.clone());
    let recurrence = Recurrence { kernels, cell, layout: layout_of_events, places, products, needed: Vec::new() };
    let mut outputs = apply(recurrence, &operands.iter().collect::<Vec<&Tensor>>())?;
    // There is one, as the forward pass below returns one.
    Jagged::new(outputs.swap_remove(0), layout.clone())
}

/// The differentiable function.
struct Recurrence {
    kernels: &'static dyn Kernels,
    cell: Cell,
    layout: JaggedLayout,
    /// Where each operand stands in the list that libtorch hands over.
    places: Operands<usize>,
    products: Products,
    /// Which operands a gradient flows back to, known after the forward pass.
    needed: Vec<bool>,
}

/// How matrix products are computed: of float32 and to float32, by way of a narrower kind where autocast says so.
///
/// Autocast itself is off in a function's passes.
#[derive(Debug, Clone, Copy)]
struct Products {
    narrow: Option<Kind>,
}

impl Products {
    /// The numbers as a product reads them.
    fn operand(self, tensor: &Tensor) -> Result<Tensor, TchError> {
        self.narrow.map_or_else(|| Ok(tensor.shallow_clone()), |kind| tensor.f_to_kind(kind))
    }

    fn result(self, tensor: Tensor) -> Result<Tensor, TchError> {
        if self.narrow.is_some() { tensor.f_to_kind(Kind::Float) } else { Ok(tensor) }
    }

    /// `x Wᵀ + b`
    fn linear(self, input: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor, TchError> {
        let bias = bias.map(|bias| self.operand(bias)).transpose()?;
        self.result(self.operand(input)?.f_linear(&self.operand(weight)?, bias.as_ref())?)
    }

    /// Of operands that are as products read them.
    fn matmul(self, left: &Tensor, right: &Tensor) -> Result<Tensor, TchError> {
        self.result(left.f_matmul(right)?)
    }
}

/// Where the numbers of a contiguous tensor are; 0 is no tensor.
fn address(tensor: Option<&Tensor>) -> Address {
    tensor.map_or(0, |tensor| tensor.data_ptr() as Address)
}

/// Room for `rows` rows, to be filled by a kernel.
fn room(like: &Tensor, rows: i64, width: i64) -> Result<Tensor, LayerError> {
    Ok(Tensor::f_empty([rows, width], (Kind::Float, like.device()))?)
}

impl Function for Recurrence {
    type Error = LayerError;

    fn forward(&mut self, context: &mut Context<'_>, inputs: &[Tensor]) -> Result<Vec<Tensor>, LayerError> {
        self.needed = (0..inputs.len()).map(|index| context.needs_gradient(index)).collect();
        let operands = self.places.map(|place| &inputs[place]);
        let (events, hidden) = (self.layout.events(), operands.state_weight.size()[1]);
        let projected = self.products.linear(operands.inputs, operands.input_weight, operands.input_bias)?;
        let transposed = operands.state_weight.f_transpose(0, 1)?.f_contiguous()?;
        let states = room(&projected, events, hidden)?;
        let trained = self.needed.contains(&true);
        let width = self.cell.saved_width(hidden as usize) as i64;
        let saved = trained.then(|| room(&projected, events, width)).transpose()?;
        let buffers = Forward {
            offsets: address(Some(self.layout.offsets())),
            projected: address(Some(&projected)),
            weight: address(Some(&transposed)),
            bias: address(operands.state_bias),
            scores: address(operands.scores),
            initial: address(operands.initial),
            states: address(Some(&states)),
            saved: address(saved.as_ref()),
            samples: self.layout.rows(),
        };
        self.run(
            |kernels, cell, hidden| {
                // SAFETY: the tensors are dense and contiguous, float32 but for the int64 offsets, and of the shapes that
                // `Forward` asks for: the layer has checked its operands, and the others were made above. They are on the
                // device of the kernels, whose default stream libtorch uses: memory that is freed before the kernel has run
                // is given only to work that is queued behind it.
                #[allow(unsafe_code, reason = "the kernels take addresses")]
                unsafe {
                    kernels.forward(cell, hidden, &buffers)
                }
            },
            hidden,
        )?;
        if let Some(saved) = &saved {
            context.save_for_backward(&inputs.iter().chain([&states, saved]).collect::<Vec<&Tensor>>());
        }
        Ok(vec![states])
    }

    fn backward(&mut self, saved: &[Tensor], gradients: &[Option<Tensor>]) -> Result<Vec<Option<Tensor>>, LayerError> {
        let ([operands @ .., states, saved], [Some(gradient)]) = (saved, gradients) else {
            return Ok(self.needed.iter().map(|_| None).collect());
        };
        let operands = self.places.map(|place| &operands[place]);
        let needed = self.places.map(|place| self.needed[place]);
        let (events, hidden) = (self.layout.events(), operands.state_weight.size()[1]);
        let rows = self.cell.gates() as i64 * hidden;
        let gradient = gradient.f_contiguous()?;
        let of_projected = room(&gradient, events, rows)?;
        let of_product = room(&gradient, events, rows)?;
        let previous = room(&gradient, events, hidden)?;
        let terms = (needed.scores == Some(true)).then(|| room(&gradient, events, hidden)).transpose()?;
        let of_initial =
            operands.initial.filter(|_| needed.initial == Some(true)).map(Tensor::f_zeros_like).transpose()?;
        let buffers = Backward {
            offsets: address(Some(self.layout.offsets())),
            weight: address(Some(operands.state_weight)),
            scores: address(operands.scores),
            initial: address(operands.initial),
            states: address(Some(states)),
            saved: address(Some(saved)),
            gradient: address(Some(&gradient)),
            projected_gradient: address(Some(&of_projected)),
            state_gradient: address(Some(&of_product)),
            previous: address(Some(&previous)),
            score_terms: address(terms.as_ref()),
            initial_gradient: address(of_initial.as_ref()),
            samples: self.layout.rows(),
        };
        self.run(
            |kernels, cell, hidden| {
                // SAFETY: as in the forward pass.
                #[allow(unsafe_code, reason = "the kernels take addresses")]
                unsafe {
                    kernels.backward(cell, hidden, &buffers)
                }
            },
            hidden,
        )?;

        let when = |needed: bool, value: &dyn Fn() -> Result<Tensor, TchError>| needed.then(value).transpose();
        let products = self.products;
        let narrow = products.operand(&of_projected)?;
        let over_events = |left: &Tensor, right: &Tensor| {
            products.matmul(&products.operand(left)?.f_transpose(0, 1)?, &products.operand(right)?)
        };
        let sum = |tensor: &Tensor| tensor.f_sum_dim_intlist(0, false, Kind::Float);
        let gradients = Operands {
            inputs: when(needed.inputs, &|| products.matmul(&narrow, &products.operand(operands.input_weight)?))?,
            input_weight: when(needed.input_weight, &|| over_events(&narrow, operands.inputs))?,
            state_weight: when(needed.state_weight, &|| over_events(&of_product, &previous))?,
            scores: needed
                .scores
                .map(|_| terms.map(|terms| terms.f_sum_dim_intlist(1, true, Kind::Float)).transpose())
                .transpose()?,
            initial: needed.initial.map(|_| of_initial),
            input_bias: needed.input_bias.map(|needed| when(needed, &|| sum(&of_projected))).transpose()?,
            state_bias: needed.state_bias.map(|needed| when(needed, &|| sum(&of_product))).transpose()?,
        };
        Ok(gradients.into_list())
    }
}

impl Recurrence {
    fn run(
        &self,
        work: impl FnOnce(&dyn Kernels, Cell, usize) -> Result<(), CudaError>,
        hidden: i64,
    ) -> Result<(), LayerError> {
        Ok(work(self.kernels, self.cell, hidden as usize)?)
    }
}

#[cfg(test)]
mod tests;

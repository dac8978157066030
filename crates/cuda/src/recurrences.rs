//! The recurrences of one device.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};

use fain_kernels::Cell;

use crate::buffers::{Backward, Forward};
use crate::compiler::Compiler;
use crate::driver::{Device, Kernel};
use crate::error::CudaError;
use crate::plan::Plan;
use crate::variant::{Pass, Variant};

/// Where the kernels run.
pub trait Kernels: Debug + Send + Sync {
    /// The states after each event. It returns when the work is queued.
    ///
    /// # Safety
    /// Each address is 0 where [`Forward`] allows it, and else a buffer of that shape on this device, which lives until
    /// the default stream has come to the end of this work. The offsets start at 0 and never fall.
    ///
    /// # Errors
    /// [`CudaError::Width`]; [`CudaError::Compile`] with what the compiler said; [`CudaError::MissingScores`];
    /// [`CudaError::Call`] when it cannot be started.
    unsafe fn forward(&self, cell: Cell, hidden: usize, buffers: &Forward) -> Result<(), CudaError>;

    /// What the gradients of [`Kernels::forward`] are made of. It returns when the work is queued.
    ///
    /// # Safety
    /// As for [`Kernels::forward`], with [`Backward`].
    ///
    /// # Errors
    /// As [`Kernels::forward`].
    unsafe fn backward(&self, cell: Cell, hidden: usize, buffers: &Backward) -> Result<(), CudaError>;
}

/// A device with the kernels that were compiled for it.
///
/// A kernel is compiled for its cell and width when it is first asked for, which takes about a second, and kept.
#[derive(Debug)]
pub struct Recurrences {
    device: Device,
    compiler: Compiler,
    kernels: Mutex<HashMap<(Pass, Variant), Kernel>>,
}

impl Recurrences {
    /// Opens the CUDA device with this number, as libtorch counts them, and the compiler.
    ///
    /// # Errors
    /// [`CudaError::Library`] without a driver or a compiler; [`CudaError::Call`] when there is no such device.
    pub fn open(number: usize) -> Result<Self, CudaError> {
        let device = Device::open(number)?;
        let compiler = Compiler::find()?;
        Ok(Self { device, compiler, kernels: Mutex::new(HashMap::new()) })
    }

    /// Makes the kernels of both passes ready, for batches of `B` samples.
    ///
    /// # Errors
    /// [`CudaError::Width`]; [`CudaError::Compile`] with what the compiler said; [`CudaError::Call`].
    pub fn prepare(&self, cell: Cell, hidden: usize, samples: usize) -> Result<(), CudaError> {
        for pass in [Pass::Forward, Pass::Backward] {
            self.kernel(pass, &Plan::new(pass, cell, hidden, samples, self.device.limits())?)?;
        }
        Ok(())
    }

    unsafe fn run<A>(
        &self,
        pass: Pass,
        (cell, hidden, samples): (Cell, usize, i64),
        arguments: &mut A,
    ) -> Result<(), CudaError> {
        let samples = usize::try_from(samples).unwrap_or(0);
        if samples == 0 {
            return Ok(());
        }
        let plan = Plan::new(pass, cell, hidden, samples, self.device.limits())?;
        let kernel = self.kernel(pass, &plan)?;
        // SAFETY: the caller's promise.
        unsafe { self.device.start(kernel, (plan.blocks, plan.threads, plan.memory), arguments) }
    }

    /// The kernel of a plan, compiled if it is new.
    fn kernel(&self, pass: Pass, plan: &Plan) -> Result<Kernel, CudaError> {
        // A panic elsewhere cannot leave the map half changed.
        let mut kernels = self.kernels.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (pass, plan.variant);
        if let Some(kernel) = kernels.get(&key) {
            return Ok(*kernel);
        }
        let compiled = self.compiler.compile(&plan.variant.source(), self.device.architecture(), false)?;
        let kernel = self.device.kernel(&compiled.code, pass.entry())?;
        kernels.insert(key, kernel);
        Ok(kernel)
    }
}

impl Kernels for Recurrences {
    unsafe fn forward(&self, cell: Cell, hidden: usize, buffers: &Forward) -> Result<(), CudaError> {
        check_scores(cell, buffers.scores)?;
        let mut buffers = *buffers;
        // SAFETY: the caller's promise, and `Forward` is laid out as the kernel's argument.
        unsafe { self.run(Pass::Forward, (cell, hidden, buffers.samples), &mut buffers) }
    }

    unsafe fn backward(&self, cell: Cell, hidden: usize, buffers: &Backward) -> Result<(), CudaError> {
        check_scores(cell, buffers.scores)?;
        let mut buffers = *buffers;
        // SAFETY: the caller's promise, and `Backward` is laid out as the kernel's argument.
        unsafe { self.run(Pass::Backward, (cell, hidden, buffers.samples), &mut buffers) }
    }
}

pub(crate) fn check_scores(cell: Cell, scores: u64) -> Result<(), CudaError> {
    if cell.takes_scores() && scores == 0 { Err(CudaError::MissingScores { cell }) } else { Ok(()) }
}

//! The kernels on the processor, for tests where there is no GPU.

use std::collections::HashMap;
use std::fs;
use std::os::raw::{c_int, c_uint};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use fain_kernels::Cell;
use libloading::os::unix::Library;
use tempfile::TempDir;

use crate::buffers::{Backward, Forward};
use crate::error::CudaError;
use crate::library::function;
use crate::plan::{Limits, Plan};
use crate::recurrences::{Kernels, check_scores};
use crate::variant::{Pass, Variant};

#[cfg(test)]
mod tests;

const BLOCK: &str = include_str!("emulation/block.hpp");
const ENTRIES: &str = include_str!("emulation/entries.hpp");

/// The kernels' source, compiled by the C++ compiler (`CXX`, or `c++`) and run thread by thread; addresses are those of
/// this process.
#[derive(Debug, Default)]
pub struct Emulated {
    processors: Mutex<HashMap<Variant, Arc<Processor>>>,
}

/// Three multiprocessors, so that the blocks of small batches have several samples one after the other.
const LIMITS: Limits = Limits { multiprocessors: 3, block_memory: 232_448, memory: 233_472, threads: 2048 };

impl Emulated {
    fn processor(&self, variant: Variant) -> Result<Arc<Processor>, CudaError> {
        let mut processors = self.processors.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(processor) = processors.get(&variant) {
            return Ok(Arc::clone(processor));
        }
        let processor = Arc::new(Processor::compile(&variant.source())?);
        processors.insert(variant, Arc::clone(&processor));
        Ok(processor)
    }
}

impl Kernels for Emulated {
    unsafe fn forward(&self, cell: Cell, hidden: usize, buffers: &Forward) -> Result<(), CudaError> {
        check_scores(cell, buffers.scores)?;
        let plan = Plan::new(Pass::Forward, cell, hidden, usize::try_from(buffers.samples).unwrap_or(0), &LIMITS)?;
        // SAFETY: the caller's promise.
        unsafe { self.processor(plan.variant)?.forward(buffers, &plan, false) }
    }

    unsafe fn backward(&self, cell: Cell, hidden: usize, buffers: &Backward) -> Result<(), CudaError> {
        check_scores(cell, buffers.scores)?;
        let plan = Plan::new(Pass::Backward, cell, hidden, usize::try_from(buffers.samples).unwrap_or(0), &LIMITS)?;
        // SAFETY: the caller's promise.
        unsafe { self.processor(plan.variant)?.backward(buffers, &plan, false) }
    }
}

type Entry<A> = unsafe extern "C" fn(*const A, c_uint, c_uint, usize, c_int) -> c_int;

/// The source as a shared library of this processor.
#[derive(Debug)]
struct Processor {
    /// The kernels keep their threads in variables of the library: one call at a time.
    running: Mutex<()>,
    forward: Entry<Forward>,
    backward: Entry<Backward>,
    /// Keeps the functions above in memory.
    _library: Library,
    _folder: TempDir,
}

impl Processor {
    fn compile(source: &str) -> Result<Self, CudaError> {
        let refused = |log: String| CudaError::Compile { architecture: "the processor".to_owned(), log };
        let failed = |error: std::io::Error| refused(error.to_string());
        let folder = tempfile::tempdir().map_err(failed)?;
        let [text, program] = ["kernels.cpp", "kernels.so"].map(|name| folder.path().join(name));
        fs::write(&text, format!("{BLOCK}\n{source}\n{ENTRIES}")).map_err(failed)?;
        let compiler = std::env::var_os("CXX").unwrap_or_else(|| "c++".into());
        let mut command = Command::new(compiler);
        command.args(["-std=c++17", "-O1", "-shared", "-fPIC", "-o"]).args([&program, &text]);
        let output = command.output().map_err(failed)?;
        if !output.status.success() {
            return Err(refused(String::from_utf8_lossy(&output.stderr).into_owned()));
        }
        // SAFETY: the library was just made from our source, which runs nothing when it is loaded. The functions have
        // these types in entries.hpp, and the library stays loaded as long as they do.
        unsafe {
            let library = Library::new(&program).map_err(|error| refused(error.to_string()))?;
            Ok(Self {
                running: Mutex::new(()),
                forward: function(&library, "emulate_forward")?,
                backward: function(&library, "emulate_backward")?,
                _library: library,
                _folder: folder,
            })
        }
    }

    /// `backwards` runs the threads of a block from the last to the first.
    unsafe fn forward(&self, arguments: &Forward, plan: &Plan, backwards: bool) -> Result<(), CudaError> {
        // SAFETY: the caller's promise.
        unsafe { self.run(self.forward, arguments, plan, backwards) }
    }

    unsafe fn backward(&self, arguments: &Backward, plan: &Plan, backwards: bool) -> Result<(), CudaError> {
        // SAFETY: the caller's promise.
        unsafe { self.run(self.backward, arguments, plan, backwards) }
    }

    unsafe fn run<A>(&self, entry: Entry<A>, arguments: &A, plan: &Plan, backwards: bool) -> Result<(), CudaError> {
        let _running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: the caller's promise; the arguments are copied.
        let code = unsafe {
            entry(arguments, plan.blocks as c_uint, plan.threads as c_uint, plan.memory, c_int::from(backwards))
        };
        if code == 0 { Ok(()) } else { Err(CudaError::Call { function: "the emulated kernel", code }) }
    }
}

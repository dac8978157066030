//! The Rust half of a node in libtorch's graph; `cpp/function.cpp` is the other half.
#![allow(unsafe_code, reason = "libtorch's graph is C++, and calls back into Rust")]

use std::any::type_name;
use std::ffi::{c_char, c_int, c_void};
use std::slice;
use std::sync::Mutex;

use tch::{TchError, Tensor};
use torch_sys::C_tensor;

use crate::report::{Report, report};
use crate::{AutogradError, Function, Pass, unwind};

/// What a forward pass leaves for the graph.
pub(crate) struct Recording {
    pub(crate) inputs: Vec<Tensor>,
    pub(crate) outputs: Vec<Tensor>,
    pub(crate) saved: Vec<Tensor>,
    pub(crate) non_differentiable: Vec<Tensor>,
}

/// Where C++ collects what a backward pass answers.
#[repr(C)]
struct Answer {
    opaque: [u8; 0],
}

/// Must match `FainRecord` in `cpp/function.cpp`.
#[repr(C)]
struct Record {
    state: *mut c_void,
    backward: unsafe extern "C" fn(
        state: *const c_void,
        saved: *const *mut C_tensor,
        saved_count: usize,
        gradients: *const *mut C_tensor,
        gradient_count: usize,
        answer: *mut Answer,
    ) -> c_int,
    drop: unsafe extern "C" fn(state: *mut c_void),
    name: *const c_char,
    name_length: usize,
    inputs: *const *const C_tensor,
    input_count: usize,
    outputs: *const *mut C_tensor,
    output_count: usize,
    saved: *const *const C_tensor,
    saved_count: usize,
    non_differentiable: *const *const C_tensor,
    non_differentiable_count: usize,
}

unsafe extern "C" {
    safe fn fain_gradients_are_recorded() -> bool;
    fn fain_record_function(record: *const Record, sink: *mut c_void, report: Report) -> c_int;
    fn fain_answer_gradient(answer: *mut Answer, gradient: *const C_tensor);
    fn fain_answer_fail(answer: *mut Answer, text: *const c_char, length: usize);
}

/// Whether operations of this thread become part of the graph.
pub(crate) fn gradients_are_recorded() -> bool {
    fain_gradients_are_recorded()
}

/// What a node owns.
struct State<F> {
    /// A graph that is kept can run backward on several threads at once.
    function: Mutex<F>,
    inputs: usize,
}

/// Puts a function whose forward pass has run into the graph, and returns its outputs as part of it.
pub(crate) fn record<F: Function>(function: F, recording: Recording) -> Result<Vec<Tensor>, AutogradError> {
    let Recording { inputs, mut outputs, saved, non_differentiable } = recording;
    let state = Box::new(State { function: Mutex::new(function), inputs: inputs.len() });
    let name = type_name::<F>();
    let lent_inputs = lend(&inputs);
    let lent_outputs: Vec<*mut C_tensor> = outputs.iter_mut().map(Tensor::as_mut_ptr).collect();
    let lent_saved = lend(&saved);
    let lent_non_differentiable = lend(&non_differentiable);
    let record = Record {
        state: Box::into_raw(state).cast(),
        backward: backward::<F>,
        drop: drop_state::<F>,
        name: name.as_ptr().cast(),
        name_length: name.len(),
        inputs: lent_inputs.as_ptr(),
        input_count: lent_inputs.len(),
        outputs: lent_outputs.as_ptr(),
        output_count: lent_outputs.len(),
        saved: lent_saved.as_ptr(),
        saved_count: lent_saved.len(),
        non_differentiable: lent_non_differentiable.as_ptr(),
        non_differentiable_count: lent_non_differentiable.len(),
    };
    let mut text = String::new();
    // SAFETY: each pointer goes with its count, and the tensors live until the end of this function. The outputs are
    // tensors of their own, borrowed mutably. `state` is given over; `backward` and `drop` are made for its type, and
    // `Mutex<F>` with `F: Send + 'static` may be used from any thread at any time. C++ lets no exception out.
    let failed = unsafe { fain_record_function(&raw const record, (&raw mut text).cast(), report) };
    if failed != 0 {
        return Err(TchError::Torch(text).into());
    }
    Ok(outputs)
}

fn lend(tensors: &[Tensor]) -> Vec<*const C_tensor> {
    tensors.iter().map(Tensor::as_ptr).collect()
}

impl<F: Function> State<F> {
    fn backward(&self, saved: &[Tensor], gradients: &[Option<Tensor>]) -> Result<Vec<Option<Tensor>>, AutogradError> {
        let function = type_name::<F>();
        let mut guard = self.function.lock().map_err(|_| AutogradError::Panic {
            function,
            pass: Pass::Backward,
            message: "an earlier backward pass panicked".to_owned(),
        })?;
        let answer = guard.backward(saved, gradients).map_err(|error| AutogradError::Function {
            function,
            pass: Pass::Backward,
            message: error.to_string(),
        })?;
        if answer.len() == self.inputs {
            Ok(answer)
        } else {
            Err(AutogradError::GradientCount { function, expected: self.inputs, got: answer.len() })
        }
    }
}

/// Runs a backward pass for C++. Neither an error nor a panic gets out but as a text in `answer`.
unsafe extern "C" fn backward<F: Function>(
    state: *const c_void,
    saved: *const *mut C_tensor,
    saved_count: usize,
    gradients: *const *mut C_tensor,
    gradient_count: usize,
    answer: *mut Answer,
) -> c_int {
    let outcome = unwind::catch(|| {
        // SAFETY: `record::<F>` made the state, and the node shares it with this call, so that it lives.
        let state = unsafe { &*state.cast::<State<F>>() };
        // SAFETY: C++ lends this many tensors for the call.
        let (saved, gradients) = unsafe { (borrow(saved, saved_count), borrow(gradients, gradient_count)) };
        // Each saved tensor has a pointer; one that was saved undefined is an undefined tensor again.
        let saved: Vec<Tensor> = saved.into_iter().flatten().collect();
        let found = state.backward(&saved, &gradients).map_err(|error| error.to_string())?;
        for gradient in &found {
            let pointer = gradient.as_ref().map_or(std::ptr::null(), Tensor::as_ptr);
            // SAFETY: C++ lends `answer` for the call, and copies the tensor, which lives until `found` is dropped.
            unsafe { fain_answer_gradient(answer, pointer) };
        }
        Ok::<(), String>(())
    });
    let text = match outcome {
        Ok(Ok(())) => return 0,
        Ok(Err(text)) => text,
        Err(message) => AutogradError::Panic { function: type_name::<F>(), pass: Pass::Backward, message }.to_string(),
    };
    // SAFETY: C++ lends `answer` for the call, and copies the text.
    unsafe { fain_answer_fail(answer, text.as_ptr().cast(), text.len()) };
    1
}

/// New handles of the tensors that C++ lends; a null pointer stands for none.
///
/// # Safety
/// `pointers` points to `count` pointers, each null or to a tensor. It may be null when `count` is 0.
unsafe fn borrow(pointers: *const *mut C_tensor, count: usize) -> Vec<Option<Tensor>> {
    if count == 0 {
        return Vec::new();
    }
    // SAFETY: as the caller says.
    let pointers = unsafe { slice::from_raw_parts(pointers, count) };
    let tensor = |&pointer: &*mut C_tensor| {
        // SAFETY: as the caller says; cloning the handle leaves C++'s own as it is.
        (!pointer.is_null()).then(|| unsafe { Tensor::clone_from_ptr(pointer) })
    };
    pointers.iter().map(tensor).collect()
}

unsafe extern "C" fn drop_state<F>(state: *mut c_void) {
    // SAFETY: `record::<F>` made the state with `Box::into_raw`, and C++ calls this once, after the last use.
    let state = unsafe { Box::from_raw(state.cast::<State<F>>()) };
    // A destructor that panics has no caller to tell; the panic hook has spoken.
    let _dropped = unwind::catch(|| drop(state));
}

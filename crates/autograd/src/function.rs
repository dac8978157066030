//! Differentiable functions written in Rust.

use std::any::type_name;
use std::fmt::Display;

use tch::Tensor;

use crate::autocast::Suspended;
use crate::record::{self, Recording};
use crate::{AutogradError, Pass, unwind};

/// A function that brings its own derivative.
///
/// libtorch's graph owns the value after [`apply`] and drops it as soon as backward has run, or when the graph is
/// freed without. It is `Send` because libtorch runs backward for CUDA tensors on a thread of its own.
///
/// Backward is run by one thread at a time. It must not go back through the graph that it is a part of: it would wait for
/// itself.
///
/// Neither pass is recorded: what they compute with tensors does not become part of the graph. So a gradient cannot be
/// differentiated again; trying to is an error that names the function.
///
/// Both passes compute in the kinds of what they are given: [`autocast`](crate::autocast()) is off in them.
pub trait Function: Send + 'static {
    /// Why a pass fails. Only its text is kept.
    type Error: Display;

    /// Computes the outputs, and saves in `context` what [`backward`](Self::backward) needs.
    ///
    /// Inputs are not changed. An output is a new tensor or one of the inputs.
    ///
    /// # Errors
    /// The function's own; [`apply`] returns its text in [`AutogradError::Function`].
    fn forward(&mut self, context: &mut Context<'_>, inputs: &[Tensor]) -> Result<Vec<Tensor>, Self::Error>;

    /// Computes one gradient per input, of that input's shape; `None` where nothing flows back.
    ///
    /// - `saved`: what forward saved, in that order;
    /// - `gradients`: one per output; `None` where nothing flowed back into it.
    ///
    /// # Errors
    /// The function's own; its text reaches the caller of `f_backward` or `f_run_backward`.
    fn backward(&mut self, saved: &[Tensor], gradients: &[Option<Tensor>]) -> Result<Vec<Option<Tensor>>, Self::Error>;
}

/// What a forward pass can ask, and what it leaves for the backward pass.
#[derive(Debug)]
pub struct Context<'a> {
    needed: &'a [bool],
    saved: Vec<Tensor>,
    non_differentiable: Vec<Tensor>,
}

impl Context<'_> {
    /// Keeps tensors for the backward pass: inputs, outputs or others. A later call replaces an earlier one.
    ///
    /// Saved tensors are libtorch's saved variables: they are freed with the graph, and changing one in place before
    /// backward makes backward fail. When no input needs a gradient, nothing is kept. (A tensor in a field of the
    /// function is not watched like this; an output kept there would never be freed.)
    pub fn save_for_backward(&mut self, tensors: &[&Tensor]) {
        if self.needed.contains(&true) {
            self.saved = tensors.iter().map(|tensor| tensor.shallow_clone()).collect();
        }
    }

    /// Says which outputs have no gradient. A later call replaces an earlier one.
    ///
    /// They do not require a gradient then, and backward gets `None` for them. Outputs of integers need no mark.
    pub fn mark_non_differentiable(&mut self, outputs: &[&Tensor]) {
        self.non_differentiable = outputs.iter().map(|tensor| tensor.shallow_clone()).collect();
    }

    /// Whether a gradient may flow back into this input: it requires one, and gradients are recorded. False for an
    /// input that does not exist.
    pub fn needs_gradient(&self, index: usize) -> bool {
        self.needed.get(index).copied().unwrap_or(false)
    }
}

/// Runs a function on inputs and makes its outputs part of the graph.
///
/// The graph gets the function only if an input requires a gradient and gradients are recorded (not under
/// `tch::no_grad`).
///
/// # Errors
/// - [`AutogradError::Function`], [`AutogradError::Panic`]: the forward pass failed;
/// - [`AutogradError::UndefinedInput`], [`AutogradError::UndefinedOutput`], [`AutogradError::NoOutput`];
/// - [`AutogradError::InputChanged`]: the forward pass wrote into an input;
/// - [`AutogradError::Libtorch`]: libtorch cannot record it.
///
/// What fails in the backward pass reaches whoever starts it, with the text of these errors or of
/// [`AutogradError::GradientCount`].
pub fn apply<F: Function>(mut function: F, inputs: &[&Tensor]) -> Result<Vec<Tensor>, AutogradError> {
    let name = type_name::<F>();
    if let Some(index) = inputs.iter().position(|input| !input.defined()) {
        return Err(AutogradError::UndefinedInput { function: name, index });
    }
    let recorded = record::gradients_are_recorded();
    let needed: Vec<bool> = inputs.iter().map(|input| recorded && input.requires_grad()).collect();
    let mut context = Context { needed: &needed, saved: Vec::new(), non_differentiable: Vec::new() };

    let inputs: Vec<Tensor> = inputs.iter().map(|input| input.shallow_clone()).collect();
    let outputs = forward(&mut function, &mut context, &inputs)?;
    if !needed.contains(&true) {
        return Ok(outputs);
    }
    let Context { saved, non_differentiable, .. } = context;
    record::record(function, Recording { inputs, outputs, saved, non_differentiable })
}

fn forward<F: Function>(
    function: &mut F,
    context: &mut Context<'_>,
    inputs: &[Tensor],
) -> Result<Vec<Tensor>, AutogradError> {
    let name = type_name::<F>();
    let versions = versions(inputs)?;
    let outcome = {
        let _not_recorded = tch::no_grad_guard();
        let _as_written = Suspended::new();
        // After a panic the function is dropped, so nothing half done is seen.
        unwind::catch(|| function.forward(context, inputs).map_err(|error| error.to_string()))
    };
    let outputs = outcome
        .map_err(|message| AutogradError::Panic { function: name, pass: Pass::Forward, message })?
        .map_err(|message| AutogradError::Function { function: name, pass: Pass::Forward, message })?;

    let after = self::versions(inputs)?;
    if let Some(index) = versions.iter().zip(&after).position(|(before, after)| before != after) {
        return Err(AutogradError::InputChanged { function: name, index });
    }
    if outputs.is_empty() {
        return Err(AutogradError::NoOutput { function: name });
    }
    if let Some(index) = outputs.iter().position(|output| !output.defined()) {
        return Err(AutogradError::UndefinedOutput { function: name, index });
    }
    Ok(outputs)
}

/// libtorch counts up a tensor's version when it is changed in place.
fn versions(tensors: &[Tensor]) -> Result<Vec<i64>, AutogradError> {
    tensors.iter().map(|tensor| Ok(tensor.f_internal_version()?)).collect()
}

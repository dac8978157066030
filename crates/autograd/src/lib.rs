//! The bridge from fain to libtorch: differentiable functions written in Rust, loops on libtorch's threads and work that
//! is left to them, tensors as slices, mixed precision, a check of gradients, the choice of a device and copies to it. What
//! needs unsafe code lives here and nowhere else among the tensor crates.
//!
//! ```
//! use fain_autograd::{Context, Function, GradientCheck, apply, check_gradients};
//! use tch::{TchError, Tensor};
//!
//! /// `x³`.
//! struct Cube;
//!
//! impl Function for Cube {
//!     type Error = TchError;
//!
//!     fn forward(&mut self, context: &mut Context<'_>, inputs: &[Tensor]) -> Result<Vec<Tensor>, TchError> {
//!         context.save_for_backward(&[&inputs[0]]);
//!         Ok(vec![inputs[0].f_pow_tensor_scalar(3)?])
//!     }
//!
//!     fn backward(
//!         &mut self,
//!         saved: &[Tensor],
//!         gradients: &[Option<Tensor>],
//!     ) -> Result<Vec<Option<Tensor>>, TchError> {
//!         let Some(gradient) = &gradients[0] else { return Ok(vec![None]) };
//!         Ok(vec![Some(saved[0].f_square()?.f_mul_scalar(3.0)?.f_mul(gradient)?)])
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let x = Tensor::from_slice(&[1.0, -2.0]).set_requires_grad(true);
//! let cubes = apply(Cube, &[&x])?;
//! cubes[0].f_sum(None)?.f_backward()?;
//! assert_eq!(Vec::<f64>::try_from(x.grad())?, [3.0, 12.0]);
//!
//! // The derivative is that of the function.
//! let report = check_gradients(|inputs| apply(Cube, &[&inputs[0]]), &[x], &GradientCheck::default())?;
//! assert_eq!(report.entries, 2);
//! # Ok(())
//! # }
//! ```
//!
//! A device is asked for by name. The CUDA half of libtorch is a library of its own that the linker drops, so it is
//! loaded when a CUDA device is asked for.
//!
//! ```
//! use fain_autograd::DeviceChoice;
//!
//! let choice: DeviceChoice = "cpu".parse()?;
//! assert_eq!(choice.open()?, tch::Device::Cpu);
//! assert_eq!("cuda:1".parse::<DeviceChoice>()?, DeviceChoice::Cuda(1));
//! # Ok::<(), fain_autograd::DeviceError>(())
//! ```

mod autocast;
mod background;
mod board;
mod device;
mod error;
mod function;
mod gradient_check;
mod idle;
mod memory;
mod parallel;
mod record;
mod report;
mod slices;
mod team;
mod unwind;
mod upload;

pub use autocast::{Precision, autocast, autocast_kind, widened};
pub use background::{Background, background, overlap, take_back_threads};
pub use device::{DeviceChoice, DeviceError};
pub use error::{AutogradError, Pass};
pub use function::{Context, Function, apply};
pub use gradient_check::{GradientCheck, GradientError, GradientReport, check_gradients, check_leaves};
pub use memory::{keep_freed_memory, prefer_huge_pages};
pub use parallel::{compute_alone, parallel_for, parallel_tasks};
pub use slices::{Buffer, Element, SliceError, slice, slice_mut};
pub use upload::upload;

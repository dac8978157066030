//! The bridge from fain to libtorch: what needs unsafe code lives here and nowhere else among the tensor crates.
//!
//! Today that is the choice of a device. The CUDA half of libtorch is a library of its own that the linker drops, so
//! it is loaded when a CUDA device is asked for.
//!
//! ```
//! use fain_autograd::DeviceChoice;
//!
//! let choice: DeviceChoice = "cpu".parse()?;
//! assert_eq!(choice.open()?, tch::Device::Cpu);
//! assert_eq!("cuda:1".parse::<DeviceChoice>()?, DeviceChoice::Cuda(1));
//! # Ok::<(), fain_autograd::DeviceError>(())
//! ```

mod device;

pub use device::{DeviceChoice, DeviceError};

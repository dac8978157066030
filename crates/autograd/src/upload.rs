//! From the memory of the host to a device.
#![allow(unsafe_code, reason = "pinned memory is C++")]

use std::ffi::{c_int, c_void};

use tch::{Device, TchError, Tensor};
use torch_sys::C_tensor;

use crate::device::device_type;
use crate::report::{Report, report};

unsafe extern "C" {
    fn fain_upload(
        tensor: *const C_tensor,
        device: c_int,
        number: c_int,
        sink: *mut c_void,
        report: Report,
    ) -> *mut C_tensor;
}

/// A tensor on a device. What is there already is the tensor itself: on the CPU nothing is copied.
///
/// To a CUDA device the copy is queued, and the program goes on: it waits neither for the copy nor for the work that is
/// queued before it. For that the numbers go through pinned memory. libtorch's allocator gives such memory to nobody else
/// before the copies that were queued from it are done, so that it may be let go of here. It also keeps such memory for the
/// next copy as long as the program runs, so that this is for batches, not for whole tables.
///
/// ```
/// use tch::{Device, Tensor};
///
/// let labels = Tensor::from_slice(&[1.0f32, 0.0]);
/// let place = labels.data_ptr();
/// assert_eq!(fain_autograd::upload(labels, Device::Cpu)?.data_ptr(), place);
/// # Ok::<(), tch::TchError>(())
/// ```
///
/// # Errors
/// [`TchError`] when libtorch refuses: there is no memory left, or no such device.
pub fn upload(tensor: Tensor, device: Device) -> Result<Tensor, TchError> {
    if tensor.device() == device {
        return Ok(tensor);
    }
    match device {
        Device::Cuda(number) if tensor.device() == Device::Cpu => pinned(&tensor, device, number),
        _ => tensor.f_to_device(device),
    }
}

fn pinned(tensor: &Tensor, device: Device, number: usize) -> Result<Tensor, TchError> {
    let mut text = String::new();
    let number = c_int::try_from(number).unwrap_or(c_int::MAX);
    // SAFETY: the tensor's handle is borrowed, and the sink of the report is this function's own.
    let copy = unsafe { fain_upload(tensor.as_ptr(), device_type(device), number, (&raw mut text).cast(), report) };
    if copy.is_null() {
        return Err(TchError::Torch(text));
    }
    // SAFETY: C++ has made this tensor for its caller.
    Ok(unsafe { Tensor::from_ptr(copy) })
}

//! Tensors as slices, for functions that compute with Rust's own loops.
#![allow(unsafe_code, reason = "a tensor's numbers lie behind a C++ pointer")]

use std::ffi::{c_int, c_void};
use std::marker::PhantomData;

use tch::{Device, Kind, TchError, Tensor};
use thiserror::Error;
use torch_sys::C_tensor;

unsafe extern "C" {
    fn fain_numbers(tensor: *const C_tensor, kind: c_int, pointer: *mut *mut c_void, length: *mut usize) -> bool;
    fn fain_changed(tensor: *const C_tensor) -> bool;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
    impl Sealed for i64 {}
}

/// The numbers that are the same in libtorch and in Rust: `f32`, `f64`, and `i64` for ids.
pub trait Element: sealed::Sealed + Copy + Send + Sync + 'static {
    /// libtorch's name for it.
    const KIND: Kind;
    /// The number of [`KIND`](Self::KIND) among libtorch's scalar types (`c10::ScalarType`).
    const SCALAR_TYPE: i32;
}

impl Element for f32 {
    const KIND: Kind = Kind::Float;
    const SCALAR_TYPE: i32 = 6;
}

impl Element for f64 {
    const KIND: Kind = Kind::Double;
    const SCALAR_TYPE: i32 = 7;
}

impl Element for i64 {
    const KIND: Kind = Kind::Int64;
    const SCALAR_TYPE: i32 = 4;
}

/// Why a tensor has no slice.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SliceError {
    /// The tensor's numbers are not `T`s in a row in the memory of the host.
    #[error("a {needed:?} tensor, dense and contiguous, on the CPU is needed, but this one is {got}")]
    Unsuitable {
        /// The kind that was asked for.
        needed: Kind,
        /// What stands against it.
        got: String,
    },
    /// libtorch refused, for want of memory for example.
    #[error(transparent)]
    Libtorch(#[from] TchError),
}

/// The numbers of a tensor, row by row.
///
/// While the slice lives, nothing may write into the tensor's memory: neither this program through another handle of
/// the tensor, nor another thread. It is the rule by which libtorch's own operations read their inputs. Within
/// [`Function::forward`](crate::Function::forward) and [`backward`](crate::Function::backward) it holds as long as the
/// function itself does not change its inputs.
///
/// ```
/// let tensor = tch::Tensor::from_slice(&[1.0f32, 2.0, 3.0, 4.0]).reshape([2, 2]);
/// assert_eq!(fain_autograd::slice::<f32>(&tensor)?, [1.0, 2.0, 3.0, 4.0]);
/// # Ok::<(), fain_autograd::SliceError>(())
/// ```
///
/// # Errors
/// [`SliceError::Unsuitable`] when the tensor is not a dense, contiguous tensor of `T` on the CPU.
pub fn slice<T: Element>(tensor: &Tensor) -> Result<&[T], SliceError> {
    let Some((pointer, length)) = numbers::<T>(tensor)? else { return Ok(&[]) };
    // SAFETY: `numbers` found `length` initialised numbers from the pointer on. The tensor keeps the memory as long as
    // its handle is borrowed: what would exchange or resize the storage takes `&mut Tensor`, or goes through another
    // handle, which the rule above forbids as it forbids writing.
    Ok(unsafe { std::slice::from_raw_parts(pointer, length) })
}

/// The numbers of a tensor, row by row, to be changed where they lie.
///
/// While the slice lives, nothing else may read or write the tensor's memory, through another handle for example: the
/// rule by which libtorch's own operations write in place. libtorch is told of the change, so that a backward pass that
/// saved the old numbers fails instead of using the new ones. A leaf that requires a gradient is changed without
/// becoming part of the graph.
///
/// ```
/// let mut tensor = tch::Tensor::from_slice(&[1.0f32, 2.0]);
/// fain_autograd::slice_mut::<f32>(&mut tensor)?[1] = 5.0;
/// assert_eq!(tensor, tch::Tensor::from_slice(&[1.0f32, 5.0]));
/// # Ok::<(), fain_autograd::SliceError>(())
/// ```
///
/// # Errors
/// [`SliceError::Unsuitable`] when the tensor is not a dense, contiguous tensor of `T` on the CPU.
pub fn slice_mut<T: Element>(tensor: &mut Tensor) -> Result<&mut [T], SliceError> {
    let Some((pointer, length)) = numbers::<T>(tensor)? else { return Ok(&mut []) };
    // SAFETY: the tensor is defined, as `numbers` found; its count of changes is changed by one thread at a time, as the
    // rule above says of its numbers.
    if !unsafe { fain_changed(tensor.as_ptr()) } {
        // libtorch says why by its own operation, in place on none of the numbers.
        let _told = tch::no_grad(|| tensor.f_view([-1])?.f_narrow(0, 0, 0)?.f_zero_())?;
    }
    // SAFETY: as in `slice`; `&mut Tensor` and the rule above leave this slice the only way to the numbers.
    Ok(unsafe { std::slice::from_raw_parts_mut(pointer, length) })
}

/// Where the numbers of a tensor are and how many; `None` when there are none.
fn numbers<T: Element>(tensor: &Tensor) -> Result<Option<(*mut T, usize)>, SliceError> {
    let (mut pointer, mut length) = (std::ptr::null_mut(), 0);
    // SAFETY: the tensor's handle is borrowed, and both outputs are this function's own.
    let suitable = unsafe { fain_numbers(tensor.as_ptr(), T::SCALAR_TYPE, &raw mut pointer, &raw mut length) };
    if suitable && length == 0 {
        return Ok(None);
    }
    let pointer = pointer.cast::<T>();
    if suitable && !pointer.is_null() && pointer.is_aligned() {
        // A dense, contiguous CPU tensor of this kind has `length` initialised numbers from `data_ptr` on; the pointer
        // is aligned and not null.
        return Ok(Some((pointer, length)));
    }
    Err(refusal::<T>(tensor)?)
}

/// Why a tensor has no slice.
fn refusal<T: Element>(tensor: &Tensor) -> Result<SliceError, TchError> {
    let unsuitable = |got: &str| Ok(SliceError::Unsuitable { needed: T::KIND, got: got.to_owned() });
    if !tensor.defined() {
        return unsuitable("undefined");
    }
    if tensor.device() != Device::Cpu {
        return unsuitable(&format!("on {:?}", tensor.device()));
    }
    if tensor.f_kind()? != T::KIND {
        return unsuitable(&format!("of {:?}", tensor.kind()));
    }
    // Asked before contiguity, which only dense tensors have.
    if tensor.is_sparse() || tensor.is_mkldnn() {
        return unsuitable("not dense");
    }
    if !tensor.is_contiguous() {
        return unsuitable("not contiguous");
    }
    // A view that negates when it is read, and zeros that have no memory.
    if tensor.f_is_neg()? || tensor.f_internal_is_zerotensor()? {
        return unsuitable("computed when it is read");
    }
    unsuitable("not in aligned memory")
}

/// A tensor that is being filled, on the CPU, which nobody else sees before it is finished.
///
/// ```
/// let mut squares = fain_autograd::Buffer::<f64>::new(&[2, 2])?;
/// for (index, square) in squares.as_mut_slice().iter_mut().enumerate() {
///     *square = (index * index) as f64;
/// }
/// assert_eq!(squares.into_tensor(), tch::Tensor::from_slice(&[0.0, 1.0, 4.0, 9.0]).reshape([2, 2]));
/// # Ok::<(), fain_autograd::SliceError>(())
/// ```
#[derive(Debug)]
pub struct Buffer<T> {
    tensor: Tensor,
    length: usize,
    element: PhantomData<T>,
}

impl<T: Element> Buffer<T> {
    /// Zeros of a shape.
    ///
    /// # Errors
    /// [`SliceError::Libtorch`] when a size is negative or there is no memory left.
    pub fn new(size: &[i64]) -> Result<Self, SliceError> {
        Self::over(Tensor::f_zeros(size, (T::KIND, Device::Cpu))?)
    }

    /// Numbers of a shape, of any value: for what writes each of them, and need not have them set to zero before.
    ///
    /// # Errors
    /// As [`Buffer::new`].
    pub fn unspecified(size: &[i64]) -> Result<Self, SliceError> {
        Self::over(Tensor::f_empty(size, (T::KIND, Device::Cpu))?)
    }

    /// A tensor that nobody else has.
    fn over(tensor: Tensor) -> Result<Self, SliceError> {
        let length = slice::<T>(&tensor)?.len();
        Ok(Self { tensor, length, element: PhantomData })
    }

    /// The numbers, row by row.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        if self.length == 0 {
            return &mut [];
        }
        // SAFETY: `over` got a new tensor and found `length` aligned numbers in it: zeros, or what libtorch's allocator
        // left there. That memory comes from C++, of whose writes the compiler knows nothing, so that its bytes are
        // fixed though unspecified, and all bytes are a number. The tensor never leaves this buffer but by
        // `into_tensor`, which ends it, so the borrow of the buffer is the only way to the numbers.
        unsafe { std::slice::from_raw_parts_mut(self.tensor.data_ptr().cast::<T>(), self.length) }
    }

    /// The finished tensor.
    pub fn into_tensor(self) -> Tensor {
        self.tensor
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn message<T: Element + std::fmt::Debug>(tensor: &Tensor) -> String {
        slice::<T>(tensor).unwrap_err().to_string()
    }

    #[test]
    fn what_is_written_into_a_slice_is_the_tensors() {
        let mut tensor = Tensor::from_slice(&[1.0, 2.0, 3.0, 4.0]).reshape([2, 2]).set_requires_grad(true);
        // The derivative of a square needs the old numbers.
        let loss = tensor.square().sum(Kind::Double);
        slice_mut::<f64>(&mut tensor).unwrap()[3] = 7.0;
        assert_eq!(tensor.detach(), Tensor::from_slice(&[1.0, 2.0, 3.0, 7.0]).reshape([2, 2]));
        assert!(tensor.is_leaf() && tensor.requires_grad());
        let error = loss.f_backward().unwrap_err().to_string();
        assert!(error.contains("modified by an inplace operation"), "{error}");
        let mut ids = Tensor::from_slice(&[1i64, 2]);
        slice_mut::<i64>(&mut ids).unwrap().swap(0, 1);
        assert_eq!(Vec::<i64>::try_from(ids).unwrap(), [2, 1]);
        let mut none = Tensor::zeros([0, 3], (Kind::Float, Device::Cpu));
        assert!(slice_mut::<f32>(&mut none).unwrap().is_empty());
        let error = slice_mut::<f32>(&mut Tensor::from_slice(&[1.0])).unwrap_err().to_string();
        assert!(error.contains("of Double"), "{error}");
    }

    #[test]
    fn a_buffer_of_unspecified_numbers_holds_what_is_written() {
        let mut buffer = Buffer::<f32>::unspecified(&[3, 2]).unwrap();
        buffer.as_mut_slice().copy_from_slice(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(buffer.into_tensor(), Tensor::from_slice(&[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0]).reshape([3, 2]));
        assert!(Buffer::<f64>::unspecified(&[0, 2]).unwrap().as_mut_slice().is_empty());
        assert!(Buffer::<f32>::unspecified(&[-1]).is_err());
    }

    #[test]
    fn a_slice_is_the_tensors_memory() {
        let tensor = Tensor::from_slice(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).reshape([3, 2]);
        assert_eq!(slice::<f64>(&tensor).unwrap(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(slice::<f64>(&tensor).unwrap().as_ptr().cast(), tensor.data_ptr().cast_const());
        // A part that is contiguous starts within the memory of the whole.
        assert_eq!(slice::<f64>(&tensor.narrow(0, 1, 1)).unwrap(), [3.0, 4.0]);
        assert_eq!(slice::<f32>(&Tensor::from(2.5f32)).unwrap(), [2.5]);
        assert_eq!(slice::<f32>(&Tensor::zeros([0, 3], (Kind::Float, Device::Cpu))).unwrap(), [0.0f32; 0]);
        // What libtorch writes later is seen by a later slice.
        let _ones = tensor.shallow_clone().fill_(1.0);
        assert_eq!(slice::<f64>(&tensor).unwrap(), [1.0; 6]);
    }

    #[test]
    fn what_is_no_row_of_numbers_has_no_slice() {
        let tensor = Tensor::from_slice(&[1.0, 2.0, 3.0, 4.0]).reshape([2, 2]);
        let needed = "a Double tensor, dense and contiguous, on the CPU is needed, but this one is ";
        for (tensor, got) in [
            (tensor.to_kind(Kind::Float), "of Float"),
            (tensor.to_kind(Kind::Half), "of Half"),
            (tensor.transpose(0, 1), "not contiguous"),
            (tensor.narrow(1, 0, 1), "not contiguous"),
            (Tensor::from(1.0).expand([2, 2], false), "not contiguous"),
            (tensor.to_sparse(None, None::<i64>, None), "not dense"),
            (tensor.internal_neg_view(), "computed when it is read"),
            (Tensor::internal_efficientzerotensor([2], (Kind::Double, Device::Cpu)), "computed when it is read"),
            (Tensor::new(), "undefined"),
        ] {
            assert_eq!(message::<f64>(&tensor), format!("{needed}{got}"));
        }
        assert!(message::<f32>(&tensor).ends_with("but this one is of Double"));
    }

    #[test]
    fn a_buffer_becomes_a_tensor_without_a_copy() {
        let mut buffer = Buffer::<f32>::new(&[2, 3]).unwrap();
        assert_eq!(buffer.as_mut_slice(), [0.0; 6]);
        buffer.as_mut_slice()[4] = 7.0;
        let place = buffer.as_mut_slice().as_ptr();
        let tensor = buffer.into_tensor();
        assert_eq!(tensor.size(), [2, 3]);
        assert_eq!(slice::<f32>(&tensor).unwrap(), [0.0, 0.0, 0.0, 0.0, 7.0, 0.0]);
        assert_eq!(slice::<f32>(&tensor).unwrap().as_ptr(), place);
    }

    #[test]
    fn a_buffer_may_be_empty_but_not_negative() {
        let mut buffer = Buffer::<f64>::new(&[0, 5]).unwrap();
        assert_eq!(buffer.as_mut_slice(), [0.0; 0]);
        assert_eq!(buffer.into_tensor().size(), [0, 5]);
        assert!(matches!(Buffer::<f64>::new(&[-1]), Err(SliceError::Libtorch(_))));
    }
}

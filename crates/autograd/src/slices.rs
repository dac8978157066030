//! Tensors as slices, for functions that compute with Rust's own loops.
#![allow(unsafe_code, reason = "a tensor's numbers lie behind a C++ pointer")]

use std::marker::PhantomData;

use tch::{Device, Kind, TchError, Tensor};
use thiserror::Error;

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
}

impl Element for f32 {
    const KIND: Kind = Kind::Float;
}

impl Element for f64 {
    const KIND: Kind = Kind::Double;
}

impl Element for i64 {
    const KIND: Kind = Kind::Int64;
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
    // An operation in place on none of the numbers counts the version of all of them up.
    let _told = tch::no_grad(|| tensor.f_view([-1])?.f_narrow(0, 0, 0)?.f_zero_())?;
    // SAFETY: as in `slice`; `&mut Tensor` and the rule above leave this slice the only way to the numbers.
    Ok(unsafe { std::slice::from_raw_parts_mut(pointer, length) })
}

/// Where the numbers of a tensor are and how many; `None` when there are none.
fn numbers<T: Element>(tensor: &Tensor) -> Result<Option<(*mut T, usize)>, SliceError> {
    let unsuitable = |got: &str| Err(SliceError::Unsuitable { needed: T::KIND, got: got.to_owned() });
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
    let length = tensor.numel();
    if length == 0 {
        return Ok(None);
    }
    let pointer = tensor.data_ptr().cast::<T>();
    if pointer.is_null() || !pointer.is_aligned() {
        return unsuitable("not in aligned memory");
    }
    // A dense, contiguous CPU tensor of this kind has `length` initialised numbers from `data_ptr` on; the pointer is
    // aligned and not null.
    Ok(Some((pointer, length)))
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
        let tensor = Tensor::f_zeros(size, (T::KIND, Device::Cpu))?;
        let length = slice::<T>(&tensor)?.len();
        Ok(Self { tensor, length, element: PhantomData })
    }

    /// The numbers, row by row.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        if self.length == 0 {
            return &mut [];
        }
        // SAFETY: `new` made the tensor and found `length` initialised, aligned numbers in it. The tensor never leaves
        // this buffer but by `into_tensor`, which ends it, so the borrow of the buffer is the only way to the numbers.
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

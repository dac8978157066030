//! Mixed precision: matrix products in a narrower kind than the numbers around them.
#![allow(unsafe_code, reason = "libtorch's autocast is C++")]

use std::ffi::{c_int, c_void};
use std::fmt;
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, TchError, Tensor};

use crate::AutogradError;
use crate::device::device_type;
use crate::report::{Report, report};

/// Must match `FainAutocast` in `cpp/autocast.cpp`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
struct State {
    kind: c_int,
    enabled: bool,
    keeps_casts: bool,
}

unsafe extern "C" {
    fn fain_exchange_autocast(
        device: c_int,
        next: *const State,
        before: *mut State,
        sink: *mut c_void,
        report: Report,
    ) -> c_int;
    safe fn fain_autocast_kind(device: c_int) -> c_int;
    safe fn fain_suspend_autocast() -> u64;
    safe fn fain_resume_autocast(before: u64);
}

/// What matrix products compute in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// float32 throughout.
    #[default]
    Float32,
    /// Mixed: products of matrices read and write bfloat16, which has the range of float32 and 8 significant bits. Sums
    /// within a product are float32.
    BFloat16,
}

impl Precision {
    /// As in a configuration file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Float32 => "float32",
            Self::BFloat16 => "bfloat16",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// `c10::ScalarType` of the kinds that autocast casts to.
const HALF: c_int = 5;
const BFLOAT16: c_int = 15;

/// Puts libtorch's autocast back as it was, also when a panic unwinds. It belongs to a thread and stays on it.
struct Region {
    device: c_int,
    before: State,
    of_this_thread: PhantomData<*const ()>,
}

impl Region {
    fn enter(device: c_int, next: State) -> Result<Self, AutogradError> {
        let before = exchange(device, next)?;
        Ok(Self { device, before, of_this_thread: PhantomData })
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // The device had autocast when the region was entered, and the state is one that it gave.
        let _restored = exchange(self.device, self.before);
    }
}

fn exchange(device: c_int, next: State) -> Result<State, AutogradError> {
    let (mut before, mut text) = (next, String::new());
    // SAFETY: both states are this function's own and laid out as in C++, and so is the sink of the report.
    let failed =
        unsafe { fain_exchange_autocast(device, &raw const next, &raw mut before, (&raw mut text).cast(), report) };
    if failed == 0 { Ok(before) } else { Err(TchError::Torch(text).into()) }
}

/// Runs `work` with libtorch's autocast for a device: under [`Precision::BFloat16`] it is on, under
/// [`Precision::Float32`] it is off. Afterwards it is as it was before, also after an error or a panic; regions may stand
/// within each other.
///
/// In a bfloat16 region `linear`, `matmul` and their like cast what they read, and give bfloat16. Parameters stay as they
/// are, and their gradients have their kind. Where numbers must not be that coarse, as in a loss, [`widened`] leads back.
/// What a [`Function`](crate::Function) computes is left as it is written: autocast is off in both of its passes.
///
/// It holds for the caller's thread and this kind of device. Casts are made anew at each use, so that none made without a
/// graph can stand in for one that belongs to it.
///
/// ```
/// use fain_autograd::{Precision, autocast};
/// use tch::{Device, Kind, Tensor};
///
/// let weight = Tensor::ones([3, 2], (Kind::Float, Device::Cpu)).set_requires_grad(true);
/// let events = Tensor::ones([4, 2], (Kind::Float, Device::Cpu));
/// let products = autocast(Device::Cpu, Precision::BFloat16, || events.linear(&weight, None::<Tensor>))?;
/// assert_eq!(products.kind(), Kind::BFloat16);
/// products.to_kind(Kind::Float).sum(Kind::Float).backward();
/// assert_eq!(weight.grad().kind(), Kind::Float);
/// # Ok::<(), fain_autograd::AutogradError>(())
/// ```
///
/// # Errors
/// [`AutogradError::Libtorch`] when libtorch has no autocast for the device; `work` is not run then.
pub fn autocast<R>(device: Device, precision: Precision, work: impl FnOnce() -> R) -> Result<R, AutogradError> {
    let enabled = precision == Precision::BFloat16;
    let state = State { kind: BFLOAT16, enabled, keeps_casts: false };
    let _region = Region::enter(device_type(device), state)?;
    Ok(work())
}

/// The kind that libtorch's autocast casts to on this thread and device; `None` where it is off.
pub fn autocast_kind(device: Device) -> Option<Kind> {
    match fain_autocast_kind(device_type(device)) {
        HALF => Some(Kind::Half),
        BFLOAT16 => Some(Kind::BFloat16),
        _ => None,
    }
}

/// What came out of a product under [`autocast`], in float32; any other tensor as it is, also where autocast is off.
///
/// # Errors
/// [`TchError`] when libtorch refuses.
pub fn widened(tensor: &Tensor) -> Result<Tensor, TchError> {
    match (autocast_kind(tensor.device()), tensor.f_kind()?) {
        (Some(narrow), kind) if narrow == kind => tensor.f_to_kind(Kind::Float),
        _ => Ok(tensor.shallow_clone()),
    }
}

/// No autocast on this thread, whatever the device, until it is dropped.
pub(crate) struct Suspended {
    before: u64,
    of_this_thread: PhantomData<*const ()>,
}

impl Suspended {
    pub(crate) fn new() -> Self {
        Self { before: fain_suspend_autocast(), of_this_thread: PhantomData }
    }
}

impl Drop for Suspended {
    fn drop(&mut self) {
        fain_resume_autocast(self.before);
    }
}

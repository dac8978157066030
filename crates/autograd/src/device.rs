//! The device that computes.

use std::error::Error as _;
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use thiserror::Error;

/// The device that was asked for: `cpu`, `cuda` (the first one) or `cuda:N`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// The processor.
    #[default]
    Cpu,
    /// The CUDA device with this number, from 0.
    Cuda(usize),
}

/// Why a device cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// The text names no device.
    #[error("`{0}` is no device; allowed: cpu, cuda, cuda:N")]
    Unknown(String),
    /// The CUDA half of libtorch cannot be loaded.
    #[error(
        "this libtorch has no CUDA ({0}). To use a GPU, set FAIN_LIBTORCH to the site-packages folder of a CUDA build \
         of PyTorch 2.11, run `cargo xtask setup`, and try again; or use --device cpu"
    )]
    NoCuda(String),
    /// libtorch has CUDA but sees no device.
    #[error(
        "libtorch has CUDA but finds no usable GPU; look at `nvidia-smi` and CUDA_VISIBLE_DEVICES, or use --device cpu"
    )]
    NoGpu,
    /// There is no device with this number.
    #[error("cuda:{asked} is not there; libtorch finds {found} CUDA device(s), numbered from 0")]
    OutOfRange {
        /// The number asked for.
        asked: usize,
        /// How many there are.
        found: usize,
    },
}

impl FromStr for DeviceChoice {
    type Err = DeviceError;

    fn from_str(text: &str) -> Result<Self, DeviceError> {
        let unknown = || DeviceError::Unknown(text.to_owned());
        match text {
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            _ => {
                let number = text.strip_prefix("cuda:").ok_or_else(unknown)?;
                number.parse().map(Self::Cuda).map_err(|_| unknown())
            }
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => formatter.write_str("cpu"),
            Self::Cuda(number) => write!(formatter, "cuda:{number}"),
        }
    }
}

impl DeviceChoice {
    /// Makes the device ready.
    ///
    /// A CUDA device must be opened here before anything else asks libtorch about CUDA: libtorch remembers the first
    /// answer.
    ///
    /// # Errors
    /// [`DeviceError`] says what is missing and what to do.
    pub fn open(self) -> Result<tch::Device, DeviceError> {
        let Self::Cuda(asked) = self else { return Ok(tch::Device::Cpu) };
        load_cuda()?;
        if !tch::Cuda::is_available() {
            return Err(DeviceError::NoGpu);
        }
        let found = usize::try_from(tch::Cuda::device_count()).unwrap_or(0);
        if asked >= found {
            return Err(DeviceError::OutOfRange { asked, found });
        }
        Ok(tch::Device::Cuda(asked))
    }
}

/// The device's number among libtorch's types of devices (`c10::DeviceType`).
pub(crate) fn device_type(device: tch::Device) -> i32 {
    match device {
        tch::Device::Cpu => 0,
        tch::Device::Cuda(_) => 1,
        tch::Device::Vulkan => 10,
        tch::Device::Mps => 13,
    }
}

/// Loads the CUDA half of libtorch, once for the life of the process.
fn load_cuda() -> Result<(), DeviceError> {
    static LOADED: OnceLock<Result<(), String>> = OnceLock::new();
    LOADED.get_or_init(open_cuda_library).clone().map_err(DeviceError::NoCuda)
}

#[cfg(unix)]
#[allow(unsafe_code, reason = "a shared library can only be loaded by unsafe code")]
fn open_cuda_library() -> Result<(), String> {
    use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
    // SAFETY: loading runs the initialisers of libtorch_cuda, which is made to be loaded beside the libtorch_cpu that
    // this program is linked to; both come from one installation, found by the same run path. The library is never
    // unloaded, so that nothing it registers with libtorch can dangle.
    let library = unsafe { Library::open(Some("libtorch_cuda.so"), RTLD_NOW | RTLD_GLOBAL) };
    // The error itself only says that loading failed; its source says why.
    let library = library.map_err(|error| error.source().map_or_else(|| error.to_string(), ToString::to_string))?;
    std::mem::forget(library);
    Ok(())
}

#[cfg(not(unix))]
fn open_cuda_library() -> Result<(), String> {
    Err("CUDA is supported on Linux".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn names_are_read_and_written() {
        for (text, choice) in [("cpu", DeviceChoice::Cpu), ("cuda:3", DeviceChoice::Cuda(3))] {
            assert_eq!(text.parse::<DeviceChoice>().unwrap(), choice);
            assert_eq!(choice.to_string(), text);
        }
        assert_eq!("cuda".parse::<DeviceChoice>().unwrap(), DeviceChoice::Cuda(0));
        for text in ["gpu", "cuda:", "cuda:-1", "cuda:x", ""] {
            let error = text.parse::<DeviceChoice>().unwrap_err();
            assert_eq!(error.to_string(), format!("`{text}` is no device; allowed: cpu, cuda, cuda:N"));
        }
    }

    /// Holds with and without CUDA: a number that no machine has is refused with what to do.
    #[test]
    fn a_missing_device_is_refused_with_advice() {
        let error = DeviceChoice::Cuda(4096).open().unwrap_err();
        match &error {
            DeviceError::NoCuda(cause) => {
                assert!(cause.contains("libtorch_cuda.so"), "{cause}");
                assert!(error.to_string().contains("FAIN_LIBTORCH"), "{error}");
            }
            DeviceError::NoGpu => assert!(error.to_string().contains("nvidia-smi"), "{error}"),
            DeviceError::OutOfRange { asked, .. } => assert_eq!(*asked, 4096),
            DeviceError::Unknown(_) => panic!("{error}"),
        }
        // A second call gives the same answer.
        assert_eq!(DeviceChoice::Cuda(4096).open().unwrap_err(), error);
    }
}

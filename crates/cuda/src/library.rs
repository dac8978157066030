//! Shared libraries that are looked for when the program runs.

use std::error::Error as _;

use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};

use crate::error::CudaError;

/// Loads the first of these libraries that is there.
///
/// # Errors
/// [`CudaError::Library`] with what the loader said of the last one.
pub(crate) fn load(names: &[String]) -> Result<Library, CudaError> {
    let mut reason = String::new();
    for name in names {
        // SAFETY: the callers name libraries of CUDA and of libtorch, whose initialisers are made to run in any program.
        match unsafe { Library::open(Some(name), RTLD_NOW | RTLD_GLOBAL) } {
            Ok(library) => return Ok(library),
            // The error itself only says that loading failed; its source says why.
            Err(error) => reason = error.source().map_or_else(|| error.to_string(), ToString::to_string),
        }
    }
    Err(CudaError::Library { names: names.join(", "), reason })
}

/// The first of these libraries that the program has loaded already.
pub(crate) fn loaded(names: &[String]) -> Option<Library> {
    // SAFETY: nothing is loaded, so that nothing runs.
    names.iter().find_map(|name| unsafe { Library::open(Some(name), RTLD_NOW | libc::RTLD_NOLOAD) }.ok())
}

/// A function of a library.
///
/// # Errors
/// [`CudaError::Symbol`] when the library lacks it.
///
/// # Safety
/// `F` is the type of the function with this name, and is not called after the library is unloaded.
pub(crate) unsafe fn function<F: Copy>(library: &Library, name: &'static str) -> Result<F, CudaError> {
    // SAFETY: the caller knows the function's type.
    let symbol = unsafe { library.get::<F>(name.as_bytes()) };
    symbol.map(|symbol| *symbol).map_err(|error| CudaError::Symbol { name, reason: error.to_string() })
}

/// Fails unless the code is 0.
///
/// # Errors
/// [`CudaError::Call`].
pub(crate) fn check(function: &'static str, code: i32) -> Result<(), CudaError> {
    if code == 0 { Ok(()) } else { Err(CudaError::Call { function, code }) }
}

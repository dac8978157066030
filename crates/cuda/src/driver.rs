//! The driver: what a device has, and kernels on it.

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::ptr;

use libloading::os::unix::Library;

use crate::error::CudaError;
use crate::library::{check, function, load};
use crate::plan::Limits;

type Handle = *mut c_void;
type Init = unsafe extern "C" fn(c_uint) -> c_int;
type DeviceGet = unsafe extern "C" fn(*mut c_int, c_int) -> c_int;
type Attribute = unsafe extern "C" fn(*mut c_int, c_int, c_int) -> c_int;
type Name = unsafe extern "C" fn(*mut c_char, c_int, c_int) -> c_int;
type Retain = unsafe extern "C" fn(*mut Handle, c_int) -> c_int;
type Push = unsafe extern "C" fn(Handle) -> c_int;
type Pop = unsafe extern "C" fn(*mut Handle) -> c_int;
type Load = unsafe extern "C" fn(*mut Handle, *const c_void) -> c_int;
type Find = unsafe extern "C" fn(*mut Handle, Handle, *const c_char) -> c_int;
type Configure = unsafe extern "C" fn(Handle, c_int, c_int) -> c_int;
type Start = unsafe extern "C" fn(
    Handle,
    c_uint,
    c_uint,
    c_uint,
    c_uint,
    c_uint,
    c_uint,
    c_uint,
    Handle,
    *mut *mut c_void,
    *mut *mut c_void,
) -> c_int;

/// `CUdevice_attribute` and `CUfunction_attribute` of cuda.h.
const MULTIPROCESSORS: c_int = 16;
const THREADS_OF_MULTIPROCESSOR: c_int = 39;
const MAJOR: c_int = 75;
const MINOR: c_int = 76;
const MEMORY_OF_MULTIPROCESSOR: c_int = 81;
const MEMORY_OF_BLOCK: c_int = 97;
const DYNAMIC_MEMORY_OF_FUNCTION: c_int = 8;

/// The name of the CUDA device with this number, as libtorch counts them.
///
/// # Errors
/// [`CudaError::Library`] without a driver; [`CudaError::Call`] when there is no such device.
pub fn device_name(number: usize) -> Result<String, CudaError> {
    let library = load(&["libcuda.so.1".to_owned(), "libcuda.so".to_owned()])?;
    let mut name = [0_u8; 256];
    // SAFETY: these are the types of the driver's functions in cuda.h; the name is written where there is room for it.
    unsafe {
        let init: Init = function(&library, "cuInit")?;
        let get: DeviceGet = function(&library, "cuDeviceGet")?;
        let ask: Name = function(&library, "cuDeviceGetName")?;
        let mut device = 0;
        check("cuInit", init(0))?;
        check("cuDeviceGet", get(&raw mut device, number as c_int))?;
        check("cuDeviceGetName", ask(name.as_mut_ptr().cast(), name.len() as c_int, device))?;
    }
    Ok(CStr::from_bytes_until_nul(&name).map(|name| name.to_string_lossy().into_owned()).unwrap_or_default())
}

/// One CUDA device, in the context that libtorch uses.
#[derive(Debug)]
pub(crate) struct Device {
    context: Handle,
    push: Push,
    pop: Pop,
    load: Load,
    find: Find,
    configure: Configure,
    start: Start,
    limits: Limits,
    architecture: String,
    /// Keeps the functions above in memory.
    _library: Library,
}

// SAFETY: a context and what is in it may be used from any thread; each call below makes it current for itself.
unsafe impl Send for Device {}
// SAFETY: as above; the driver locks what it changes.
unsafe impl Sync for Device {}

/// A kernel on a device. It stays there as long as the program runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kernel(Handle);

// SAFETY: as for the device.
unsafe impl Send for Kernel {}

impl Device {
    /// Opens the device with this number; the numbers are libtorch's.
    pub(crate) fn open(number: usize) -> Result<Self, CudaError> {
        let library = load(&["libcuda.so.1".to_owned(), "libcuda.so".to_owned()])?;
        let mut device = 0;
        let mut context = ptr::null_mut();
        // SAFETY: these are the types of the driver's functions in cuda.h, with the version in the name that has them;
        // the library stays loaded as long as they do. What is written goes into variables of this function.
        unsafe {
            let init: Init = function(&library, "cuInit")?;
            let get: DeviceGet = function(&library, "cuDeviceGet")?;
            let ask: Attribute = function(&library, "cuDeviceGetAttribute")?;
            let retain: Retain = function(&library, "cuDevicePrimaryCtxRetain")?;
            check("cuInit", init(0))?;
            check("cuDeviceGet", get(&raw mut device, number as c_int))?;
            let attribute = |which: c_int| {
                let mut value = 0;
                check("cuDeviceGetAttribute", ask(&raw mut value, which, device))?;
                Ok::<usize, CudaError>(usize::try_from(value).unwrap_or(0))
            };
            let limits = Limits {
                multiprocessors: attribute(MULTIPROCESSORS)?,
                block_memory: attribute(MEMORY_OF_BLOCK)?,
                memory: attribute(MEMORY_OF_MULTIPROCESSOR)?,
                threads: attribute(THREADS_OF_MULTIPROCESSOR)?,
            };
            let architecture = format!("sm_{}{}", attribute(MAJOR)?, attribute(MINOR)?);
            // Never released: libtorch keeps it to the end of the program, too.
            check("cuDevicePrimaryCtxRetain", retain(&raw mut context, device))?;
            Ok(Self {
                context,
                push: function(&library, "cuCtxPushCurrent_v2")?,
                pop: function(&library, "cuCtxPopCurrent_v2")?,
                load: function(&library, "cuModuleLoadData")?,
                find: function(&library, "cuModuleGetFunction")?,
                configure: function(&library, "cuFuncSetAttribute")?,
                start: function(&library, "cuLaunchKernel")?,
                limits,
                architecture,
                _library: library,
            })
        }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What the compiler calls the processor: `sm_90`.
    pub(crate) fn architecture(&self) -> &str {
        &self.architecture
    }

    /// Puts compiled code on the device.
    pub(crate) fn kernel(&self, code: &[u8], entry: &'static str) -> Result<Kernel, CudaError> {
        let name = CString::new(entry).map_err(|error| CudaError::Symbol { name: entry, reason: error.to_string() })?;
        self.within(|| {
            let (mut module, mut kernel) = (ptr::null_mut(), ptr::null_mut());
            // SAFETY: the code is a whole image as the compiler gave it; the name ends with a zero.
            unsafe {
                check("cuModuleLoadData", (self.load)(&raw mut module, code.as_ptr().cast()))?;
                check("cuModuleGetFunction", (self.find)(&raw mut kernel, module, name.as_ptr()))?;
            }
            Ok(Kernel(kernel))
        })
    }

    /// Starts a kernel on the stream that libtorch uses unless it is told otherwise. Nothing waits for its end.
    ///
    /// # Safety
    /// `arguments` are the kernel's, and the addresses in them are buffers of the lengths that it uses, on this device,
    /// until it has run.
    pub(crate) unsafe fn start<A>(
        &self,
        kernel: Kernel,
        (blocks, threads, memory): (usize, usize, usize),
        arguments: &mut A,
    ) -> Result<(), CudaError> {
        self.within(|| {
            let mut list = [ptr::from_mut(arguments).cast::<c_void>()];
            // SAFETY: the kernel was loaded in this context. It takes one argument, which the driver copies before it
            // returns. The null stream is libtorch's default stream.
            unsafe {
                check("cuFuncSetAttribute", (self.configure)(kernel.0, DYNAMIC_MEMORY_OF_FUNCTION, memory as c_int))?;
                let code = (self.start)(
                    kernel.0,
                    blocks as c_uint,
                    1,
                    1,
                    threads as c_uint,
                    1,
                    1,
                    memory as c_uint,
                    ptr::null_mut(),
                    list.as_mut_ptr(),
                    ptr::null_mut(),
                );
                check("cuLaunchKernel", code)
            }
        })
    }

    /// Does something while the device's context is the thread's current one.
    fn within<T>(&self, work: impl FnOnce() -> Result<T, CudaError>) -> Result<T, CudaError> {
        // SAFETY: the context lives as long as the program.
        check("cuCtxPushCurrent", unsafe { (self.push)(self.context) })?;
        let result = work();
        let mut popped = ptr::null_mut();
        // SAFETY: it was pushed above.
        check("cuCtxPopCurrent", unsafe { (self.pop)(&raw mut popped) })?;
        result
    }
}

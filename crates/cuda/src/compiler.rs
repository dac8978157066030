//! NVRTC: the compiler for CUDA that is a library.

use std::ffi::{CStr, CString, OsStr, c_char, c_int, c_void};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::ptr;

use libloading::os::unix::Library;

use crate::error::CudaError;
use crate::library::{check, function, load, loaded};

type Program = *mut c_void;
type Create = unsafe extern "C" fn(
    *mut Program,
    *const c_char,
    *const c_char,
    c_int,
    *const *const c_char,
    *const *const c_char,
) -> c_int;
type Compile = unsafe extern "C" fn(Program, c_int, *const *const c_char) -> c_int;
type Size = unsafe extern "C" fn(Program, *mut usize) -> c_int;
type Bytes = unsafe extern "C" fn(Program, *mut c_char) -> c_int;
type Destroy = unsafe extern "C" fn(*mut Program) -> c_int;

/// Compiles kernels for a processor; it needs none itself.
#[derive(Debug)]
pub struct Compiler {
    create: Create,
    compile: Compile,
    log_size: Size,
    log: Bytes,
    code_size: Size,
    code: Bytes,
    destroy: Destroy,
    /// Keeps the functions above in memory.
    _library: Library,
}

/// A compiled kernel.
#[derive(Debug)]
pub struct Compiled {
    /// Machine code, for `cuModuleLoadData`.
    pub code: Vec<u8>,
    /// What the compiler said: with `report` the registers of each kernel.
    pub log: String,
}

impl Compiler {
    /// Finds the library: the one that libtorch's CUDA build brings, or one by its name.
    ///
    /// # Errors
    /// [`CudaError::Library`], [`CudaError::Symbol`].
    pub fn find() -> Result<Self, CudaError> {
        let names: Vec<String> =
            ["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"].into_iter().map(ToOwned::to_owned).collect();
        // A pip wheel of PyTorch has NVRTC in a folder of its own, to which this part of libtorch leads. It is of the
        // version that the driver is known to work with.
        if let Ok(leading) = load(&["libcaffe2_nvrtc.so".to_owned()]) {
            std::mem::forget(leading);
        }
        Self::of(loaded(&names).map_or_else(|| load(&names), Ok)?)
    }

    /// Takes the library from a file.
    ///
    /// # Errors
    /// [`CudaError::Library`], [`CudaError::Symbol`].
    pub fn at(file: &Path) -> Result<Self, CudaError> {
        Self::of(load(&[file.display().to_string()])?)
    }

    fn of(library: Library) -> Result<Self, CudaError> {
        keep_builtins(&library)?;
        // SAFETY: these are the types of NVRTC's functions in nvrtc.h, the same since CUDA 11.1; the library stays
        // loaded as long as they do.
        unsafe {
            Ok(Self {
                create: function(&library, "nvrtcCreateProgram")?,
                compile: function(&library, "nvrtcCompileProgram")?,
                log_size: function(&library, "nvrtcGetProgramLogSize")?,
                log: function(&library, "nvrtcGetProgramLog")?,
                code_size: function(&library, "nvrtcGetCUBINSize")?,
                code: function(&library, "nvrtcGetCUBIN")?,
                destroy: function(&library, "nvrtcDestroyProgram")?,
                _library: library,
            })
        }
    }

    /// Compiles for one processor, `sm_90` for example. `report` asks for the registers of each kernel in the log.
    ///
    /// # Errors
    /// [`CudaError::Compile`] with what the compiler said; [`CudaError::Call`] when it could not start.
    pub fn compile(&self, source: &str, architecture: &str, report: bool) -> Result<Compiled, CudaError> {
        let refused = |log: String| CudaError::Compile { architecture: architecture.to_owned(), log };
        let text = |text: &str| CString::new(text).map_err(|error| refused(error.to_string()));
        let (source, name) = (text(source)?, text("recurrence.cu")?);
        let mut options = vec![text(&format!("--gpu-architecture={architecture}"))?, text("--std=c++17")?];
        if report {
            options.push(text("--ptxas-options=-v")?);
        }
        let options: Vec<*const c_char> = options.iter().map(|option| option.as_ptr()).collect();

        let mut program = Running { program: ptr::null_mut(), destroy: self.destroy };
        // SAFETY: both texts end with a zero and outlive the call; there are no headers.
        let code = unsafe {
            (self.create)(&raw mut program.program, source.as_ptr(), name.as_ptr(), 0, ptr::null(), ptr::null())
        };
        check("nvrtcCreateProgram", code)?;
        // SAFETY: the program was just made; the options are that many texts, which outlive the call.
        let code = unsafe { (self.compile)(program.program, options.len() as c_int, options.as_ptr()) };
        let log = bytes(program.program, ("nvrtcGetProgramLog", self.log_size, self.log))?;
        let log = CStr::from_bytes_until_nul(&log).map(|log| log.to_string_lossy().trim().to_owned());
        let log = log.unwrap_or_default();
        if code != 0 {
            return Err(refused(if log.is_empty() { format!("NVRTC says code {code}") } else { log }));
        }
        let code = bytes(program.program, ("nvrtcGetCUBIN", self.code_size, self.code))?;
        Ok(Compiled { code, log })
    }
}

/// Loads what NVRTC itself looks for while it compiles: in CUDA 13's wheels it does not find the file beside it.
fn keep_builtins(library: &Library) -> Result<(), CudaError> {
    let Some(folder) = folder(library)? else { return Ok(()) };
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with("libnvrtc-builtins.so") {
            // Where it cannot be loaded, the compiler says so.
            if let Ok(builtins) = load(&[entry.path().display().to_string()]) {
                std::mem::forget(builtins);
            }
        }
    }
    Ok(())
}

/// The folder that a library was loaded from.
fn folder(library: &Library) -> Result<Option<PathBuf>, CudaError> {
    // SAFETY: the function is only looked up.
    let inside: Create = unsafe { function(library, "nvrtcCreateProgram")? };
    let mut about = MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: any address may be asked for; when one is found, the name ends with a zero and lives as long as the library.
    let file = unsafe {
        if libc::dladdr(inside as *const c_void, about.as_mut_ptr()) == 0 {
            return Ok(None);
        }
        CStr::from_ptr(about.assume_init().dli_fname)
    };
    let file = PathBuf::from(OsStr::from_bytes(file.to_bytes()));
    let file = file.canonicalize().unwrap_or(file);
    Ok(file.parent().map(Path::to_path_buf))
}

/// Bytes of a program whose number another function knows.
fn bytes(program: Program, (name, size, get): (&'static str, Size, Bytes)) -> Result<Vec<u8>, CudaError> {
    let mut length = 0;
    // SAFETY: the program lives, and the length is written where it is told to.
    check(name, unsafe { size(program, &raw mut length) })?;
    let mut bytes = vec![0_u8; length];
    // SAFETY: the function writes as many bytes as it has just said.
    check(name, unsafe { get(program, bytes.as_mut_ptr().cast()) })?;
    Ok(bytes)
}

/// A program that is destroyed at the end.
struct Running {
    program: Program,
    destroy: Destroy,
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.program.is_null() {
            // SAFETY: nobody else destroys it, and the library is still loaded. A failure would leave memory behind,
            // no more.
            let _code = unsafe { (self.destroy)(&raw mut self.program) };
        }
    }
}

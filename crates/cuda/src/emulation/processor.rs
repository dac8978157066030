//! The source as a shared library of this processor.

use std::fs;
use std::os::raw::{c_int, c_uint};
use std::process::Command;

use libloading::os::unix::Library;
use tempfile::TempDir;

use crate::buffers::{Backward, Forward};
use crate::plan::Plan;

const BLOCK: &str = include_str!("block.hpp");
const ENTRIES: &str = include_str!("entries.hpp");

/// Compiled kernels.
pub(super) struct Processor {
    library: Library,
    _folder: TempDir,
}

impl Processor {
    /// Compiles with the compiler that builds libtorch's bridge, too.
    pub(super) fn compile(source: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [text, program] = ["kernels.cpp", "kernels.so"].map(|name| folder.path().join(name));
        fs::write(&text, format!("{BLOCK}\n{source}\n{ENTRIES}")).unwrap();
        let compiler = std::env::var_os("CXX").unwrap_or_else(|| "c++".into());
        let output = Command::new(compiler)
            .args(["-std=c++17", "-O1", "-shared", "-fPIC", "-o"])
            .args([&program, &text])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        // SAFETY: the library was just made from our source, which runs nothing when it is loaded.
        let library = unsafe { Library::new(&program) }.unwrap();
        Self { library, _folder: folder }
    }

    pub(super) fn forward(&self, arguments: &Forward, plan: &Plan, backwards: bool) {
        self.run(b"emulate_forward", arguments, plan, backwards);
    }

    pub(super) fn backward(&self, arguments: &Backward, plan: &Plan, backwards: bool) {
        self.run(b"emulate_backward", arguments, plan, backwards);
    }

    fn run<A>(&self, name: &[u8], arguments: &A, plan: &Plan, backwards: bool) {
        type Entry<A> = unsafe extern "C" fn(*const A, c_uint, c_uint, usize, c_int) -> c_int;
        // SAFETY: this is the entries' type in entries.hpp. The addresses in the arguments are buffers of the case.
        let whole = unsafe {
            let entry = self.library.get::<Entry<A>>(name).unwrap();
            entry(arguments, plan.blocks as c_uint, plan.threads as c_uint, plan.memory, c_int::from(backwards))
        };
        assert_eq!(whole, 1, "threads left the kernel while others waited, or shared memory was overrun");
    }
}

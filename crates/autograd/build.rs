//! Compiles the C++ half of the bridge against the libtorch that `torch-sys` found.

use std::path::PathBuf;

fn main() {
    println!("cargo::rerun-if-changed=cpp");
    let Some(libraries) = std::env::var_os("DEP_TCH_LIBTORCH_LIB").map(PathBuf::from) else {
        println!("cargo::error=torch-sys did not say where libtorch is");
        return;
    };
    let includes = libraries.with_file_name("include");
    if !includes.join("torch/csrc/autograd/custom_function.h").is_file() {
        println!("cargo::error=the headers of libtorch are not in {}; run `cargo xtask setup`", includes.display());
        return;
    }

    cc::Build::new()
        .cpp(true)
        .std("c++17")
        // Not ours to warn about.
        .flag("-isystem")
        .flag(&includes)
        .warnings(true)
        .extra_warnings(true)
        // The headers' debug symbols would be most of the program's.
        .debug(false)
        .opt_level(2)
        .files(["cpp/autocast.cpp", "cpp/function.cpp", "cpp/parallel.cpp", "cpp/tensor.cpp", "cpp/upload.cpp"])
        .compile("fain_autograd");

    println!("cargo::rustc-link-search=native={}", libraries.display());
    for library in ["torch_cpu", "c10", "gomp"] {
        println!("cargo::rustc-link-lib=dylib={library}");
    }
}

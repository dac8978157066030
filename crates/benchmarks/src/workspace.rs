//! Where things lie: in the repository, or in a folder that `cargo xtask cuda-folder` has made.

use std::path::PathBuf;

/// The crate's folder; it was there when the program was built.
const CRATE: &str = env!("CARGO_MANIFEST_DIR");

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(CRATE).join("../..")
}

/// The folder of `cargo xtask cuda-folder` that this program lies in, if it does: the scripts are beside its `bin`.
fn folder() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let folder = program.parent()?.parent()?;
    folder.join("peers/service.py").is_file().then(|| folder.to_owned())
}

/// The scripts of the other programs.
pub(crate) fn scripts() -> PathBuf {
    folder().unwrap_or_else(|| PathBuf::from(CRATE)).join("peers")
}

/// Rows, caches and results; anything in it can be made again.
pub(crate) fn work() -> PathBuf {
    folder().map_or_else(|| root().join("target/benchmarks"), |folder| folder.join("work"))
}

/// The virtual environment that `--peers` makes.
pub(crate) fn environment() -> PathBuf {
    root().join(".peers")
}

/// The document whose marked part is the table.
pub(crate) fn document() -> PathBuf {
    root().join("docs/performance.md")
}

/// The folder of the documents' pictures.
pub(crate) fn pictures() -> PathBuf {
    root().join("docs/pictures")
}

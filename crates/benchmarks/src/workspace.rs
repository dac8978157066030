//! Where things lie in the repository.

use std::path::PathBuf;

/// The crate's folder; it was there when the program was built.
const CRATE: &str = env!("CARGO_MANIFEST_DIR");

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(CRATE).join("../..")
}

/// The scripts of the other programs.
pub(crate) fn scripts() -> PathBuf {
    PathBuf::from(CRATE).join("peers")
}

/// Rows, caches and results; anything in it can be made again.
pub(crate) fn work() -> PathBuf {
    root().join("target/benchmarks")
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

use std::io;
use std::path::PathBuf;

/// What can go wrong while a shop is described or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimulatorError {
    /// A value of the configuration is out of its bounds, or two values do not fit together.
    #[error("{key} = {value}: allowed is {allowed}")]
    Config {
        /// The key as written in the configuration.
        key: &'static str,
        /// The value got.
        value: String,
        /// What is allowed.
        allowed: String,
    },
    /// A folder could not be made or a file could not be written. Files of the same name from an
    /// earlier run are still whole.
    #[error("cannot write {}: {source}", file.display())]
    Write {
        /// The folder or the file's final name.
        file: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The progress callback asked to stop. No file was written.
    #[error("interrupted")]
    Interrupted,
}

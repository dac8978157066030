//! How a file is written, by its first bytes.

use std::fmt;

/// How a file is written. Its first bytes say so, whatever its name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// CSV, as it is.
    Plain,
    /// CSV in gzip, RFC 1952; several members are one text.
    Gzip,
    /// CSV in Zstandard, RFC 8878; several frames are one text.
    Zstd,
    /// Apache Parquet.
    Parquet,
}

impl Format {
    /// Bytes that tell the formats apart.
    pub(crate) const START: usize = 4;

    /// The format of a file that starts with these bytes.
    pub(crate) fn of(start: &[u8]) -> Self {
        match start {
            [0x1F, 0x8B, ..] => Self::Gzip,
            // A file may begin with a frame that is to be skipped, as those of pzstd do.
            [0x28, 0xB5, 0x2F, 0xFD] | [0x50..=0x5F, 0x2A, 0x4D, 0x18] => Self::Zstd,
            b"PAR1" => Self::Parquet,
            _ => Self::Plain,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Parquet => "Parquet",
        })
    }
}

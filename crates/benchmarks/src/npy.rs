//! Writes arrays in the format of `NumPy`, version 1.0, so that Python maps them without reading.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};

/// A number that an array may hold.
pub(crate) trait Number: Copy {
    /// `NumPy`'s name of the type, little-endian.
    const TYPE: &'static str;
    /// The bytes of the number, least significant first.
    fn bytes(self) -> impl AsRef<[u8]>;
}

macro_rules! numbers {
    ($($number:ty: $name:literal),*) => {
        $(impl Number for $number {
            const TYPE: &'static str = $name;
            fn bytes(self) -> impl AsRef<[u8]> {
                self.to_le_bytes()
            }
        })*
    };
}

numbers! { f32: "<f4", f64: "<f8", u32: "<u4", u64: "<u8" }

/// Writes a one-dimensional array.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn write<N: Number>(file: &Path, numbers: &[N]) -> Result<()> {
    let target = File::create(file).with_context(|| format!("{} cannot be written", file.display()))?;
    to(&mut BufWriter::new(target), numbers).with_context(|| format!("{} cannot be written", file.display()))
}

fn to<N: Number>(target: &mut impl Write, numbers: &[N]) -> std::io::Result<()> {
    let mut header = format!("{{'descr': '{}', 'fortran_order': False, 'shape': ({},), }}", N::TYPE, numbers.len());
    // The numbers start at a multiple of 64 bytes, and a line feed ends the header.
    while (header.len() + 11) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    target.write_all(b"\x93NUMPY\x01\x00")?;
    target.write_all(&u16::try_from(header.len()).map_err(std::io::Error::other)?.to_le_bytes())?;
    target.write_all(header.as_bytes())?;
    for &number in numbers {
        target.write_all(number.bytes().as_ref())?;
    }
    target.flush()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn an_array_is_as_numpy_writes_it() {
        let mut bytes = Vec::new();
        to(&mut bytes, &[1u32, 258]).unwrap();
        assert_eq!(&bytes[..10], b"\x93NUMPY\x01\x00\x76\x00");
        let header = std::str::from_utf8(&bytes[10..128]).unwrap();
        assert_eq!(header.trim_end(), "{'descr': '<u4', 'fortran_order': False, 'shape': (2,), }");
        assert!(header.ends_with('\n'));
        assert_eq!(&bytes[128..], [1, 0, 0, 0, 2, 1, 0, 0]);
    }

    #[test]
    fn every_length_of_header_is_a_multiple_of_64() {
        for length in [0, 9, 10, 99, 100, 12_345] {
            let mut bytes = Vec::new();
            to(&mut bytes, &vec![0.5f64; length]).unwrap();
            assert_eq!((bytes.len() - 8 * length) % 64, 0, "{length}");
        }
    }
}

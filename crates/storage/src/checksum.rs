//! The checksum of files: xxh3-128, written as 32 hexadecimal digits.

use std::io::Write;

use xxhash_rust::xxh3::Xxh3Default;

/// The checksum of bytes that come in pieces.
#[derive(Default)]
pub(crate) struct Hasher(Xxh3Default);

impl Hasher {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn finish(&self) -> String {
        hex(self.0.digest128())
    }
}

/// Passes bytes on to a writer and keeps their number and checksum.
pub struct Hashing<W> {
    inner: W,
    hasher: Xxh3Default,
    bytes: u64,
}

impl<W> std::fmt::Debug for Hashing<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hashing").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

impl<W: Write> Hashing<W> {
    /// Nothing has gone through yet.
    pub fn new(inner: W) -> Self {
        Self { inner, hasher: Xxh3Default::new(), bytes: 0 }
    }

    /// The writer, the number of bytes that went through, and their checksum.
    pub fn finish(self) -> (W, u64, String) {
        (self.inner, self.bytes, hex(self.hasher.digest128()))
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let written = self.inner.write(buffer)?;
        self.hasher.update(&buffer[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

/// A checksum as it stands in manifests.
pub fn hex(value: u128) -> String {
    format!("{value:032x}")
}

/// The checksum of bytes in memory.
pub fn checksum(bytes: &[u8]) -> String {
    hex(xxhash_rust::xxh3::xxh3_128(bytes))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn written_in_pieces_or_whole_it_is_the_published_value() {
        // XXH3_128bits of no bytes, from the reference implementation's test vectors.
        assert_eq!(checksum(b""), "99aa06d3014798d86001c324468d497f");
        let mut writer = Hashing::new(Vec::new());
        writer.write_all(b"click").unwrap();
        writer.write_all(b"-through").unwrap();
        let (bytes, count, sum) = writer.finish();
        assert_eq!(bytes, b"click-through");
        assert_eq!(count, 13);
        assert_eq!(sum, "0d8408c6a5f66aaafba63e277b666576");
        assert_eq!(sum, checksum(b"click-through"));
    }
}

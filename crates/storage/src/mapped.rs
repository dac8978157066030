//! A file mapped into memory.

use std::fs::File;
use std::path::Path;

use arrow_buffer::Buffer;
use bytes::Bytes;
use memmap2::Mmap;

use crate::error::StorageError;

/// Maps a whole file for reading. The pages are shared with every process that has the file open, and nothing is
/// copied; the mapping lives as long as the buffer or any slice of it.
pub(crate) fn map(path: &Path) -> Result<Buffer, StorageError> {
    let file = File::open(path).map_err(|cause| StorageError::unreadable(path, cause))?;
    let mapping = map_file(&file).map_err(|cause| StorageError::io("map", path, cause))?;
    Ok(Buffer::from(Bytes::from_owner(mapping)))
}

#[allow(
    unsafe_code,
    reason = "mapping a file is unsafe in memmap2: the bytes would change under a shared reference if the file did"
)]
fn map_file(file: &File) -> std::io::Result<Mmap> {
    // SAFETY: the files of a dataset are written once, in a folder of their own that nobody else knows, synced, and
    // only then renamed to where they are opened from. No code of this crate opens one for writing afterwards, so the
    // mapped bytes do not change. A rebuilt dataset is another folder with other files, and deleting a folder leaves
    // the mapped pages alive. What remains is a user who edits a file of an open dataset in place; docs/formats says
    // not to, and no code of this crate reads the bytes without bounds checks.
    unsafe { Mmap::map(file) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_mapping_outlives_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bytes");
        let bytes: Vec<u8> = (0..100_000_u32).map(|value| (value % 251) as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        let whole = map(&path).unwrap();
        let part = whole.slice_with_length(5000, 10);
        drop(folder);
        assert!(!path.exists());
        assert_eq!(whole.as_slice(), bytes);
        drop(whole);
        assert_eq!(part.as_slice(), &bytes[5000..5010]);
    }

    #[test]
    fn a_missing_file_is_said_to_be_missing() {
        let error = map(Path::new("no-such-file.arrow")).unwrap_err();
        let message = "no-such-file.arrow: the file is missing; needed: a file of a dataset";
        assert_eq!(error.to_string(), message);
    }
}

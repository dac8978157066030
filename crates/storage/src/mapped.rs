//! A file mapped into memory.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_buffer::Buffer;
use bytes::Bytes;
use memmap2::Mmap;
#[cfg(target_os = "linux")]
use memmap2::UncheckedAdvice;

use crate::error::StorageError;

/// A file in memory. What is read of it stays there until [`Mapping::release`].
#[derive(Debug, Clone)]
pub struct Mapping {
    pages: Arc<Mmap>,
    bytes: Buffer,
}

/// What keeps a mapping alive as long as a buffer of its bytes.
struct Pages(Arc<Mmap>);

impl AsRef<[u8]> for Pages {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Mapping {
    /// Maps a whole file for reading. The pages are shared with every process that has the file open, and nothing is
    /// copied; the file stays mapped as long as this value, a buffer of it, or any slice of one.
    pub(crate) fn of(path: &Path) -> Result<Self, StorageError> {
        let file = File::open(path).map_err(|cause| StorageError::unreadable(path, cause))?;
        let pages = Arc::new(map_file(&file).map_err(|cause| StorageError::io("map", path, cause))?);
        let bytes = Buffer::from(Bytes::from_owner(Pages(Arc::clone(&pages))));
        Ok(Self { pages, bytes })
    }

    /// The bytes of the file.
    pub(crate) fn bytes(&self) -> &Buffer {
        &self.bytes
    }

    /// Gives the memory of this file back to the system. What is needed again comes back from the file, or from the
    /// system's cache of it, so that a pass over a large file needs little memory if this is called now and then.
    ///
    /// Only Linux does it; elsewhere nothing happens.
    pub fn release(&self) {
        #[cfg(target_os = "linux")]
        release(&self.pages);
    }
}

#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "this advice is unsafe in memmap2: it would throw away what was written to the pages")]
fn release(pages: &Mmap) {
    // SAFETY: nothing can be written through a mapping for reading, and the pages of one that is shared with its file
    // come back from there with the same bytes, as the file does not change (see `map_file`). Who reads meanwhile waits
    // for a page at worst. It is advice: a system that does not take it keeps the pages, and nothing else is different.
    let _ = unsafe { pages.unchecked_advise(UncheckedAdvice::DontNeed) };
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
        let mapping = Mapping::of(&path).unwrap();
        let part = mapping.bytes().slice_with_length(5000, 10);
        drop(folder);
        assert!(!path.exists());
        assert_eq!(mapping.bytes().as_slice(), bytes);
        // What was given back comes back.
        mapping.release();
        assert_eq!(mapping.bytes().as_slice(), bytes);
        drop(mapping);
        assert_eq!(part.as_slice(), &bytes[5000..5010]);
    }

    /// Memory of this process that holds pages of files, in KiB.
    #[cfg(target_os = "linux")]
    fn resident(path: &Path) -> u64 {
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let ours = maps.lines().skip_while(|line| !line.ends_with(path.to_str().unwrap()));
        let size = ours.into_iter().find_map(|line| line.strip_prefix("Rss:")).unwrap();
        size.trim_end_matches("kB").trim().parse().unwrap()
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn released_pages_take_no_memory() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bytes");
        std::fs::write(&path, vec![7; 1 << 20]).unwrap();
        let mapping = Mapping::of(&path).unwrap();
        assert!(mapping.bytes().iter().all(|byte| *byte == 7));
        assert_eq!(resident(&path), 1024);
        mapping.release();
        assert_eq!(resident(&path), 0);
    }

    #[test]
    fn a_missing_file_is_said_to_be_missing() {
        let error = Mapping::of(Path::new("no-such-file.arrow")).unwrap_err();
        let message = "no-such-file.arrow: the file is missing; needed: a file of a dataset";
        assert_eq!(error.to_string(), message);
    }
}

//! What the allocator does with memory that a step gives back.

#![allow(unsafe_code, reason = "mallopt has no safe form")]

/// Asks the C allocator to keep large blocks that are freed, instead of handing each back to the system.
///
/// A training step allocates the same large tensors again and again. Handed back, every page of them is cleared by the
/// kernel at its next use. The process keeps the most it ever needed at once until it ends. It is a choice for a whole
/// program; call it once, at its start.
///
/// Gives whether the allocator knows these settings: it must be glibc's.
pub fn keep_freed_memory() -> bool {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        /// glibc takes no higher bound for blocks from the heap.
        const HEAP_BLOCK: libc::c_int = 32 << 20;
        // SAFETY: mallopt only sets numbers of the allocator under its own lock; it may be called at any time.
        let set = |setting, value| unsafe { libc::mallopt(setting, value) } == 1;
        set(libc::M_MMAP_THRESHOLD, HEAP_BLOCK)
            && set(libc::M_TRIM_THRESHOLD, libc::c_int::MAX)
            && set(libc::M_TOP_PAD, HEAP_BLOCK)
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glibc_takes_the_settings() {
        assert_eq!(keep_freed_memory(), cfg!(all(target_os = "linux", target_env = "gnu")));
        // Blocks on both sides of the bound are still given and taken back.
        for size in [1usize << 20, 40 << 20] {
            let mut block = vec![1u8; size];
            block[size - 1] = 7;
            assert_eq!((block[0], block[size - 1]), (1, 7));
        }
    }
}

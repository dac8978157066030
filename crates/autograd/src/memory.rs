//! What the allocator does with memory that a step gives back.

#![allow(unsafe_code, reason = "mallopt and madvise have no safe form")]

use tch::{Device, Tensor};

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

/// Asks the system to keep a large tensor in huge pages, which it does by itself only where it is set to.
///
/// Rows of a large embedding table are read in no order. With small pages each of them costs a walk through the tables
/// of the pages, whose entries are in no cache either. It is advice: the numbers stay, and where the system has no such
/// pages to give, nothing changes.
///
/// Gives whether the system took the advice: never for tensors below 32 MiB, for those that are not dense and
/// contiguous on the CPU, and elsewhere than on Linux.
pub fn prefer_huge_pages(tensor: &Tensor) -> bool {
    #[cfg(target_os = "linux")]
    {
        const HUGE: usize = 2 << 20;
        const LEAST: usize = 32 << 20;
        if !tensor.defined() || tensor.device() != Device::Cpu || tensor.is_sparse() || tensor.is_mkldnn() {
            return false;
        }
        let bytes = tensor.numel() * tensor.kind().elt_size_in_bytes();
        if bytes < LEAST || !tensor.is_contiguous() {
            return false;
        }
        let pointer = tensor.data_ptr().cast::<u8>();
        let start = pointer.align_offset(HUGE);
        let length = bytes.saturating_sub(start) / HUGE * HUGE;
        // SAFETY: the range lies within the tensor's memory. Both kinds of advice leave the contents as they are.
        unsafe {
            let range = pointer.wrapping_add(start).cast();
            let taken = libc::madvise(range, length, libc::MADV_HUGEPAGE) == 0;
            // What has been written already is moved at once where the kernel can; elsewhere it does so in time.
            let _moved = taken && libc::madvise(range, length, libc::MADV_COLLAPSE) == 0;
            taken
        }
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = tensor;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_leaves_the_numbers_as_they_are() {
        let small = Tensor::arange(1 << 20, (tch::Kind::Float, Device::Cpu));
        assert!(!prefer_huge_pages(&small));
        let large = Tensor::arange(12 << 20, (tch::Kind::Float, Device::Cpu));
        let copy = large.copy();
        // Whether the advice is taken depends on the system's settings.
        let taken = prefer_huge_pages(&large);
        assert!(!taken || cfg!(target_os = "linux"));
        assert_eq!(large, copy);
        assert!(!prefer_huge_pages(&large.reshape([-1, 4]).transpose(0, 1)));
        assert!(!prefer_huge_pages(&Tensor::new()));
    }

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

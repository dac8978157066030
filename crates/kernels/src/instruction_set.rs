use crate::error::KernelError;
use crate::level::Portable;
#[cfg(target_arch = "x86_64")]
use crate::level::{Avx2, Avx512};

/// The vector instructions that a kernel is compiled for. The results of two sets may differ by rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstructionSet {
    /// What every processor of the target has.
    Portable,
    /// AVX2 and FMA, of x86-64.
    Avx2,
    /// AVX-512 F, VL, DQ and BW, of x86-64.
    Avx512,
}

impl InstructionSet {
    /// All of them, the widest vectors last.
    pub const ALL: [Self; 3] = [Self::Portable, Self::Avx2, Self::Avx512];

    /// The widest vectors of this processor.
    pub fn best() -> Self {
        Self::ALL.into_iter().rev().find(|set| set.is_available()).unwrap_or(Self::Portable)
    }

    /// Whether this processor can run it.
    pub fn is_available(self) -> bool {
        Detected::new(self).is_ok()
    }
}

/// An instruction set that this processor has.
#[derive(Clone, Copy)]
pub(crate) enum Detected {
    Portable(Portable),
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
}

impl Detected {
    pub(crate) fn new(set: InstructionSet) -> Result<Self, KernelError> {
        let detected = match set {
            InstructionSet::Portable => Some(Self::Portable(Portable)),
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx2 => Avx2::detect().map(Self::Avx2),
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512 => Avx512::detect().map(Self::Avx512),
            #[cfg(not(target_arch = "x86_64"))]
            InstructionSet::Avx2 | InstructionSet::Avx512 => None,
        };
        detected.ok_or(KernelError::Unavailable { set })
    }
}

use crate::error::KernelError;

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
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                Self::Avx2.is_available()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512bw")
            }
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 => false,
        }
    }
}

/// An instruction set that this processor has: the proof that a function compiled for it may be called.
#[derive(Clone, Copy)]
pub(crate) struct Detected(InstructionSet);

impl Detected {
    pub(crate) fn new(set: InstructionSet) -> Result<Self, KernelError> {
        if set.is_available() { Ok(Self(set)) } else { Err(KernelError::Unavailable { set }) }
    }

    pub(crate) fn set(self) -> InstructionSet {
        self.0
    }
}

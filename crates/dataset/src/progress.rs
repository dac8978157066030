//! What `Dataset::prepare` tells its caller while it works.

/// How far a pass over a source has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The pass.
    pub phase: Phase,
    /// Bytes of the source read so far, as it lies on disk (compressed, where it is).
    pub bytes_done: u64,
    /// Bytes of the source.
    pub bytes_total: u64,
    /// Data rows read so far in this pass.
    pub rows: u64,
}

/// A pass over a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Vocabularies and scales are fitted on the training rows.
    Fit,
    /// Training rows (and validation rows, where they are a fraction of the same file) are encoded and written.
    EncodeTrain,
    /// The validation file is encoded and written.
    EncodeValidation,
    /// The test file is encoded and written.
    EncodeTest,
}

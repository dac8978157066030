//! What `Dataset::prepare` tells its caller while it works.

/// How far a pass over a source has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The pass.
    pub phase: Phase,
    /// Bytes of the source read so far, as it lies on disk (compressed, where it is). Of a samples folder, rows.
    pub bytes_done: u64,
    /// Bytes of the source. Of a samples folder, rows.
    pub bytes_total: u64,
    /// Data rows read so far in this pass.
    pub rows: u64,
}

/// A pass over a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Vocabularies and scales are fitted on the training rows.
    Fit,
    /// Users, items and events of a samples folder are encoded and written, each in a pass.
    EncodeTables,
    /// Training rows (and validation rows, where they are a fraction of the same files) are encoded and written.
    EncodeTrain,
    /// The validation rows are encoded and written.
    EncodeValidation,
    /// The test rows are encoded and written.
    EncodeTest,
}

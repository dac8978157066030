//! What can go wrong in a layer.

use thiserror::Error;

/// Why a layer could not be built or run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LayerError {
    /// A setting is outside its bounds. No variable is registered when a constructor returns this.
    #[error("{field} = {value} is not allowed: {allowed}")]
    Config {
        /// The setting, as in the config struct.
        field: &'static str,
        /// What it was.
        value: String,
        /// What it may be.
        allowed: &'static str,
    },
    /// A tensor has another shape than the layer needs.
    #[error("{tensor} has shape {got:?}, but {needed} is needed")]
    Shape {
        /// Which input it is.
        tensor: &'static str,
        /// Its shape.
        got: Vec<i64>,
        /// The shape that is needed, in the letters of the crate.
        needed: String,
    },
    /// A jagged tensor has other lengths than the one it belongs to.
    #[error("sample {sample} of {tensor} has {got} events, but {needed} are needed")]
    Lengths {
        /// Which input it is.
        tensor: &'static str,
        /// The first sample whose length differs.
        sample: usize,
        /// Its length.
        got: u32,
        /// The length that is needed.
        needed: u32,
    },
    /// Offsets do not describe a jagged tensor.
    #[error("offsets must start at 0 and never fall, with at least one sample: {problem}")]
    Offsets {
        /// The first entry that breaks the rule.
        problem: String,
    },
    /// The times of events do not fit their history.
    #[error("there is one time for each event, and times never fall within a history: {problem}")]
    Times {
        /// What breaks the rule.
        problem: String,
    },
    /// Batch statistics of so few rows do not exist.
    #[error("{layer} takes statistics over the rows of a training batch and needs at least {needed}, got {rows}")]
    TooFewRows {
        /// The layer that asked.
        layer: &'static str,
        /// How many rows there were.
        rows: i64,
        /// How many it takes.
        needed: i64,
    },
    /// A differentiable function of ours failed.
    #[error("{}", first_line(.0))]
    Autograd(#[from] fain_autograd::AutogradError),
    /// A kernel refused its operands.
    #[error(transparent)]
    Kernel(#[from] fain_kernels::KernelError),
    /// A kernel cannot be compiled for a CUDA device, or started on it.
    #[error(transparent)]
    Cuda(#[from] fain_cuda::CudaError),
    /// A tensor's numbers cannot be given to a kernel.
    #[error("{}", first_line(.0))]
    Slice(#[from] fain_autograd::SliceError),
    /// libtorch refused an operation, for want of memory for example.
    #[error("libtorch: {}", first_line(.0))]
    Torch(#[from] tch::TchError),
}

/// libtorch appends its C++ stack to a message; only the first line is for people.
fn first_line(error: &impl std::fmt::Display) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

/// An enum's variant as it stands in a file: `DensePrelu` is `dense_prelu`.
pub(crate) fn setting(value: &impl std::fmt::Debug) -> String {
    let mut text = String::new();
    for letter in format!("{value:?}").chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

/// Checks a tensor's shape; `None` stands for any size.
pub(crate) fn check_shape(
    tensor: &'static str,
    got: &tch::Tensor,
    expected: &[Option<i64>],
    letters: &str,
) -> Result<(), LayerError> {
    let size = got.size();
    let fits = size.len() == expected.len()
        && size.iter().zip(expected).all(|(size, expected)| expected.is_none_or(|expected| *size == expected));
    if fits {
        return Ok(());
    }
    let sizes: Vec<String> =
        expected.iter().map(|size| size.map_or_else(|| "any".to_owned(), |size| size.to_string())).collect();
    Err(LayerError::Shape { tensor, got: size, needed: format!("{letters} = [{}]", sizes.join(", ")) })
}

/// Checks that two jagged tensors have the same lengths, sample by sample.
pub(crate) fn check_lengths(
    tensor: &'static str,
    got: &crate::JaggedLayout,
    needed: &crate::JaggedLayout,
) -> Result<(), LayerError> {
    if got.rows() != needed.rows() {
        return Err(LayerError::Shape {
            tensor,
            got: vec![got.rows()],
            needed: format!("[B] = [{}] samples", needed.rows()),
        });
    }
    let length =
        |layout: &crate::JaggedLayout, sample: usize| layout.host_offsets()[sample + 1] - layout.host_offsets()[sample];
    let samples = needed.host_offsets().len() - 1;
    let other = (0..samples).find(|&sample| length(got, sample) != length(needed, sample));
    other.map_or(Ok(()), |sample| {
        Err(LayerError::Lengths { tensor, sample, got: length(got, sample), needed: length(needed, sample) })
    })
}

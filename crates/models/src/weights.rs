//! A model's numbers in a safetensors file.

use std::path::Path;

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use tch::{Device, Kind, Tensor, nn};
use thiserror::Error;

/// Why weights could not be written or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The file cannot be read.
    #[error("cannot read {file}: {cause}")]
    Io {
        /// The file.
        file: String,
        /// The cause.
        cause: std::io::Error,
    },
    /// The bytes are no safetensors file.
    #[error("{file} is no valid safetensors file: {cause}")]
    Format {
        /// The file.
        file: String,
        /// The cause.
        cause: safetensors::SafeTensorError,
    },
    /// The file lacks a tensor of the model, or has one that the model lacks.
    #[error("{file}: {problem}")]
    Names {
        /// The file.
        file: String,
        /// Which tensors are missing and which are extra.
        problem: String,
    },
    /// A tensor has another shape or kind than the model's.
    #[error("{file}: tensor {tensor} is {got}, but the model needs {needed}")]
    Shape {
        /// The file.
        file: String,
        /// The tensor.
        tensor: String,
        /// Its kind and shape.
        got: String,
        /// The model's kind and shape.
        needed: String,
    },
    /// libtorch refused.
    #[error("libtorch: {0}")]
    Torch(#[from] tch::TchError),
}

/// All parameters and buffers, sorted by name.
pub fn named_tensors(variables: &nn::VarStore) -> Vec<(String, Tensor)> {
    let mut tensors: Vec<(String, Tensor)> = variables.variables().into_iter().collect();
    tensors.sort_by(|(left, _), (right, _)| left.cmp(right));
    tensors
}

/// The bytes of a safetensors file: the same tensors and the same note give the same bytes.
///
/// `note` is kept under the metadata key `fain`.
///
/// # Errors
/// [`WeightsError::Torch`] when a tensor cannot be copied to the host, [`WeightsError::Format`] when it cannot be
/// written.
pub fn serialize_tensors(tensors: &[(String, Tensor)], note: Option<String>) -> Result<Vec<u8>, WeightsError> {
    let format = |cause| WeightsError::Format { file: "weights".to_owned(), cause };
    let mut buffers = Vec::with_capacity(tensors.len());
    for (name, tensor) in tensors {
        let shape: Vec<usize> = tensor.size().iter().map(|&size| size as usize).collect();
        buffers.push((name, dtype(tensor.kind(), name)?, shape, bytes_of(tensor)?));
    }
    let mut views = Vec::with_capacity(buffers.len());
    for (name, dtype, shape, bytes) in &buffers {
        views.push((name.as_str(), TensorView::new(*dtype, shape.clone(), bytes).map_err(format)?));
    }
    let metadata = note.map(|note| [("fain".to_owned(), note)].into());
    safetensors::serialize(views, metadata).map_err(format)
}

fn dtype(kind: Kind, name: &str) -> Result<Dtype, WeightsError> {
    match kind {
        Kind::Float => Ok(Dtype::F32),
        Kind::Double => Ok(Dtype::F64),
        Kind::Int64 => Ok(Dtype::I64),
        other => Err(WeightsError::Shape {
            file: "weights".to_owned(),
            tensor: name.to_owned(),
            got: format!("{other:?}"),
            needed: "float32, float64 or int64".to_owned(),
        }),
    }
}

fn bytes_of(tensor: &Tensor) -> Result<Vec<u8>, WeightsError> {
    let flat = tensor.f_detach()?.f_to_device(Device::Cpu)?.f_contiguous()?.f_reshape([-1])?;
    Ok(match tensor.kind() {
        Kind::Double => Vec::<f64>::try_from(flat)?.into_iter().flat_map(f64::to_le_bytes).collect(),
        Kind::Int64 => Vec::<i64>::try_from(flat)?.into_iter().flat_map(i64::to_le_bytes).collect(),
        _ => Vec::<f32>::try_from(flat)?.into_iter().flat_map(f32::to_le_bytes).collect(),
    })
}

/// A tensor of a safetensors file on the host.
///
/// # Errors
/// [`WeightsError::Shape`] when its kind is not float32, float64 or int64.
pub fn tensor_from_view(file: &Path, name: &str, view: &TensorView<'_>) -> Result<Tensor, WeightsError> {
    let shape: Vec<i64> = view.shape().iter().map(|&size| size as i64).collect();
    let data = view.data();
    let flat = match view.dtype() {
        Dtype::F32 => {
            let (values, _) = data.as_chunks::<4>();
            Tensor::f_from_slice(&values.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect::<Vec<_>>())?
        }
        Dtype::F64 => {
            let (values, _) = data.as_chunks::<8>();
            Tensor::f_from_slice(&values.iter().map(|&bytes| f64::from_le_bytes(bytes)).collect::<Vec<_>>())?
        }
        Dtype::I64 => {
            let (values, _) = data.as_chunks::<8>();
            Tensor::f_from_slice(&values.iter().map(|&bytes| i64::from_le_bytes(bytes)).collect::<Vec<_>>())?
        }
        other => {
            return Err(WeightsError::Shape {
                file: file.display().to_string(),
                tensor: name.to_owned(),
                got: format!("{other:?}"),
                needed: "float32, float64 or int64".to_owned(),
            });
        }
    };
    Ok(flat.f_reshape(shape)?)
}

/// Reads a safetensors file into a model's variables.
///
/// # Errors
/// [`WeightsError`] names the file and the tensors that are missing, extra or of another shape; the model keeps its
/// numbers then.
pub fn load_weights(variables: &nn::VarStore, file: &Path) -> Result<(), WeightsError> {
    let bytes = std::fs::read(file).map_err(|cause| WeightsError::Io { file: file.display().to_string(), cause })?;
    let tensors = SafeTensors::deserialize(&bytes)
        .map_err(|cause| WeightsError::Format { file: file.display().to_string(), cause })?;
    restore_weights(variables, &tensors, "", file)
}

/// Copies the tensors whose names start with `prefix` into a model's variables. `file` is for messages.
///
/// # Errors
/// As [`load_weights`].
pub fn restore_weights(
    variables: &nn::VarStore,
    tensors: &SafeTensors<'_>,
    prefix: &str,
    file: &Path,
) -> Result<(), WeightsError> {
    let wanted = named_tensors(variables);
    let name_of = |name: &str| format!("{prefix}{name}");
    let has = |name: &str| tensors.tensor(&name_of(name)).is_ok();
    let missing: Vec<&str> = wanted.iter().map(|(name, _)| name.as_str()).filter(|name| !has(name)).collect();
    let mut extra: Vec<&str> = tensors
        .names()
        .into_iter()
        .filter_map(|name| name.strip_prefix(prefix))
        .filter(|name| wanted.binary_search_by(|(known, _)| known.as_str().cmp(name)).is_err())
        .collect();
    extra.sort_unstable();
    if !missing.is_empty() || !extra.is_empty() {
        let problem = format!("missing tensors: {}; extra tensors: {}", list(&missing), list(&extra));
        return Err(WeightsError::Names { file: file.display().to_string(), problem });
    }
    let mut loaded = Vec::with_capacity(wanted.len());
    for (name, target) in &wanted {
        let format = |cause| WeightsError::Format { file: file.display().to_string(), cause };
        let view = tensors.tensor(&name_of(name)).map_err(format)?;
        let value = tensor_from_view(file, name, &view)?;
        if value.kind() != target.kind() || value.size() != target.size() {
            return Err(WeightsError::Shape {
                file: file.display().to_string(),
                tensor: name.clone(),
                got: format!("{:?} {:?}", value.kind(), value.size()),
                needed: format!("{:?} {:?}", target.kind(), target.size()),
            });
        }
        loaded.push(value);
    }
    let _guard = tch::no_grad_guard();
    for ((_, mut target), value) in wanted.into_iter().zip(loaded) {
        target.f_copy_(&value)?;
    }
    Ok(())
}

fn list(names: &[&str]) -> String {
    const SHOWN: usize = 8;
    match names.len() {
        0 => "none".to_owned(),
        count if count > SHOWN => format!("{} and {} more", names[..SHOWN].join(", "), count - SHOWN),
        _ => names.join(", "),
    }
}

//! Tensors with names, as another program wrote them.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use tch::{Kind, Tensor};

use super::error::ImportError;

/// Tensors by their names: a state dict.
#[derive(Debug)]
pub struct StateDict {
    pub(super) origin: String,
    pub(super) entries: BTreeMap<String, Entry>,
}

/// One tensor.
#[derive(Debug)]
pub(super) enum Entry {
    Tensor(Tensor),
    /// Of a kind that no variable can be read from. It may still be ignored.
    Other(Dtype),
}

impl StateDict {
    /// Tensors that are in memory; `origin` says in messages where they come from.
    pub fn new(origin: &str, tensors: BTreeMap<String, Tensor>) -> Self {
        let entries = tensors.into_iter().map(|(name, tensor)| (name, Entry::Tensor(tensor))).collect();
        Self { origin: origin.to_owned(), entries }
    }

    /// Reads all tensors of a safetensors file.
    ///
    /// # Errors
    /// [`ImportError::Io`] or [`ImportError::Format`] names the file.
    pub fn read(file: &Path) -> Result<Self, ImportError> {
        let origin = file.display().to_string();
        let bytes = std::fs::read(file).map_err(|cause| ImportError::Io { file: origin.clone(), cause })?;
        let tensors =
            SafeTensors::deserialize(&bytes).map_err(|cause| ImportError::Format { file: origin.clone(), cause })?;
        let mut entries = BTreeMap::new();
        for (name, view) in tensors.iter() {
            entries.insert(name.to_owned(), Entry::of(&view)?);
        }
        Ok(Self { origin, entries })
    }
}

impl Entry {
    fn of(view: &TensorView<'_>) -> Result<Self, ImportError> {
        let kind = match view.dtype() {
            Dtype::F16 => Kind::Half,
            Dtype::BF16 => Kind::BFloat16,
            Dtype::F32 => Kind::Float,
            Dtype::F64 => Kind::Double,
            Dtype::I64 => Kind::Int64,
            other => return Ok(Self::Other(other)),
        };
        let shape: Vec<i64> = view.shape().iter().map(|&size| size as i64).collect();
        // The reader of the file has checked that there are as many bytes as the shape and the kind need.
        Ok(Self::Tensor(Tensor::f_from_data_size(view.data(), &shape, kind)?))
    }

    /// The kind, for messages.
    pub(super) fn kind(&self) -> String {
        match self {
            Self::Tensor(tensor) => format!("{:?}", tensor.kind()),
            Self::Other(dtype) => format!("{dtype:?}"),
        }
    }
}

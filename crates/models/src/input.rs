//! From encoded samples on the host to tensors on a device.

use fain_features::{Column, Samples};
use fain_layers::JaggedLayout;
use tch::{Device, Tensor};

use crate::ModelError;

/// The features of a batch as tensors, in the order of the schema.
#[derive(Debug)]
pub struct ModelInput {
    /// `B`.
    pub rows: i64,
    /// One column per feature.
    pub columns: Vec<InputColumn>,
}

/// One feature of a batch.
#[derive(Debug)]
pub enum InputColumn {
    /// `[B]`, int64 ids.
    Category(Tensor),
    /// `[N]`, int64 ids, and where each sample's lie.
    Sequence(Tensor, JaggedLayout),
    /// `[B]`, float32.
    Numeric(Tensor),
}

impl InputColumn {
    /// What the column is, in words.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Category(_) => "a category",
            Self::Sequence(..) => "a sequence",
            Self::Numeric(_) => "a number",
        }
    }
}

impl ModelInput {
    /// Copies a batch to `device`. Sequences of equal lengths share one layout.
    ///
    /// # Errors
    /// [`ModelError::Layer`] when offsets are broken or the device has no memory left.
    pub fn new(samples: &Samples, device: Device) -> Result<Self, ModelError> {
        let mut layouts: Vec<(&[u32], JaggedLayout)> = Vec::new();
        let mut columns = Vec::with_capacity(samples.columns.len());
        for column in &samples.columns {
            columns.push(match column {
                Column::Category(ids) => InputColumn::Category(id_tensor(ids, device)?),
                Column::Numeric(numbers) => InputColumn::Numeric(Tensor::f_from_slice(numbers)?.f_to_device(device)?),
                Column::Sequence(lists) => {
                    let known = layouts.iter().find(|(offsets, _)| *offsets == lists.offsets.as_slice());
                    let layout = if let Some((_, layout)) = known {
                        layout.clone()
                    } else {
                        let layout = JaggedLayout::new(&lists.offsets, device)?;
                        layouts.push((&lists.offsets, layout.clone()));
                        layout
                    };
                    InputColumn::Sequence(id_tensor(&lists.values, device)?, layout)
                }
            });
        }
        Ok(Self { rows: samples.rows as i64, columns })
    }
}

/// libtorch looks embeddings up by signed ids.
fn id_tensor(ids: &[u32], device: Device) -> Result<Tensor, ModelError> {
    let wide: Vec<i64> = ids.iter().map(|&id| i64::from(id)).collect();
    Ok(Tensor::f_from_slice(&wide)?.f_to_device(device)?)
}

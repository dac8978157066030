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
    /// `[N]`, int64 ids; where each sample's lie; and `[N]`, float32, what each id weighs.
    Weighted(Tensor, JaggedLayout, Tensor),
    /// `[B]`, float32.
    Numeric(Tensor),
    /// `[N]`, seconds since 1970, on the host, where histories are divided by them; and where each sample's lie.
    Times(Vec<i64>, JaggedLayout),
}

impl InputColumn {
    /// What the column is, in words.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Category(_) => "a category",
            Self::Sequence(..) => "a sequence",
            Self::Weighted(..) => "a weighted sequence",
            Self::Numeric(_) => "a number",
            Self::Times(..) => "times",
        }
    }
}

impl ModelInput {
    /// Copies a batch to `device`. Lists of equal lengths share one layout.
    ///
    /// # Errors
    /// [`ModelError::Layer`] when offsets are broken or the device has no memory left.
    pub fn new(samples: &Samples, device: Device) -> Result<Self, ModelError> {
        let mut layouts = Layouts { device, known: Vec::new() };
        let mut columns = Vec::with_capacity(samples.columns.len());
        for column in &samples.columns {
            columns.push(match column {
                Column::Category(ids) => InputColumn::Category(id_tensor(ids, device)?),
                Column::Numeric(numbers) => InputColumn::Numeric(Tensor::f_from_slice(numbers)?.f_to_device(device)?),
                Column::Sequence(lists) => {
                    let layout = layouts.of(&lists.offsets)?;
                    let ids = id_tensor(&lists.values, device)?;
                    match &lists.weights {
                        None => InputColumn::Sequence(ids, layout),
                        Some(weights) => {
                            InputColumn::Weighted(ids, layout, Tensor::f_from_slice(weights)?.f_to_device(device)?)
                        }
                    }
                }
                Column::Times(times) => {
                    let layout = layouts.of(&times.offsets)?;
                    InputColumn::Times(times.values.clone(), layout)
                }
            });
        }
        Ok(Self { rows: samples.rows as i64, columns })
    }
}

/// The layouts of a batch, one for all lists of equal lengths.
struct Layouts<'a> {
    device: Device,
    known: Vec<(&'a [u32], JaggedLayout)>,
}

impl<'a> Layouts<'a> {
    fn of(&mut self, offsets: &'a [u32]) -> Result<JaggedLayout, ModelError> {
        if let Some((_, layout)) = self.known.iter().find(|(known, _)| *known == offsets) {
            return Ok(layout.clone());
        }
        let layout = JaggedLayout::new(offsets, self.device)?;
        self.known.push((offsets, layout.clone()));
        Ok(layout)
    }
}

/// libtorch looks embeddings up by signed ids.
fn id_tensor(ids: &[u32], device: Device) -> Result<Tensor, ModelError> {
    let wide: Vec<i64> = ids.iter().map(|&id| i64::from(id)).collect();
    Ok(Tensor::f_from_slice(&wide)?.f_to_device(device)?)
}

//! From encoded samples on the host to tensors on a device.

use std::ops::Range;

use fain_autograd::{Buffer, upload};
use fain_features::{Column, Samples};
use fain_layers::{JaggedLayout, LayerError};
use tch::{Device, Tensor};

use crate::ModelError;

/// The features of a batch as tensors, in the order of the schema.
///
/// A column of a single row belongs to all rows of the batch: what a user has before every candidate is there once.
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
    /// The same tensors once more; nothing is copied but times.
    pub(crate) fn share(&self) -> Self {
        match self {
            Self::Category(ids) => Self::Category(ids.shallow_clone()),
            Self::Sequence(ids, layout) => Self::Sequence(ids.shallow_clone(), layout.clone()),
            Self::Weighted(ids, layout, weights) => {
                Self::Weighted(ids.shallow_clone(), layout.clone(), weights.shallow_clone())
            }
            Self::Numeric(numbers) => Self::Numeric(numbers.shallow_clone()),
            Self::Times(times, layout) => Self::Times(times.clone(), layout.clone()),
        }
    }

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
        Self::of_rows(samples, 0..samples.rows, device)
    }

    /// Copies some rows of a batch to `device`, as [`ModelInput::new`].
    ///
    /// # Errors
    /// Those of [`ModelInput::new`]; [`ModelError::Parts`] when the batch does not have the rows.
    pub fn of_rows(samples: &Samples, rows: Range<usize>, device: Device) -> Result<Self, ModelError> {
        let mut layouts = Layouts { device, known: Vec::new() };
        let mut columns = Vec::with_capacity(samples.columns.len());
        let tensor = |numbers: &[f32]| upload(Tensor::f_from_slice(numbers)?, device);
        for column in &samples.columns {
            columns.push(match column {
                Column::Category(ids) => InputColumn::Category(id_tensor(part(ids, samples.rows, &rows)?, device)?),
                Column::Numeric(numbers) => InputColumn::Numeric(tensor(part(numbers, samples.rows, &rows)?)?),
                Column::Sequence(lists) => {
                    let (layout, events) = layouts.of(&lists.offsets, samples.rows, &rows)?;
                    let count = lists.offsets[samples.rows] as usize;
                    let ids = id_tensor(part(&lists.values, count, &events)?, device)?;
                    match &lists.weights {
                        None => InputColumn::Sequence(ids, layout),
                        Some(weights) => InputColumn::Weighted(ids, layout, tensor(part(weights, count, &events)?)?),
                    }
                }
                Column::Times(times) => {
                    let (layout, events) = layouts.of(&times.offsets, samples.rows, &rows)?;
                    let count = times.offsets[samples.rows] as usize;
                    InputColumn::Times(part(&times.values, count, &events)?.to_vec(), layout)
                }
            });
        }
        Ok(Self { rows: rows.len() as i64, columns })
    }

    /// How many events the longest lists have together.
    pub(crate) fn events(&self) -> usize {
        let lists = self.columns.iter().filter_map(|column| match column {
            InputColumn::Sequence(_, layout) | InputColumn::Weighted(_, layout, _) => Some(layout.events() as usize),
            _ => None,
        });
        lists.max().unwrap_or(0)
    }

    /// What was made of a column, `[B, W]`: a single row is shown to all rows, without a copy.
    pub(crate) fn for_all_rows(&self, values: Tensor) -> Result<Tensor, ModelError> {
        let size = values.size();
        Ok(if size[0] == 1 && self.rows > 1 { values.f_expand([self.rows, size[1]], false)? } else { values })
    }
}

/// The layouts of a batch, one for all lists of equal lengths.
struct Layouts<'a> {
    device: Device,
    known: Vec<(&'a [u32], JaggedLayout)>,
}

impl<'a> Layouts<'a> {
    /// The layout of some rows' lists, and which of the values are theirs.
    fn of(
        &mut self,
        offsets: &'a [u32],
        count: usize,
        rows: &Range<usize>,
    ) -> Result<(JaggedLayout, Range<usize>), ModelError> {
        let ends = part(offsets, count + 1, &(rows.start..rows.end + 1))?;
        let [first, .., last] = *ends else {
            // Lists without a row: the layout says what is wrong with them.
            return Ok((JaggedLayout::new(ends, self.device)?, 0..0));
        };
        let events = first as usize..last as usize;
        if let Some((_, layout)) = self.known.iter().find(|(known, _)| *known == ends) {
            return Ok((layout.clone(), events));
        }
        let layout = if rows.start == 0 {
            JaggedLayout::new(ends, self.device)?
        } else {
            let own: Vec<u32> = ends.iter().map(|&end| end.wrapping_sub(first)).collect();
            JaggedLayout::new(&own, self.device)?
        };
        self.known.push((ends, layout.clone()));
        Ok((layout, events))
    }
}

/// Some entries of a column, of which there are `count`.
fn part<'a, T>(values: &'a [T], count: usize, rows: &Range<usize>) -> Result<&'a [T], ModelError> {
    values.get(rows.clone()).filter(|_| values.len() == count).ok_or_else(|| ModelError::Parts {
        part: "batch".to_owned(),
        problem: format!(
            "{} to {} of {count} entries were asked for, but there are {}",
            rows.start,
            rows.end,
            values.len()
        ),
    })
}

/// libtorch looks embeddings up by signed ids.
fn id_tensor(ids: &[u32], device: Device) -> Result<Tensor, ModelError> {
    let mut signed = Buffer::<i64>::unspecified(&[ids.len() as i64]).map_err(LayerError::from)?;
    for (signed, &id) in signed.as_mut_slice().iter_mut().zip(ids) {
        *signed = i64::from(id);
    }
    Ok(upload(signed.into_tensor(), device)?)
}

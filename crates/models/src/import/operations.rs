//! What is done to a tensor so that it means to us what it meant to the program that wrote it.

use fain_layers::{GateOrder, LayerError};
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::error::Stop;

/// What is done to a tensor, in the order of the fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WeightOperations {
    /// Swaps rows and columns of a matrix.
    pub transpose: bool,
    /// Puts the blocks of rows of a recurrent cell in another order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gates: Option<GateOrder>,
    /// Puts the blocks of columns of a matrix in another order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<ColumnOrder>,
    /// Takes a shape that differs in dimensions of size one only: `[H, 1]` for `[H]`.
    pub reshape: bool,
}

/// The order in which a layer's inputs are concatenated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnOrder {
    /// The widths of their blocks of columns, from the left.
    pub widths: Vec<u32>,
    /// What our blocks are, from the left; each of their blocks is used once.
    pub order: Vec<ColumnBlocks>,
}

/// One of our blocks of columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ColumnBlocks {
    /// The block of theirs with this index, from 0.
    One(usize),
    /// The sum of blocks of theirs: an input that they concatenate several times, and we once.
    Sum(Vec<usize>),
}

impl ColumnBlocks {
    fn indices(&self) -> &[usize] {
        match self {
            Self::One(index) => std::slice::from_ref(index),
            Self::Sum(indices) => indices,
        }
    }
}

impl WeightOperations {
    /// Says what is wrong with the settings themselves.
    pub(super) fn check(&self) -> Result<(), String> {
        if *self == Self::default() {
            return Err("names no operation; allowed: transpose, gates, columns, reshape".to_owned());
        }
        self.gates.as_ref().map_or(Ok(()), GateOrder::check).map_err(|error| error.to_string())?;
        self.columns.as_ref().map_or(Ok(()), ColumnOrder::check)
    }

    /// The tensor that a variable of size `needed` is read from. A shape that `reshape` cannot bring about is left as it
    /// is.
    pub(super) fn apply(&self, tensor: &Tensor, needed: &[i64]) -> Result<Tensor, Stop<String>> {
        let mut tensor = tensor.shallow_clone();
        if self.transpose {
            if tensor.dim() != 2 {
                return Err(Stop::Problem(format!("transpose needs a matrix, got {:?}", tensor.size())));
            }
            tensor = tensor.f_transpose(0, 1)?;
        }
        if let Some(gates) = &self.gates {
            tensor = gates.apply(&tensor).map_err(|error| match error {
                LayerError::Torch(error) => Stop::Torch(error),
                error => Stop::Problem(error.to_string()),
            })?;
        }
        if let Some(columns) = &self.columns {
            tensor = columns.apply(&tensor)?;
        }
        if self.reshape && without_ones(&tensor.size()) == without_ones(needed) {
            tensor = tensor.f_reshape(needed)?;
        }
        Ok(tensor)
    }
}

impl ColumnOrder {
    fn check(&self) -> Result<(), String> {
        let mut used: Vec<usize> = self.order.iter().flat_map(ColumnBlocks::indices).copied().collect();
        used.sort_unstable();
        if self.widths.is_empty() || self.widths.contains(&0) || used != (0..self.widths.len()).collect::<Vec<_>>() {
            return Err(format!(
                "columns of widths {:?} in the order {used:?}; allowed: widths of at least 1, and each block once, \
                 counted from 0",
                self.widths
            ));
        }
        let width = |&index: &usize| self.widths[index];
        for blocks in self.order.iter().map(ColumnBlocks::indices) {
            let equal = blocks.windows(2).all(|pair| width(&pair[0]) == width(&pair[1]));
            if blocks.is_empty() || !equal {
                return Err(format!("columns: the sum of the blocks {blocks:?}; allowed: blocks of one width"));
            }
        }
        Ok(())
    }

    fn apply(&self, tensor: &Tensor) -> Result<Tensor, Stop<String>> {
        let mut starts = Vec::with_capacity(self.widths.len());
        let mut sum = 0;
        for &width in &self.widths {
            starts.push((sum, i64::from(width)));
            sum += i64::from(width);
        }
        let size = tensor.size();
        if size.len() != 2 || size[1] != sum {
            return Err(Stop::Problem(format!(
                "columns of widths {:?} need a matrix of {sum} columns, got {size:?}",
                self.widths
            )));
        }
        let mut ours = Vec::with_capacity(self.order.len());
        for blocks in &self.order {
            let mut total: Option<Tensor> = None;
            for &(start, width) in blocks.indices().iter().filter_map(|&index| starts.get(index)) {
                let block = tensor.f_narrow(1, start, width)?;
                total = Some(total.map_or(Ok(block.shallow_clone()), |total| total.f_add(&block))?);
            }
            ours.extend(total);
        }
        Ok(Tensor::f_cat(&ours, 1)?)
    }
}

fn without_ones(size: &[i64]) -> Vec<i64> {
    size.iter().copied().filter(|&size| size != 1).collect()
}

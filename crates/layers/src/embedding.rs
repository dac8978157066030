//! Embedding tables.

mod fused;

use serde::{Deserialize, Serialize};
use tch::{Tensor, nn};

use crate::error::check_shape;
use crate::{Jagged, JaggedLayout, LayerError};

/// An embedding table's width and start.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmbeddingConfig {
    /// `D`, at least 1.
    pub dim: i64,
    /// Rows are drawn from a normal distribution with mean 0 and this standard deviation, above 0.
    pub std: f64,
    /// The table's gradient holds only the rows of the batch; the optimiser moves only those.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sparse: bool,
    /// Whether row 0 stays zero and is never trained: PyTorch's `padding_idx = 0`. Some programs keep id 0 for what is
    /// not there; here it is the unknown term, a row like any other.
    pub zero_row: bool,
    /// Whether nothing is drawn or trained: the table is zero until vectors are copied into it, and stays what it is then.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub frozen: bool,
}

impl Default for EmbeddingConfig {
    fn default() -> Self {
        Self { dim: 16, std: 0.01, sparse: false, zero_row: false, frozen: false }
    }
}

impl EmbeddingConfig {
    /// # Errors
    /// [`LayerError::Config`] names the setting that is out of bounds.
    pub fn check(&self) -> Result<(), LayerError> {
        if self.dim < 1 {
            return Err(LayerError::Config { field: "dim", value: self.dim.to_string(), allowed: "at least 1" });
        }
        if !(self.std > 0.0 && self.std.is_finite()) {
            return Err(LayerError::Config { field: "std", value: self.std.to_string(), allowed: "above 0" });
        }
        Ok(())
    }
}

/// One vector for each id of a vocabulary. Candidate and history that share a vocabulary share the table.
///
/// A clone shares the table: two features, one table.
///
/// Parameter: `weight` `[V, D]`; every row is trained, except for [`EmbeddingConfig::zero_row`]. A frozen table is a
/// buffer of the same name.
#[derive(Debug)]
pub struct Embedding {
    weight: Tensor,
    sparse: bool,
    zero_row: bool,
}

impl Clone for Embedding {
    /// Shares the table; nothing is copied.
    fn clone(&self) -> Self {
        Self { weight: self.weight.shallow_clone(), sparse: self.sparse, zero_row: self.zero_row }
    }
}

impl Embedding {
    /// Registers a table of `rows` rows.
    ///
    /// # Errors
    /// [`LayerError::Config`] when `rows`, `dim` or `std` is out of bounds.
    pub fn new(variables: &nn::Path<'_>, rows: i64, config: EmbeddingConfig) -> Result<Self, LayerError> {
        config.check()?;
        if rows < 1 {
            return Err(LayerError::Config { field: "rows", value: rows.to_string(), allowed: "at least 1" });
        }
        if config.frozen {
            let weight = variables.f_zeros_no_train("weight", &[rows, config.dim])?;
            return Ok(Self { weight, sparse: false, zero_row: config.zero_row });
        }
        let init = nn::Init::Randn { mean: 0.0, stdev: config.std };
        let weight = variables.f_var("weight", &[rows, config.dim], init)?;
        if config.zero_row {
            let _zeroed = tch::no_grad(|| weight.f_narrow(0, 0, 1)?.f_zero_())?;
        }
        Ok(Self { weight, sparse: config.sparse, zero_row: config.zero_row })
    }

    /// Registers a table that starts with the values of `matrix`, and stays with them unless it is `trained`.
    ///
    /// # Shapes
    /// - `matrix` `[V, D]`, at least one row and one column
    ///
    /// # Errors
    /// [`LayerError::Shape`] when `matrix` has another shape.
    pub fn from_matrix(variables: &nn::Path<'_>, matrix: &Tensor, trained: bool) -> Result<Self, LayerError> {
        check_shape("matrix", matrix, &[None, None], "[V, D]")?;
        let size = matrix.size();
        if size.contains(&0) {
            return Err(LayerError::Shape { tensor: "matrix", got: size, needed: "[V, D] without a 0".to_owned() });
        }
        if trained {
            return Ok(Self {
                weight: variables.f_var_copy("weight", &matrix.f_detach()?)?,
                sparse: false,
                zero_row: false,
            });
        }
        let mut weight = variables.f_zeros_no_train("weight", &size)?;
        weight.f_copy_(&matrix.f_detach()?)?;
        Ok(Self { weight, sparse: false, zero_row: false })
    }

    /// `[V, D]`.
    pub fn weight(&self) -> &Tensor {
        &self.weight
    }

    /// Looks ids up.
    ///
    /// # Shapes
    /// - `ids` `[B]`, int64, each below `V` → `[B, D]`
    ///
    /// # Errors
    /// [`LayerError::Kernel`], or [`LayerError::Torch`] where there are no kernels, when an id is out of range.
    pub fn forward(&self, ids: &Tensor) -> Result<Tensor, LayerError> {
        if fused::applies(&self.weight, &[ids]) {
            // One list of ids gives one list of rows.
            return Ok(fused::rows(&self.weight, &[ids], self.gradient())?.swap_remove(0));
        }
        self.plain(ids)
    }

    /// Looks several lists of ids up at once: candidates, histories and negatives of one vocabulary, for example. The
    /// gradient of the table is then one sum over all of them, and not the sum of as many whole tables.
    ///
    /// # Shapes
    /// - each of `ids` `[B]` or `[N]`, int64, each below `V` → as many tensors, `[B, D]` or `[N, D]`
    ///
    /// # Errors
    /// As [`Embedding::forward`].
    pub fn forward_together(&self, ids: &[&Tensor]) -> Result<Vec<Tensor>, LayerError> {
        if !ids.is_empty() && fused::applies(&self.weight, ids) {
            return fused::rows(&self.weight, ids, self.gradient());
        }
        ids.iter().map(|ids| self.plain(ids)).collect()
    }

    /// True when the two share a table.
    pub fn same_as(&self, other: &Self) -> bool {
        self.weight.data_ptr() == other.weight.data_ptr()
    }

    fn gradient(&self) -> fused::TableGradient {
        fused::TableGradient { sparse: self.sparse, zero_row: self.zero_row }
    }

    /// By libtorch.
    fn plain(&self, ids: &Tensor) -> Result<Tensor, LayerError> {
        // The row that gets no gradient; libtorch takes a negative one for none.
        let untrained = if self.zero_row { 0 } else { -1 };
        Ok(Tensor::f_embedding(&self.weight, ids, untrained, false, self.sparse)?)
    }

    /// Looks the ids of a history up.
    ///
    /// # Shapes
    /// - `ids` `[N]`, int64 → jagged `[N, D]`
    ///
    /// # Errors
    /// As [`Embedding::forward`]; [`LayerError::Shape`] when `ids` does not fit the layout.
    pub fn forward_jagged(&self, ids: &Tensor, layout: &JaggedLayout) -> Result<Jagged, LayerError> {
        Jagged::new(self.forward(ids)?, layout.clone())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use tch::{Device, Kind};

    use super::*;

    fn numbers(tensor: &Tensor) -> Vec<f64> {
        Vec::<f64>::try_from(tensor.detach().to_kind(Kind::Double).reshape([-1])).unwrap()
    }

    fn ids(ids: &[i64]) -> Tensor {
        Tensor::from_slice(ids)
    }

    /// Three rows of two.
    fn matrix() -> Tensor {
        Tensor::from_slice(&[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0]).reshape([3, 2])
    }

    #[test]
    fn the_zero_row_starts_at_zero_and_is_never_trained() {
        for (zero_row, gradient) in [(true, [0.0, 0.0]), (false, [2.0, 2.0])] {
            let store = nn::VarStore::new(Device::Cpu);
            let config = EmbeddingConfig { dim: 2, std: 1.0, zero_row, ..EmbeddingConfig::default() };
            let table = Embedding::new(&store.root(), 3, config).unwrap();
            let start = numbers(table.weight());
            assert_eq!(start[..2] == [0.0, 0.0], zero_row, "{start:?}");
            assert!(start[2..].iter().all(|&entry| entry != 0.0), "{start:?}");
            let vectors = table.forward(&ids(&[0, 2, 0])).unwrap();
            assert_eq!(numbers(&vectors)[..2], start[..2]);
            vectors.sum(Kind::Float).backward();
            let expected: Vec<f64> = gradient.into_iter().chain([0.0, 0.0, 1.0, 1.0]).collect();
            assert_eq!(numbers(&table.weight().grad()), expected);
        }
    }

    #[test]
    fn a_frozen_table_is_zero_and_not_trained() {
        let store = nn::VarStore::new(Device::Cpu);
        let config = EmbeddingConfig { dim: 2, frozen: true, sparse: true, ..EmbeddingConfig::default() };
        let table = Embedding::new(&store.root(), 3, config).unwrap();
        assert_eq!(numbers(table.weight()), [0.0; 6]);
        assert_eq!((store.len(), store.trainable_variables().len()), (1, 0));
        assert!(!table.forward(&ids(&[1, 2])).unwrap().requires_grad());
    }

    #[test]
    fn a_matrix_is_where_a_table_starts() {
        for trained in [true, false] {
            let store = nn::VarStore::new(Device::Cpu);
            let start = matrix().set_requires_grad(true);
            let table = Embedding::from_matrix(&store.root(), &start, trained).unwrap();
            assert_eq!(numbers(&table.forward(&ids(&[2, 0])).unwrap()), [5.0, 6.0, 1.0, 2.0]);
            assert_eq!(store.variables()["weight"].requires_grad(), trained);
            assert_eq!(store.trainable_variables().len(), usize::from(trained));
            // The table is a copy: what happens to it does not reach the matrix.
            let _ = tch::no_grad(|| table.weight().shallow_clone().fill_(7.0));
            assert_eq!(numbers(&start), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
            assert_eq!(numbers(&store.variables()["weight"]), [7.0; 6]);
        }
    }

    #[test]
    fn a_matrix_needs_rows_and_columns() {
        let store = nn::VarStore::new(Device::Cpu);
        for size in [vec![3], vec![0, 2], vec![2, 0], vec![1, 1, 1]] {
            let matrix = Tensor::zeros(&size, (Kind::Float, Device::Cpu));
            let error = Embedding::from_matrix(&store.root(), &matrix, true).unwrap_err();
            assert!(matches!(&error, LayerError::Shape { got, .. } if *got == size), "{error}");
        }
        assert!(store.is_empty());
    }

    /// The table's gradient as a dense tensor, of three lists, one of them empty and one of two dimensions.
    fn gradient(table: &Embedding, kind: Kind, look_up: &dyn Fn(&[&Tensor]) -> Vec<Tensor>) -> Tensor {
        table.weight().shallow_clone().zero_grad();
        let lists = [ids(&[2, 0, 2, 1]), ids(&[]), ids(&[2, 0]).reshape([2, 1])];
        let vectors = look_up(&[&lists[0], &lists[1], &lists[2]]);
        let numbered = |of: &Tensor, from: f64| {
            let numbers = Tensor::arange(of.numel() as i64, (kind, Device::Cpu)) + from;
            (of * numbers.reshape(of.size())).sum(kind)
        };
        assert_eq!([vectors[1].size(), vectors[2].size()], [vec![0, 2], vec![2, 1, 2]]);
        let first = vectors[0].shallow_clone();
        (numbered(&first, 1.0) + numbered(&vectors[1], 0.0) + numbered(&vectors[2], 20.0)).backward();
        let gradient = table.weight().grad();
        if gradient.is_sparse() { gradient.to_dense(None::<Kind>, false) } else { gradient }
    }

    #[test]
    fn look_ups_together_are_those_apart_and_those_of_libtorch() {
        for kind in [Kind::Float, Kind::Double] {
            for (sparse, zero_row) in [(false, false), (false, true), (true, false), (true, true)] {
                let mut store = nn::VarStore::new(Device::Cpu);
                store.set_kind(kind);
                let mut table = Embedding::from_matrix(&store.root(), &matrix().to_kind(kind), true).unwrap();
                (table.sparse, table.zero_row) = (sparse, zero_row);
                let together = gradient(&table, kind, &|ids| table.forward_together(ids).unwrap());
                let apart = |ids: &[&Tensor]| ids.iter().map(|ids| table.forward(ids).unwrap()).collect();
                let plain = |ids: &[&Tensor]| ids.iter().map(|ids| table.plain(ids).unwrap()).collect();
                let zero = if zero_row { [0.0; 2] } else { [25.0, 27.0] };
                assert_eq!(numbers(&together), [&zero[..], &[7.0, 8.0, 26.0, 29.0]].concat(), "{kind:?} {sparse}");
                for other in [gradient(&table, kind, &apart), gradient(&table, kind, &plain)] {
                    assert_eq!(other, together);
                }
            }
        }
    }

    #[test]
    fn a_list_that_nothing_hears_has_no_part_in_the_gradient() {
        for sparse in [false, true] {
            let store = nn::VarStore::new(Device::Cpu);
            let mut table = Embedding::from_matrix(&store.root(), &matrix(), true).unwrap();
            table.sparse = sparse;
            let vectors = table.forward_together(&[&ids(&[1, 2]), &ids(&[1, 0])]).unwrap();
            vectors[1].sum(Kind::Float).backward();
            let gradient = table.weight().grad();
            assert_eq!(gradient.is_sparse(), sparse);
            let gradient = if sparse { gradient.to_dense(None::<Kind>, false) } else { gradient };
            assert_eq!(numbers(&gradient), [1.0, 1.0, 1.0, 1.0, 0.0, 0.0]);
        }
        let store = nn::VarStore::new(Device::Cpu);
        let table = Embedding::from_matrix(&store.root(), &matrix(), true).unwrap();
        assert!(table.forward_together(&[]).unwrap().is_empty());
        assert!(table.same_as(&table.clone()));
    }

    #[test]
    fn an_id_that_is_no_row_is_refused() {
        let store = nn::VarStore::new(Device::Cpu);
        let table = Embedding::from_matrix(&store.root(), &matrix(), true).unwrap();
        for wrong in [3, -1] {
            let error = table.forward(&ids(&[0, wrong])).unwrap_err();
            assert!(error.to_string().contains(&format!("ids[1] is {wrong}: the table has 3 rows")), "{error}");
        }
    }

    #[test]
    fn a_clone_shares_the_table_and_its_gradient() {
        let store = nn::VarStore::new(Device::Cpu);
        let table = Embedding::from_matrix(&store.root(), &matrix(), true).unwrap();
        let other = table.clone();
        let both = table.forward(&ids(&[0])).unwrap() + other.forward(&ids(&[1])).unwrap() * 2.0;
        both.sum(Kind::Float).backward();
        assert_eq!(numbers(&other.weight().grad()), [1.0, 1.0, 2.0, 2.0, 0.0, 0.0]);
        assert_eq!(store.len(), 1);
    }
}

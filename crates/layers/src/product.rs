//! The product layer of product-based neural networks.

use fain_autograd::widened;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor, nn};

use crate::LayerError;
use crate::error::check_shape;
use crate::unbiased_linear::UnbiasedLinear;

/// Which products of the fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ProductKind {
    /// The inner product of each pair of fields, IPNN: section 3.1 of the paper. The dense layer that follows learns the
    /// weight of each pair; the paper writes that weight as a product of two vectors to save memory.
    #[default]
    Inner,
    /// The outer product of the sum of all fields with itself, OPNN with superposition: section 3.2 of the paper.
    Outer {
        /// How many kernels `[D, D]` weigh the outer product, at least 1: the paper's `D1`.
        kernels: i64,
    },
}

/// Products of the fields' vectors.
///
/// Product-based Neural Networks, <https://arxiv.org/abs/1611.00144>, section 3.
/// - inner: `p_ij = ⟨f_i, f_j⟩` for `i < j`, in the order (0, 1), (0, 2), …, (1, 2), …
/// - outer: `l_n = Σ_{de} W_nde · p_de` with `p = f_Σ f_Σᵀ` and `f_Σ = Σ_i f_i`
///
/// Parameter, outer only: `weight` `[kernels, D·D]`.
#[derive(Debug)]
pub struct ProductLayer {
    kernels: Option<UnbiasedLinear>,
    fields: i64,
    width: i64,
    outputs: i64,
}

impl ProductKind {
    /// Looks for conflicts with the number of fields.
    ///
    /// # Errors
    /// [`LayerError::Config`] when inner products have fewer than two fields, there is no field, or no kernel.
    pub fn check(&self, fields: i64) -> Result<(), LayerError> {
        let refuse = |field, value: i64, allowed| Err(LayerError::Config { field, value: value.to_string(), allowed });
        match *self {
            Self::Inner if fields < 2 => refuse("fields", fields, "at least 2 for inner products"),
            Self::Outer { .. } if fields < 1 => refuse("fields", fields, "at least 1"),
            Self::Outer { kernels } if kernels < 1 => refuse("outer.kernels", kernels, "at least 1"),
            Self::Inner | Self::Outer { .. } => Ok(()),
        }
    }
}

impl ProductLayer {
    /// Registers the kernels, if there are any, for `fields` fields of width `width`.
    ///
    /// # Errors
    /// Those of [`ProductKind::check`], and [`LayerError::Config`] when `width` is not positive; no variable is
    /// registered then.
    pub fn new(variables: &nn::Path<'_>, fields: i64, width: i64, kind: ProductKind) -> Result<Self, LayerError> {
        kind.check(fields)?;
        if width < 1 {
            return Err(LayerError::Config { field: "width", value: width.to_string(), allowed: "at least 1" });
        }
        Ok(match kind {
            ProductKind::Inner => Self { kernels: None, fields, width, outputs: fields * (fields - 1) / 2 },
            ProductKind::Outer { kernels } => {
                let projection = UnbiasedLinear::new(variables, width * width, kernels)?;
                Self { kernels: Some(projection), fields, width, outputs: kernels }
            }
        })
    }

    /// `F`, how many fields the layer takes.
    pub fn fields(&self) -> i64 {
        self.fields
    }

    /// `D`, their width.
    pub fn width(&self) -> i64 {
        self.width
    }

    /// How many numbers a sample gets: `F(F − 1)/2` inner products, or one for each kernel.
    pub fn outputs(&self) -> i64 {
        self.outputs
    }

    /// # Shapes
    /// - `fields` `[B, F, D]` → `[B, outputs]`
    ///
    /// # Errors
    /// [`LayerError::Shape`] when the number of fields or their width differs.
    pub fn forward(&self, fields: &Tensor) -> Result<Tensor, LayerError> {
        check_shape("fields", fields, &[None, Some(self.fields), Some(self.width)], "[B, F, D]")?;
        let products = match &self.kernels {
            None => self.inner(fields)?,
            Some(kernels) => {
                let sum = fields.f_sum_dim_intlist(1, false, fields.kind())?;
                let outer = sum.f_unsqueeze(2)?.f_mul(&sum.f_unsqueeze(1)?)?;
                kernels.forward(&outer.f_reshape([fields.size()[0], self.width * self.width])?)?
            }
        };
        Ok(widened(&products)?)
    }

    fn inner(&self, fields: &Tensor) -> Result<Tensor, LayerError> {
        let all = fields.f_matmul(&fields.f_transpose(1, 2)?)?;
        let all = all.f_reshape([fields.size()[0], self.fields * self.fields])?;
        let pairs = Tensor::f_triu_indices(self.fields, self.fields, 1, (Kind::Int64, fields.device()))?;
        let pairs = pairs.f_select(0, 0)?.f_mul_scalar(self.fields)?.f_add(&pairs.f_select(0, 1)?)?;
        Ok(all.f_index_select(1, &pairs)?)
    }
}

//! The second-order term of a factorisation machine.

use tch::Tensor;

use crate::LayerError;
use crate::error::check_shape;

/// The sum of the inner products of all pairs of fields, in time linear in the fields.
///
/// `Σ_{i<j} ⟨v_i, v_j⟩ = ½ Σ_d ((Σ_f v_fd)² − Σ_f v_fd²)`: Factorization Machines (Rendle 2010), lemma 3.1, and the
/// second term of DeepFM, eq. (2), <https://arxiv.org/abs/1703.04247>. The first-order term is the model's: an embedding
/// of width 1 for each field.
///
/// # Shapes
/// - `fields` `[B, F, D]` → `[B, 1]`; fewer than two fields give zeros
///
/// # Errors
/// [`LayerError::Shape`] when `fields` does not have three dimensions.
pub fn factorization_machine(fields: &Tensor) -> Result<Tensor, LayerError> {
    check_shape("fields", fields, &[None, None, None], "[B, F, D]")?;
    let kind = fields.kind();
    let square_of_sum = fields.f_sum_dim_intlist(1, false, kind)?.f_square()?;
    let sum_of_squares = fields.f_square()?.f_sum_dim_intlist(1, false, kind)?;
    Ok(square_of_sum.f_sub(&sum_of_squares)?.f_sum_dim_intlist(1, true, kind)?.f_mul_scalar(0.5)?)
}

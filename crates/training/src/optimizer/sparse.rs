//! Gradients that hold some rows of a table.

use tch::{TchError, Tensor};

use super::rule::{Rule, Step};

/// Moves the rows that a sparse gradient holds, and leaves all others with what is remembered of them.
///
/// The gradient has one sparse dimension. Rows that it holds several times are summed first: a rule that is not linear
/// in the gradient would otherwise see parts of it.
pub(super) fn update_rows(
    rule: &mut dyn Rule,
    value: &mut Tensor,
    gradient: &Tensor,
    step: &Step,
) -> Result<(), TchError> {
    let gradient = gradient.f_coalesce()?;
    let rows = gradient.f_indices()?.f_select(0, 0)?;
    if rows.numel() == 0 {
        return Ok(());
    }
    let mut moved = value.f_index_select(0, &rows)?;
    let mut rule_of_rows = rule.of_rows(&rows)?;
    rule_of_rows.update(&mut moved, &gradient.f_values()?, step)?;
    let _ = value.f_index_copy_(0, &rows, &moved)?;
    for ((_, mut whole), (_, part)) in rule.state().into_iter().zip(rule_of_rows.state()) {
        let _ = whole.f_index_copy_(0, &rows, &part)?;
    }
    Ok(())
}

//! How often each item is drawn beside the events of training histories, where every epoch sees the same draws.

use fain_samples::{Drawing, DrawnRow, NoneLeft, Part};
use rayon::prelude::*;

use crate::error::DatasetError;
use crate::progress::Phase;
use crate::table::Reporter;
use crate::views::RELEASE;
use crate::views::history::Cut;
use crate::views::plan::Plan;

/// Rows between two reports.
const REPORT: u64 = 1 << 16;

/// Draws for all training rows and counts the items. Rows are drawn for in parallel, and the sums do not depend on how
/// they are shared out.
pub(crate) fn count(
    plan: &Plan<'_>,
    drawing: &Drawing,
    cut: Cut,
    reporter: &mut Reporter<'_>,
) -> Result<Vec<u64>, DatasetError> {
    let rows = plan.samples.rows(Part::Train).rows;
    let items = plan.samples.items().rows as usize;
    let mut counts: Vec<Vec<u64>> = vec![vec![0; items]; rayon::current_num_threads()];
    for start in (0..rows).step_by(REPORT as usize) {
        reporter.rows(Phase::Fit, start, rows)?;
        if start % RELEASE == 0 {
            plan.samples.release();
        }
        let (end, share) = (rows.min(start + REPORT), REPORT.div_ceil(counts.len() as u64));
        let outcomes: Vec<Result<(), (u32, NoneLeft)>> = counts
            .par_iter_mut()
            .enumerate()
            .map(|(place, counts)| {
                let first = start + place as u64 * share;
                let mut list = Vec::new();
                for row in first..end.min(first + share) {
                    draw(plan, drawing, cut, row, &mut list)?;
                    for item in &list {
                        counts[*item as usize] += 1;
                    }
                }
                Ok(())
            })
            .collect();
        // In the order of the rows, so that the same samples fail with the same error.
        let outcome: Result<(), (u32, NoneLeft)> = outcomes.into_iter().collect();
        outcome.map_err(|(user, none)| plan.none_left(user, none))?;
    }
    let mut shares = counts.into_iter();
    let mut total = shares.next().unwrap_or_default();
    for share in shares {
        for (total, count) in total.iter_mut().zip(share) {
            *total += count;
        }
    }
    Ok(total)
}

/// Replaces `list` by the items drawn for a row.
fn draw(plan: &Plan<'_>, drawing: &Drawing, cut: Cut, row: u64, list: &mut Vec<u32>) -> Result<(), (u32, NoneLeft)> {
    let (rows, users) = (plan.samples.rows(Part::Train), plan.samples.users());
    let (user, history_end) = (rows.users.at(row), rows.history_ends.at(row));
    let window_end = users.window_ends.at(u64::from(user));
    let drawn = DrawnRow { epoch: 0, part: Part::Train, row, user, history_end, window_end };
    let events = cut.apply(&plan.samples.history(user, history_end));
    list.clear();
    list.resize((events.end - events.start) as usize, 0);
    drawing.list(&drawn, events, list).map_err(|none| (user, none))
}

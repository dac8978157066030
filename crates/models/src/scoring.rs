//! Scores on the host, without a graph.

use std::ops::Range;

use fain_features::{Column, Samples};
use fain_layers::Mode;
use tch::{Device, Kind, Tensor};

use crate::{Candidates, Model, ModelError, ModelInput, UserState};

/// Events that are scored at once on a CPU. The numbers of a layer over more of them do not stay in the caches of a core:
/// DIN of torch-rechub takes a quarter less processor time by this than by batches of 4,096 rows whole.
const EVENTS_AT_ONCE: usize = 16_384;

/// Scores samples without building a graph: one logit per row, on the host.
///
/// On the CPU a batch with many events is cut into pieces, which the batch alone decides: equal batches give equal bits.
///
/// # Errors
/// Those of [`ModelInput::new`] and [`Model::forward`].
pub fn logits(model: &dyn Model, samples: &Samples, device: Device) -> Result<Vec<f32>, ModelError> {
    let _guard = tch::no_grad_guard();
    let mut logits = Vec::with_capacity(samples.rows);
    for rows in pieces(samples, device) {
        let input = ModelInput::of_rows(samples, rows, device)?;
        logits.extend(on_host(&model.forward(&input, Mode::Evaluation)?.logits)?);
    }
    Ok(logits)
}

/// Reads a user without building a graph. `user` has one row; what it holds for features that the candidates have is not
/// looked at, but it is there and of its kind, id 0 for example.
///
/// # Errors
/// Those of [`ModelInput::new`] and [`Model::user_state`].
pub fn user_state(model: &dyn Model, user: &Samples, device: Device) -> Result<UserState, ModelError> {
    let _guard = tch::no_grad_guard();
    model.user_state(ModelInput::new(user, device)?)
}

/// Scores candidates before a user without building a graph: one logit per candidate, on the host, those that [`logits`]
/// gives for the candidates with the user's features beside each. No candidates have no logits.
///
/// # Errors
/// Those of [`Model::score_candidates`].
pub fn candidate_logits(model: &dyn Model, user: &UserState, candidates: &Candidates) -> Result<Vec<f32>, ModelError> {
    let _guard = tch::no_grad_guard();
    let mut logits = Vec::with_capacity(candidates.rows() as usize);
    for piece in candidates.pieces(most_candidates(user, candidates))? {
        logits.extend(on_host(&model.score_candidates(user, &piece)?)?);
    }
    Ok(logits)
}

/// How many candidates are scored at once: all of them, where they are not on a CPU.
fn most_candidates(user: &UserState, candidates: &Candidates) -> i64 {
    let events = user.input().events();
    if candidates.device() != Device::Cpu || events == 0 {
        return candidates.rows();
    }
    let parts = (candidates.rows() as usize * events).div_ceil(EVENTS_AT_ONCE).max(1) as i64;
    (candidates.rows() as u64).div_ceil(parts as u64) as i64
}

fn on_host(logits: &Tensor) -> Result<Vec<f32>, ModelError> {
    Ok(Vec::<f32>::try_from(logits.f_to_device(Device::Cpu)?.f_to_kind(Kind::Float)?)?)
}

/// Rows of about as many events each, by the lists that have the most; all rows where they are not many, or where
/// something is wrong with the lists, which is found when they are read.
fn pieces(samples: &Samples, device: Device) -> Vec<Range<usize>> {
    let offsets = samples.columns.iter().filter_map(|column| match column {
        Column::Sequence(lists) if lists.offsets.len() == samples.rows + 1 => Some(lists.offsets.as_slice()),
        _ => None,
    });
    let longest = offsets.max_by_key(|offsets| offsets.last().copied());
    let Some(offsets) = longest.filter(|offsets| device == Device::Cpu && offsets.is_sorted()) else {
        return std::iter::once(0..samples.rows).collect();
    };
    let events = offsets[samples.rows] as usize;
    let count = events.div_ceil(EVENTS_AT_ONCE).max(1);
    let mut pieces = Vec::with_capacity(count);
    let mut start = 0;
    for index in 1..=count {
        let aim = events * index / count;
        let end = if index == count {
            samples.rows
        } else {
            offsets.partition_point(|&offset| (offset as usize) < aim).min(samples.rows)
        };
        if end > start || samples.rows == 0 {
            pieces.push(start..end);
            start = end;
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use fain_features::Sequences;

    use super::*;

    fn samples(lengths: &[u32]) -> Samples {
        let ends = lengths.iter().scan(0, |end, length| {
            *end += length;
            Some(*end)
        });
        let offsets: Vec<u32> = std::iter::once(0).chain(ends).collect();
        let values = vec![0; offsets[lengths.len()] as usize];
        let columns = vec![Column::Sequence(Sequences { values, offsets, weights: None })];
        Samples { rows: lengths.len(), columns, ..Samples::default() }
    }

    #[test]
    fn a_batch_is_cut_into_pieces_of_about_as_many_events() {
        let all = EVENTS_AT_ONCE as u32;
        for (lengths, sizes) in [
            (vec![3, 0, 2], vec![3]),
            (vec![all], vec![1]),
            (vec![all / 2; 4], vec![2, 2]),
            // A list that is longer than a piece is not cut.
            (vec![3 * all, 1, 0], vec![1, 2]),
            (vec![50; 4096], vec![316, 315, 315, 315, 315, 315, 315, 315, 315, 315, 315, 315, 315]),
            (vec![], vec![0]),
        ] {
            let pieces = pieces(&samples(&lengths), Device::Cpu);
            assert_eq!(pieces.iter().map(ExactSizeIterator::len).collect::<Vec<_>>(), sizes);
            let rows: Vec<usize> = pieces.into_iter().flatten().collect();
            assert_eq!(rows, (0..lengths.len()).collect::<Vec<_>>());
        }
        let whole = pieces(&samples(&[all, all]), Device::Cuda(0));
        assert_eq!(whole, std::iter::once(0..2).collect::<Vec<_>>());
    }

    #[test]
    fn wrong_lists_are_left_to_whoever_reads_them() {
        let mut falling = samples(&[EVENTS_AT_ONCE as u32, 1, 1]);
        if let Column::Sequence(lists) = &mut falling.columns[0] {
            lists.offsets.swap(1, 2);
        }
        assert_eq!(pieces(&falling, Device::Cpu).len(), 1);
        falling.rows = 2;
        assert_eq!(pieces(&falling, Device::Cpu).len(), 1);
    }
}

//! Samples behind samples.

use rayon::prelude::*;

use crate::samples::{Column, Samples};

/// Why samples cannot be appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// They are of another schema or have other parts.
    Kind,
    /// The lists of this feature would have more values than an offset counts.
    TooLong(usize),
}

impl Samples {
    /// Appends the rows of others, one after the other, a thread for each column; else the first of the others that
    /// cannot be appended, and why. After an error a part of them may be there.
    pub(crate) fn append(&mut self, others: &[Self]) -> Result<(), (usize, Misfit)> {
        let fits = |other: &Self| self.columns.len() == other.columns.len() && self.parts() == other.parts();
        if let Some(other) = others.iter().position(|other| !fits(other)) {
            return Err((other, Misfit::Kind));
        }
        for other in others {
            extend(self.labels.as_mut(), other.labels.as_deref());
            extend(self.groups.as_mut(), other.groups.as_deref());
            extend(self.times.as_mut(), other.times.as_deref());
            if let (Some(ours), Some(theirs)) = (&mut self.ceiling, &other.ceiling) {
                ours.blind.extend_from_slice(&theirs.blind);
                ours.optimal.extend_from_slice(&theirs.optimal);
            }
            self.rows += other.rows;
        }
        let columns = self.columns.par_iter_mut().enumerate().filter_map(|(feature, column)| {
            let mut columns = others.iter().map(|other| &other.columns[feature]).enumerate();
            columns.find_map(|(other, theirs)| Some(other).zip(column.append(theirs, feature).err()))
        });
        columns.min_by_key(|&(other, _)| other).map_or(Ok(()), Err)
    }
}

impl Column {
    fn append(&mut self, other: &Self, feature: usize) -> Result<(), Misfit> {
        let too_long = Misfit::TooLong(feature);
        match (self, other) {
            (Self::Category(ours), Self::Category(theirs)) => ours.extend_from_slice(theirs),
            (Self::Numeric(ours), Self::Numeric(theirs)) => ours.extend_from_slice(theirs),
            (Self::Sequence(ours), Self::Sequence(theirs)) if ours.weights.is_some() == theirs.weights.is_some() => {
                extend_offsets(&mut ours.offsets, &theirs.offsets).ok_or(too_long)?;
                ours.values.extend_from_slice(&theirs.values);
                extend(ours.weights.as_mut(), theirs.weights.as_deref());
            }
            (Self::Times(ours), Self::Times(theirs)) => {
                extend_offsets(&mut ours.offsets, &theirs.offsets).ok_or(too_long)?;
                ours.values.extend_from_slice(&theirs.values);
            }
            _ => return Err(Misfit::Kind),
        }
        Ok(())
    }
}

fn extend<T: Copy>(ours: Option<&mut Vec<T>>, theirs: Option<&[T]>) {
    if let (Some(ours), Some(theirs)) = (ours, theirs) {
        ours.extend_from_slice(theirs);
    }
}

/// Moves offsets behind those that are there; `None` when they would not fit into 32 bits.
fn extend_offsets(ours: &mut Vec<u32>, theirs: &[u32]) -> Option<()> {
    let start = ours.last().copied().unwrap_or_default();
    start.checked_add(theirs.last().copied().unwrap_or_default())?;
    ours.extend(theirs.iter().skip(1).map(|offset| start + offset));
    Some(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::samples::{Sequences, Times};

    fn samples(columns: Vec<Column>) -> Samples {
        Samples { rows: 2, columns, ..Samples::default() }
    }

    fn lists(values: &[u32], offsets: &[u32], weights: Option<&[f32]>) -> Column {
        let (values, offsets) = (values.to_vec(), offsets.to_vec());
        Column::Sequence(Sequences { values, offsets, weights: weights.map(<[f32]>::to_vec) })
    }

    fn times(values: &[i64], offsets: &[u32]) -> Column {
        Column::Times(Times { values: values.to_vec(), offsets: offsets.to_vec() })
    }

    #[test]
    fn lists_move_behind_lists() {
        let mut ours = samples(vec![lists(&[1, 2], &[0, 2, 2], Some(&[0.5, 1.0])), times(&[9], &[0, 0, 1])]);
        let theirs = samples(vec![lists(&[3], &[0, 0, 1], Some(&[2.0])), times(&[7, 8], &[0, 2, 2])]);
        assert_eq!(ours.append(&[theirs]), Ok(()));
        assert_eq!(ours.rows, 4);
        assert_eq!(ours.columns[0], lists(&[1, 2, 3], &[0, 2, 2, 2, 3], Some(&[0.5, 1.0, 2.0])));
        assert_eq!(ours.columns[1], times(&[9, 7, 8], &[0, 0, 1, 3, 3]));
    }

    #[test]
    fn what_does_not_belong_together_is_refused() {
        let number = samples(vec![Column::Numeric(vec![0.0, 1.0])]);
        let ids = samples(vec![Column::Category(vec![0, 1])]);
        let refused = |ours: &Samples, others: &[Samples]| ours.clone().append(others).unwrap_err();
        assert_eq!(refused(&number, &[ids]), (0, Misfit::Kind));
        assert_eq!(refused(&number, &[number.clone(), Samples::default()]), (1, Misfit::Kind));
        let labelled = Samples { labels: Some(vec![0.0, 1.0]), ..number.clone() };
        assert_eq!(refused(&number, &[labelled]), (0, Misfit::Kind));
        let plain = samples(vec![lists(&[], &[0, 0, 0], None)]);
        assert_eq!(refused(&plain, &[samples(vec![lists(&[], &[0, 0, 0], Some(&[]))])]), (0, Misfit::Kind));
    }

    #[test]
    fn offsets_do_not_wrap_around() {
        // No values are needed to see that the offsets would not fit.
        let long = || lists(&[], &[0, 0, u32::MAX], None);
        let (one, none) = (|| lists(&[1], &[0, 1, 1], None), || lists(&[], &[0, 0, 0], None));
        let mut ours = samples(vec![long()]);
        assert_eq!(ours.append(&[samples(vec![one()])]), Err((0, Misfit::TooLong(0))));
        // The first of the others that does not fit is named, whichever column comes first.
        let mut ours = samples(vec![long(), long()]);
        let others = [vec![none(), none()], vec![none(), one()], vec![one(), one()]].map(samples);
        assert_eq!(ours.append(&others), Err((1, Misfit::TooLong(1))));
    }
}

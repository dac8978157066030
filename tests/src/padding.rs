//! From padded sequences to jagged ones and back.

use fain_layers::{Jagged, JaggedLayout};
use tch::{Device, Kind, Tensor};

use crate::GoldenError;

/// Where the events of padded sequences `[B, T, …]` are: row `b` holds its events first, then padding.
#[derive(Debug)]
pub struct Padding {
    layout: JaggedLayout,
    rows: i64,
    longest: i64,
    /// `[N]`: the place of each event among the `B · T` places.
    events: Tensor,
    /// The other places.
    others: Tensor,
}

impl Padding {
    /// `lengths` `[B]` of sequences padded to `longest`.
    ///
    /// # Errors
    /// [`GoldenError::Fixture`] when a length is negative or above `longest`.
    pub fn new(lengths: &[i64], longest: i64) -> Result<Self, GoldenError> {
        let (mut events, mut others, mut offsets) = (Vec::new(), Vec::new(), vec![0u32]);
        for (row, &length) in lengths.iter().enumerate() {
            if !(0..=longest).contains(&length) {
                return Err(GoldenError::Fixture {
                    place: format!("length of row {row}"),
                    problem: format!("{length} is outside 0 to {longest}"),
                });
            }
            let start = row as i64 * longest;
            events.extend(start..start + length);
            others.extend(start + length..start + longest);
            offsets.push(events.len() as u32);
        }
        Ok(Self {
            layout: JaggedLayout::new(&offsets, Device::Cpu)?,
            rows: lengths.len() as i64,
            longest,
            events: Tensor::f_from_slice(&events)?,
            others: Tensor::f_from_slice(&others)?,
        })
    }

    /// Where the events of padded ids `[B, T]` are, if id 0 is padding and nothing else: as many as a row has other ids.
    ///
    /// # Errors
    /// [`GoldenError::Torch`] when `ids` is no matrix.
    pub fn of_ids(ids: &Tensor) -> Result<Self, GoldenError> {
        let (_, longest) = ids.size2()?;
        let counts = ids.f_ne(0)?.f_sum_dim_intlist([1i64].as_slice(), false, Kind::Int64)?;
        Self::new(&Vec::<i64>::try_from(counts)?, longest)
    }

    /// Drops the padding of ids: `[B, T]` → `[N]`, and where each row's lie.
    ///
    /// # Errors
    /// As [`Padding::pack`].
    pub fn pack_ids(&self, padded: &Tensor) -> Result<(Tensor, JaggedLayout), GoldenError> {
        let ids = self.places(padded)?.f_index_select(0, &self.events)?.f_reshape([-1])?;
        Ok((ids, self.layout.clone()))
    }

    /// Drops the padding: `[B, T, D]` → jagged `[N, D]`, `[B, T]` → jagged `[N, 1]`. Gradients flow back to the events only.
    ///
    /// # Errors
    /// [`GoldenError::Torch`] when `padded` does not have `B · T` places.
    pub fn pack(&self, padded: &Tensor) -> Result<Jagged, GoldenError> {
        let events = self.places(padded)?.f_index_select(0, &self.events)?;
        Ok(Jagged::new(events, self.layout.clone())?)
    }

    /// Puts zeros where padding was: `[N, 1]` → `[B, T]`.
    ///
    /// # Errors
    /// [`GoldenError::Torch`] when `events` does not have `N` entries.
    pub fn unpack(&self, events: &Tensor) -> Result<Tensor, GoldenError> {
        Ok(self.unpack_rows(&events.f_reshape([-1, 1])?)?.f_reshape([self.rows, self.longest])?)
    }

    /// Puts rows of zeros where padding was: `[N, W]` → `[B, T, W]`.
    ///
    /// # Errors
    /// [`GoldenError::Torch`] when `events` does not have `N` rows.
    pub fn unpack_rows(&self, events: &Tensor) -> Result<Tensor, GoldenError> {
        let width = events.size().last().copied().unwrap_or(1);
        let places = Tensor::f_zeros([self.rows * self.longest, width], (events.kind(), events.device()))?;
        let filled = places.f_index_add(0, &self.events, events)?;
        Ok(filled.f_reshape([self.rows, self.longest, width])?)
    }

    /// What stands in the padding of `[B, T, D]`: `[B · T − N, D]`, where `[B, T]` is as `[B, T, 1]`.
    ///
    /// # Errors
    /// As [`Padding::pack`].
    pub fn padding_of(&self, padded: &Tensor) -> Result<Tensor, GoldenError> {
        Ok(self.places(padded)?.f_index_select(0, &self.others)?)
    }

    /// Whether there is any.
    pub fn is_padded(&self) -> bool {
        self.others.size() != [0]
    }

    fn places(&self, padded: &Tensor) -> Result<Tensor, GoldenError> {
        let width = padded.size().get(2).copied().unwrap_or(1);
        Ok(padded.f_reshape([self.rows * self.longest, width])?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn numbers(tensor: &Tensor) -> Vec<f64> {
        Vec::<f64>::try_from(tensor.reshape([-1])).unwrap()
    }

    #[test]
    fn events_go_and_come_back() {
        let padding = Padding::new(&[2, 0, 3], 3).unwrap();
        assert!(padding.is_padded());
        let padded = Tensor::from_slice(&[1.0, 2.0, 9.0, 9.0, 9.0, 9.0, 3.0, 4.0, 5.0]);
        let padded = padded.reshape([3, 3, 1]);
        let packed = padding.pack(&padded).unwrap();
        assert_eq!(numbers(packed.values()), [1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(Vec::<i64>::try_from(packed.layout().offsets()).unwrap(), [0, 2, 2, 5]);
        assert_eq!(numbers(&padding.padding_of(&padded).unwrap()), [9.0; 4]);
        let unpacked = padding.unpack(packed.values()).unwrap();
        assert_eq!(unpacked.size(), [3, 3]);
        assert_eq!(numbers(&unpacked), [1.0, 2.0, 0.0, 0.0, 0.0, 0.0, 3.0, 4.0, 5.0]);
        assert!(!Padding::new(&[3, 3], 3).unwrap().is_padded());
        // Scores have no width.
        let scores = padded.reshape([3, 3]);
        assert_eq!(padding.pack(&scores).unwrap().values(), packed.values());
        assert_eq!(numbers(&padding.padding_of(&scores).unwrap()), [9.0; 4]);
    }

    #[test]
    fn rows_come_back_with_rows_of_zeros() {
        let padding = Padding::new(&[1, 0, 2], 2).unwrap();
        let rows = Tensor::from_slice(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).reshape([3, 2]);
        let unpacked = padding.unpack_rows(&rows).unwrap();
        assert_eq!(unpacked.size(), [3, 2, 2]);
        assert_eq!(numbers(&unpacked), [1.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(padding.pack(&unpacked).unwrap().values(), &rows);
    }

    #[test]
    fn ids_other_than_zero_are_counted() {
        let ids = Tensor::from_slice(&[3i64, 4, 0, 0, 0, 0, 5, 0, 6]).reshape([3, 3]);
        let (packed, layout) = Padding::of_ids(&ids).unwrap().pack_ids(&ids).unwrap();
        assert_eq!(layout.host_offsets(), [0, 2, 2, 4]);
        // The first ones are taken, a zero among them.
        assert_eq!(Vec::<i64>::try_from(packed).unwrap(), [3, 4, 5, 0]);
    }

    #[test]
    fn a_length_beyond_the_padding_is_refused() {
        for length in [-1, 4] {
            let error = Padding::new(&[1, length], 3).unwrap_err().to_string();
            assert_eq!(error, format!("length of row 1: {length} is outside 0 to 3"));
        }
    }
}

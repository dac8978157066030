//! Ids without a fit: the bucket that a term's hash falls into.

use xxhash_rust::xxh3::xxh3_64;

/// The hash, by the name that stored encoders have for it. Another one, or a seed, would need another name.
pub(crate) const HASH: &str = "xxh3_64";

/// Hash buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HashBuckets {
    number: u32,
}

impl HashBuckets {
    /// At least one bucket is needed.
    pub(crate) fn new(number: u32) -> Self {
        Self { number: number.max(1) }
    }

    pub(crate) fn number(self) -> u32 {
        self.number
    }

    /// 1 + hash modulo buckets; 0 for the empty text, which is a missing term.
    pub(crate) fn id(self, term: &str) -> u32 {
        if term.is_empty() { 0 } else { 1 + (xxh3_64(term.as_bytes()) % u64::from(self.number)) as u32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hashes are those of the reference implementation, seed 0: they must never change.
    #[test]
    fn ids_are_stable() {
        let published = 0xe6c6_32b6_1e96_4e1f_u64;
        assert_eq!(xxh3_64(b"a"), published);
        let of = |number: u32, term: &str| HashBuckets::new(number).id(term);
        assert_eq!([of(1, "a"), of(10, "a"), of(1000, "a")], [1, 10, 720]);
        assert_eq!([of(1, ""), of(1000, "")], [0, 0]);
        assert_eq!(of(u32::MAX, "a"), 1 + (published % u64::from(u32::MAX)) as u32);
    }

    #[test]
    fn every_bucket_is_used_about_as_often() {
        let buckets = HashBuckets::new(16);
        let mut counts = [0_u32; 17];
        for term in 0..16_000 {
            counts[buckets.id(&term.to_string()) as usize] += 1;
        }
        assert_eq!(counts[0], 0);
        // Chi-square with 15 degrees of freedom: above 37.7 once in a thousand times.
        let distance: f64 = counts[1..].iter().map(|&count| (f64::from(count) - 1000.0).powi(2) / 1000.0).sum();
        assert!(distance < 37.7, "{distance}");
    }
}

//! The hash that draws users and rows for a part.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// What stands between two texts, so that `["ab", "c"]` and `["a", "bc"]` differ.
const SEPARATOR: u8 = 0x1f;

/// Hashes the columns of a row: xxh3-64 of their texts, joined by the ASCII unit separator. The hash of one column is
/// that of its text. Memory is reused from row to row.
#[derive(Debug, Clone)]
pub(crate) struct RowHash {
    seed: u64,
    text: Vec<u8>,
}

impl RowHash {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, text: Vec::new() }
    }

    pub(crate) fn of<'a>(&mut self, texts: impl IntoIterator<Item = &'a str>) -> u64 {
        self.text.clear();
        for (place, text) in texts.into_iter().enumerate() {
            if place > 0 {
                self.text.push(SEPARATOR);
            }
            self.text.extend_from_slice(text.as_bytes());
        }
        xxh3_64_with_seed(&self.text, self.seed)
    }
}

#[cfg(test)]
mod tests {
    use xxhash_rust::xxh3::xxh3_64_with_seed;

    use super::RowHash;

    #[test]
    fn texts_keep_their_bounds() {
        let mut hash = RowHash::new(7);
        assert_eq!(hash.of(["user 1"]), xxh3_64_with_seed(b"user 1", 7));
        assert_eq!(hash.of(["a", "b"]), xxh3_64_with_seed(b"a\x1fb", 7));
        assert_ne!(hash.of(["ab", "c"]), hash.of(["a", "bc"]));
        assert_ne!(hash.of(["a", ""]), hash.of(["a"]));
        assert_ne!(hash.of(["a"]), RowHash::new(8).of(["a"]));
    }
}

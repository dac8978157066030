//! A term within a list of terms.

use xxhash_rust::xxh3::xxh3_64;

/// A part of a text, and what tables compare it by. The text is cut out only where it is needed.
#[derive(Debug, Clone, Copy)]
pub struct Term<'a> {
    list: &'a str,
    start: usize,
    end: usize,
    key: Key,
}

impl<'a> Term<'a> {
    /// All of a text.
    #[inline]
    pub fn new(text: &'a str) -> Self {
        Self { list: text, start: 0, end: text.len(), key: Key::new(text.as_bytes()) }
    }

    /// The term between two places of a list.
    #[inline]
    pub(crate) fn within(list: &'a str, start: usize, end: usize) -> Self {
        Self { list, start, end, key: Key::within(list.as_bytes(), start, end) }
    }

    #[inline]
    pub(crate) fn key(self) -> Key {
        self.key
    }

    /// Whether it has no characters.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// The term.
    pub fn text(self) -> &'a str {
        &self.list[self.start..self.end]
    }
}

impl<'a> From<&'a str> for Term<'a> {
    fn from(text: &'a str) -> Self {
        Self::new(text)
    }
}

/// A text of up to seven bytes, or the hash of a longer one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key(u64);

impl Key {
    /// In the highest byte of a longer text's key; shorter ones have their length there.
    const LONG: u64 = 0xFF << 56;
    /// The key of no text.
    pub(crate) const NONE: Self = Self(0x80 << 56);

    #[inline]
    fn new(bytes: &[u8]) -> Self {
        let length = bytes.len();
        let text = match length {
            0 => 0,
            1..4 => {
                // First, middle and last byte, of which two may be the same one.
                let at = |place: usize| u64::from(bytes[place]) << (8 * place);
                at(0) | at(length / 2) | at(length - 1)
            }
            4..8 => {
                // The first four bytes and the last four, which may overlap.
                let four = |start: usize| {
                    let word = [bytes[start], bytes[start + 1], bytes[start + 2], bytes[start + 3]];
                    u64::from(u32::from_le_bytes(word))
                };
                four(0) | four(length - 4) << (8 * (length - 4))
            }
            _ => return Self(xxh3_64(bytes) | Self::LONG),
        };
        Self::short(text, length)
    }

    /// Of a part of a text. Eight bytes are read at once: parts are short and their lengths differ, so that a loop over
    /// single bytes would guess wrong at nearly every end.
    #[inline]
    fn within(text: &[u8], start: usize, end: usize) -> Self {
        let length = end - start;
        match text[start..].first_chunk() {
            Some(word) if length < 8 => Self::short(u64::from_le_bytes(*word) & ((1 << (8 * length)) - 1), length),
            _ => Self::at_the_end(text, start, end),
        }
    }

    fn at_the_end(text: &[u8], start: usize, end: usize) -> Self {
        let length = end - start;
        match text.last_chunk() {
            Some(word) if length < 8 && text.len() < start + 8 => {
                // The bytes before the part are shifted out, and those behind it cut off.
                let word = u64::from_le_bytes(*word).checked_shr(8 * (start + 8 - text.len()) as u32).unwrap_or(0);
                Self::short(word & ((1 << (8 * length)) - 1), length)
            }
            _ => Self::new(&text[start..end]),
        }
    }

    /// Of a text with up to seven bytes, which stand in those of `text` from the lowest; the others are 0.
    #[inline]
    fn short(text: u64, length: usize) -> Self {
        Self(text | (length as u64) << 56)
    }

    /// Whether the key is all of the text.
    #[inline]
    pub(crate) fn is_whole(self) -> bool {
        self.0 < Self::LONG
    }

    /// Its bits mixed well: the product of 128 bits folded, as in wyhash.
    #[inline]
    pub(crate) fn hash(self) -> u64 {
        let product = u128::from(self.0 ^ 0x9E37_79B9_7F4A_7C15) * u128::from(0xD6E8_FEB8_6659_FD93_u64);
        (product >> 64) as u64 ^ product as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_all_of_a_short_text() {
        let key = |term: &str| Key::new(term.as_bytes()).0;
        assert_eq!(key(""), 0);
        assert_eq!(key("a"), 0x0100_0000_0000_0061);
        assert_eq!(key("ab"), 0x0200_0000_0000_6261);
        assert_eq!(key("abc"), 0x0300_0000_0063_6261);
        assert_eq!(key("abcd"), 0x0400_0000_6463_6261);
        assert_eq!(key("abcde"), 0x0500_0065_6463_6261);
        assert_eq!(key("abcdef"), 0x0600_6665_6463_6261);
        assert_eq!(key("abcdefg"), 0x0767_6665_6463_6261);
        assert!(Key::new(b"abcdefg").is_whole() && !Key::new(b"abcdefgh").is_whole());
        assert_ne!(key("a"), key("a\0"));
        assert!(["", "abcdefg", "abcdefgh"].iter().all(|term| Key::new(term.as_bytes()) != Key::NONE));
    }
}

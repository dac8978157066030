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

    /// The number that a text of up to seven digits says, if it is written without zeros before it.
    #[inline]
    pub(crate) fn number(self) -> Option<u32> {
        const ONES: u64 = 0x0101_0101_0101_0101;
        let length = (self.0 >> 56) as u32;
        // The last digit in the highest byte, and zeros before the first one. Without any character there are no digits.
        let digits = (self.0 ^ (ONES * 0x30)).wrapping_shl(64_u32.wrapping_sub(8 * length));
        let other = ((digits.wrapping_add(ONES * (0x7F - 9))) | digits) & (ONES << 7) != 0;
        let zero_first = self.0 & 0xFF == 0x30 && length > 1;
        if length >= 8 || other || zero_first {
            return None;
        }
        // Neighbours are joined: two digits, four, eight.
        let pairs = digits.wrapping_mul(10) + (digits >> 8);
        let fours = |pairs: u64| pairs & 0x0000_00FF_0000_00FF;
        let (high, low) = (fours(pairs), fours(pairs >> 16));
        let eights = high.wrapping_mul(0x000F_4240_0000_0064).wrapping_add(low.wrapping_mul(0x0000_2710_0000_0001));
        Some((eights >> 32) as u32)
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

    #[test]
    fn the_number_is_that_of_the_digits() {
        let number = |term: &str| Key::new(term.as_bytes()).number();
        for value in (0..20_000).chain([99_999, 100_000, 123_456, 999_999, 1_000_000, 9_876_543, 9_999_999]) {
            assert_eq!(number(&value.to_string()), Some(value));
        }
        for text in ["", "00", "01", "0000000", "x", "1x", "x1", "-1", "+1", "1.0", " 1", "1 ", "/", ":", "10000000"] {
            assert_eq!(number(text), None, "{text:?}");
        }
        for byte in 0..=u8::MAX {
            let digit = byte.is_ascii_digit();
            assert_eq!(Key::new(&[byte]).number().is_some(), digit);
            assert_eq!(Key::new(&[b'4', byte, b'2']).number().is_some(), digit);
        }
        assert_eq!(Key::NONE.number(), None);
    }
}

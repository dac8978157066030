//! Lists of terms.

use std::iter::FusedIterator;

use crate::term::Term;

/// Bytes that are searched for separators at once.
const BLOCK: usize = 64;

/// The terms of a list, in their order: the parts between the separators. An empty list has one empty term, as a text
/// that is split has.
///
/// ```
/// use fain_tables::Terms;
///
/// let terms: Vec<&str> = Terms::new("Drama||Comedy", b'|').map(|term| term.text()).collect();
/// assert_eq!(terms, ["Drama", "", "Comedy"]);
/// ```
#[derive(Debug, Clone)]
pub struct Terms<'a> {
    list: &'a str,
    separator: u8,
    /// Where the next term starts; behind the end of the list when there is none.
    start: usize,
    /// Where the block of `found` starts.
    block: usize,
    /// Separators of the block that are still to come, a bit for each byte.
    found: u64,
}

impl<'a> Terms<'a> {
    /// The terms of a list. The separator is a character of ASCII: no other byte stands between two characters.
    #[inline]
    pub fn new(list: &'a str, separator: u8) -> Self {
        let found = separators(list.as_bytes(), separator);
        Self { list, separator, start: 0, block: 0, found }
    }
}

impl<'a> Iterator for Terms<'a> {
    type Item = Term<'a>;

    // Where terms end is known for a block of bytes before the first of them is looked up: the processor works on
    // several terms at once.
    #[inline]
    fn next(&mut self) -> Option<Term<'a>> {
        let bytes = self.list.as_bytes();
        if self.start > bytes.len() {
            return None;
        }
        while self.found == 0 {
            self.block += BLOCK;
            let Some(rest) = bytes.get(self.block..) else { break };
            self.found = separators(rest, self.separator);
        }
        let end = if self.found == 0 { bytes.len() } else { self.block + self.found.trailing_zeros() as usize };
        self.found &= self.found.wrapping_sub(1);
        let term = Term::within(self.list, self.start, end);
        self.start = end + 1;
        Some(term)
    }
}

impl FusedIterator for Terms<'_> {}

/// Which of the first 64 bytes are separators: the lowest bit is that of the first byte.
#[inline]
fn separators(bytes: &[u8], separator: u8) -> u64 {
    if let Some(block) = bytes.first_chunk() {
        return separators_of(block, separator);
    }
    let mut block = [!separator; BLOCK];
    block[..bytes.len()].copy_from_slice(bytes);
    separators_of(&block, separator)
}

fn separators_of(block: &[u8; BLOCK], separator: u8) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const LOW: u64 = ONES * 0x7F;
    let mut found = 0;
    let (words, _) = block.as_chunks();
    for (place, word) in words.iter().enumerate() {
        let differences = u64::from_le_bytes(*word) ^ (ONES * u64::from(separator));
        // The highest bit of each byte that is zero, and of no other: the sum does not carry into the next byte.
        let equal = !(((differences & LOW) + LOW) | differences | LOW);
        // The product brings these eight bits together in the highest byte.
        let bits = (equal >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        found |= bits << (8 * place);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn terms_are_those_of_a_split(
            terms in prop::collection::vec("[a-c|}\\u{7b}\\u{fc}]{0,12}", 0..40),
            separator in prop::sample::select(vec!['|', '\0', 'b', '}']),
        ) {
            let list = terms.join(&separator.to_string());
            let found: Vec<Term<'_>> = Terms::new(&list, separator as u8).collect();
            let expected: Vec<&str> = list.split(separator).collect();
            prop_assert_eq!(found.iter().map(|term| term.text()).collect::<Vec<_>>(), expected.clone());
            for (term, text) in found.iter().zip(expected) {
                prop_assert_eq!(term.key(), Term::new(text).key());
                prop_assert_eq!(term.is_empty(), text.is_empty());
            }
        }
    }

    #[test]
    fn lists_of_all_lengths_are_cut_at_their_separators() {
        for length in 0..200 {
            for period in 1..12 {
                let list: String =
                    (0..length).map(|place| if place % period == period - 1 { '|' } else { 'x' }).collect();
                let found: Vec<&str> = Terms::new(&list, b'|').map(Term::text).collect();
                assert_eq!(found, list.split('|').collect::<Vec<_>>());
            }
        }
    }
}

//! Lists of terms.

use crate::term::Term;

/// Bytes that are searched for separators at once.
const BLOCK: usize = 64;

/// Calls `visit` with the terms of a list, in their order, until it refuses one: with the parts between the separators.
/// An empty list has one empty term, as a text that is split has.
///
/// The separator is a character of ASCII: no other byte stands between two characters.
///
/// # Errors
/// That of `visit`.
///
/// ```
/// use fain_tables::visit_terms;
///
/// let mut terms = Vec::new();
/// visit_terms("Drama||Comedy", b'|', |term| {
///     terms.push(term.text());
///     Ok::<(), ()>(())
/// })?;
/// assert_eq!(terms, ["Drama", "", "Comedy"]);
/// # Ok::<(), ()>(())
/// ```
// A function and no iterator: what is known of the list stays in registers, and `visit` has one place to be compiled
// into. Where terms end is known for a block of bytes before the first of them is looked up, so that the processor
// works on several terms at once.
#[inline]
pub fn visit_terms<'a, E>(
    list: &'a str,
    separator: u8,
    mut visit: impl FnMut(Term<'a>) -> Result<(), E>,
) -> Result<(), E> {
    let bytes = list.as_bytes();
    let (mut start, mut block, mut found) = (0, 0, separators(bytes, separator));
    loop {
        while found == 0 && block + BLOCK < bytes.len() {
            block += BLOCK;
            found = separators(&bytes[block..], separator);
        }
        let end = if found == 0 { bytes.len() } else { block + found.trailing_zeros() as usize };
        visit(Term::within(list, start, end))?;
        if found == 0 {
            return Ok(());
        }
        found &= found - 1;
        start = end + 1;
    }
}

/// Which of the first 64 bytes are separators: the lowest bit is that of the first byte.
fn separators(bytes: &[u8], separator: u8) -> u64 {
    if let Some(block) = bytes.first_chunk() {
        return separators_of(block, separator);
    }
    let mut block = [!separator; BLOCK];
    block[..bytes.len()].copy_from_slice(bytes);
    separators_of(&block, separator)
}

#[inline]
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
    use std::convert::Infallible;

    use super::*;
    use proptest::prelude::*;

    fn terms(list: &str, separator: u8) -> Vec<Term<'_>> {
        let mut terms = Vec::new();
        let Ok(()) = visit_terms::<Infallible>(list, separator, |term| {
            terms.push(term);
            Ok(())
        });
        terms
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn terms_are_those_of_a_split(
            texts in prop::collection::vec("[a-c|}\\u{7b}\\u{fc}]{0,12}", 0..40),
            separator in prop::sample::select(vec!['|', '\0', 'b', '}']),
        ) {
            let list = texts.join(&separator.to_string());
            let found = terms(&list, separator as u8);
            let expected: Vec<&str> = list.split(separator).collect();
            prop_assert_eq!(found.iter().map(|term| term.text()).collect::<Vec<_>>(), expected.clone());
            for (term, text) in found.iter().zip(expected) {
                prop_assert_eq!(term.key(), Term::new(text).key());
                prop_assert_eq!(term.is_empty(), text.is_empty());
            }
        }
    }

    #[test]
    fn the_first_refusal_ends_it() {
        let mut seen = 0;
        let refused = visit_terms("a|b|c", b'|', |term| {
            seen += 1;
            if term.text() == "b" { Err("b") } else { Ok(()) }
        });
        assert_eq!((refused, seen), (Err("b"), 2));
    }

    #[test]
    fn lists_of_all_lengths_are_cut_at_their_separators() {
        for length in 0..200 {
            for period in 1..12 {
                let list: String =
                    (0..length).map(|place| if place % period == period - 1 { '|' } else { 'x' }).collect();
                let found: Vec<&str> = terms(&list, b'|').into_iter().map(Term::text).collect();
                assert_eq!(found, list.split('|').collect::<Vec<_>>());
            }
        }
    }
}

//! Which terms of a list are kept.

use fain_tables::{Record, Term};

use crate::schema::Keep;

/// How a list of terms is split and cut.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SequenceRule {
    separator: Separator,
    max_length: usize,
    keep: Keep,
}

/// A single character is searched from both ends and faster than a text, and one of ASCII eight bytes at once.
#[derive(Debug, Clone, PartialEq)]
enum Separator {
    Ascii(u8),
    Character(char),
    Text(String),
}

impl SequenceRule {
    pub(crate) fn new(separator: &str, max_length: usize, keep: Keep) -> Self {
        let mut characters = separator.chars();
        let separator = match (characters.next(), characters.next()) {
            (Some(character), None) if character.is_ascii() => Separator::Ascii(character as u8),
            (Some(character), None) => Separator::Character(character),
            _ => Separator::Text(separator.to_owned()),
        };
        Self { separator, max_length, keep }
    }

    /// Calls `visit` with every kept term of a field, in the order of the list, until it refuses one: with the items of
    /// a list, or with the terms of a text.
    pub(crate) fn visit_field<'a, E>(
        &self,
        record: &'a Record,
        column: usize,
        visit: impl FnMut(Term<'a>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(items) = record.list(column) else { return self.visit(record.get(column), visit) };
        let skipped = match self.keep {
            Keep::First => 0,
            Keep::Last => items.len().saturating_sub(self.max_length),
        };
        items.skip(skipped).take(self.max_length).map(Term::new).try_for_each(visit)
    }

    /// As [`SequenceRule::visit_field`], of a text. An empty text is a list without terms.
    fn visit<'a, E>(&self, text: &'a str, mut visit: impl FnMut(Term<'a>) -> Result<(), E>) -> Result<(), E> {
        if text.is_empty() {
            return Ok(());
        }
        let kept = match self.keep {
            Keep::First => text,
            Keep::Last => &text[self.start_of_last(text)..],
        };
        match &self.separator {
            Separator::Ascii(separator) => {
                let mut start = 0;
                for _ in 0..self.max_length {
                    let term = Term::at(kept, start, *separator);
                    visit(term)?;
                    if term.end() == kept.len() {
                        break;
                    }
                    start = term.end() + 1;
                }
                Ok(())
            }
            Separator::Character(separator) => {
                kept.split(*separator).take(self.max_length).map(Term::new).try_for_each(&mut visit)
            }
            Separator::Text(separator) => {
                kept.split(separator.as_str()).take(self.max_length).map(Term::new).try_for_each(&mut visit)
            }
        }
    }

    /// Where the last `max_length` terms start.
    fn start_of_last(&self, text: &str) -> usize {
        // So many terms take at least as many separators, less one.
        if text.len() + 1 < self.max_length {
            return 0;
        }
        let start = match &self.separator {
            Separator::Ascii(separator) => {
                let separators = text.bytes().filter(|byte| byte == separator).count();
                let mut ends = text.bytes().enumerate().filter(|(_, byte)| byte == separator);
                let cut = separators.checked_sub(self.max_length);
                cut.and_then(|cut| ends.nth(cut)).map(|(place, _)| place + 1)
            }
            Separator::Character(separator) => {
                text.rmatch_indices(*separator).nth(self.max_length - 1).map(|(index, found)| index + found.len())
            }
            // Separators are searched from the left: in `a:::b` the first `::` counts.
            Separator::Text(separator) => {
                let terms = text.matches(separator.as_str()).count() + 1;
                terms
                    .checked_sub(self.max_length)
                    .and_then(|cut| cut.checked_sub(1))
                    .and_then(|last_cut| text.match_indices(separator.as_str()).nth(last_cut))
                    .map(|(index, found)| index + found.len())
            }
        };
        start.unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn kept(text: &str, separator: &str, max_length: usize, keep: Keep) -> Vec<String> {
        let mut terms = Vec::new();
        let rule = SequenceRule::new(separator, max_length, keep);
        let Ok(()) = rule.visit::<Infallible>(text, |term| {
            terms.push(term.text().to_owned());
            Ok(())
        });
        terms
    }

    #[test]
    fn the_chosen_end_is_kept_in_the_order_of_the_list() {
        assert_eq!(kept("a|b|c|d", "|", 2, Keep::Last), ["c", "d"]);
        assert_eq!(kept("a|b|c|d", "|", 2, Keep::First), ["a", "b"]);
        assert_eq!(kept("a|b|c|d", "|", 4, Keep::Last), ["a", "b", "c", "d"]);
        assert_eq!(kept("a|b|c|d", "|", 9, Keep::Last), ["a", "b", "c", "d"]);
        assert_eq!(kept("a||b", "||", usize::MAX, Keep::Last), ["a", "b"]);
    }

    #[test]
    fn an_empty_text_has_no_terms_and_empty_terms_count() {
        assert!(kept("", "|", 3, Keep::Last).is_empty());
        assert_eq!(kept("|", "|", 3, Keep::Last), ["", ""]);
        assert_eq!(kept("a|", "|", 1, Keep::Last), [""]);
        assert_eq!(kept("a||b", "|", 3, Keep::First), ["a", "", "b"]);
        assert_eq!(kept(" a | b", "|", 3, Keep::First), [" a ", " b"]);
    }

    #[test]
    fn long_separators_are_searched_from_the_left() {
        assert_eq!(kept("a:::b", "::", 5, Keep::Last), ["a", ":b"]);
        assert_eq!(kept("a:::b", "::", 1, Keep::Last), [":b"]);
        assert_eq!(kept("a::b::c", "::", 2, Keep::Last), ["b", "c"]);
        assert_eq!(kept("a::b::c", "::", 2, Keep::First), ["a", "b"]);
    }

    #[test]
    fn separators_beyond_ascii_are_cut_at_character_borders() {
        assert_eq!(kept("ä→ö→ü", "→", 2, Keep::Last), ["ö", "ü"]);
    }
}

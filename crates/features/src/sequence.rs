//! Which terms of a list are kept.

use fain_tables::{Record, Term, visit_terms};
use memchr::{memchr, memchr_iter, memrchr_iter};

use crate::schema::Keep;

/// How many terms may fall off the start of a list for it to be known again.
const DROPPED: usize = 4;

/// How a list of terms is split and cut.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SequenceRule {
    separator: Separator,
    max_length: usize,
    keep: Keep,
}

/// A single character is searched from both ends and faster than a text, and one of ASCII many bytes at once.
#[derive(Debug, Clone, PartialEq)]
enum Separator {
    Ascii(u8),
    Character(char),
    Text(String),
}

/// The terms of a field that are kept.
#[derive(Clone, Copy)]
pub(crate) enum Kept<'a> {
    /// None at all.
    Nothing,
    /// The terms of a text.
    Text(&'a str),
    /// Those of the items that stand in this column.
    Items(&'a Record, usize),
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

    /// The terms of a field that are kept: of the items of a list, or of the terms of a text. An empty text is a list
    /// without terms.
    #[inline]
    pub(crate) fn kept<'a>(&self, record: &'a Record, column: usize) -> Kept<'a> {
        if record.list(column).is_some() {
            return Kept::Items(record, column);
        }
        self.kept_of(record.get(column))
    }

    fn kept_of<'a>(&self, text: &'a str) -> Kept<'a> {
        if text.is_empty() {
            return Kept::Nothing;
        }
        // So many terms take at least as many separators, less one.
        if text.len() < self.max_length {
            return Kept::Text(text);
        }
        Kept::Text(match self.keep {
            Keep::First => &text[..self.end_of_first(text).unwrap_or(text.len())],
            Keep::Last => &text[self.start_of_last(text).unwrap_or(0)..],
        })
    }

    /// Calls `visit` with every kept term of a field, in the order of the list, until it refuses one.
    #[inline]
    pub(crate) fn visit<'a, E>(
        &self,
        kept: Kept<'a>,
        mut visit: impl FnMut(Term<'a>) -> Result<(), E>,
    ) -> Result<(), E> {
        if let (Kept::Text(text), Separator::Ascii(separator)) = (kept, &self.separator) {
            return visit_terms(text, *separator, visit);
        }
        self.visit_others(kept, &mut visit)
    }

    /// The way that nearly all terms take is compiled with `visit` in it; these are not worth another copy.
    fn visit_others<'a, E>(&self, kept: Kept<'a>, visit: &mut dyn FnMut(Term<'a>) -> Result<(), E>) -> Result<(), E> {
        match (kept, &self.separator) {
            (Kept::Nothing, _) => Ok(()),
            (Kept::Text(text), Separator::Ascii(separator)) => visit_terms(text, *separator, visit),
            (Kept::Text(text), Separator::Character(separator)) => {
                text.split(*separator).map(Term::new).try_for_each(visit)
            }
            (Kept::Text(text), Separator::Text(separator)) => {
                text.split(separator.as_str()).map(Term::new).try_for_each(visit)
            }
            (Kept::Items(record, column), _) => {
                let Some(items) = record.list(column) else { return Ok(()) };
                let dropped = match self.keep {
                    Keep::First => 0,
                    Keep::Last => items.len().saturating_sub(self.max_length),
                };
                items.skip(dropped).take(self.max_length).map(Term::new).try_for_each(visit)
            }
        }
    }

    /// Whether a list starts with the terms with which another one ends, as a history does that has moved on: how many
    /// terms of the other come before these, and what of the list follows them.
    pub(crate) fn continued<'a>(&self, before: &str, list: &'a str) -> Option<(usize, Option<&'a str>)> {
        if before == list {
            return Some((0, None));
        }
        let Separator::Ascii(separator) = self.separator else { return None };
        let mut shared = before;
        for dropped in 0..=DROPPED {
            if let Some(rest) = list.strip_prefix(shared) {
                if rest.is_empty() {
                    return Some((dropped, None));
                }
                if rest.as_bytes()[0] == separator {
                    return Some((dropped, Some(&rest[1..])));
                }
            }
            shared = &shared[memchr(separator, shared.as_bytes())? + 1..];
        }
        None
    }

    /// Where the first `max_length` terms end, if there are more.
    fn end_of_first(&self, text: &str) -> Option<usize> {
        let last = self.max_length - 1;
        match &self.separator {
            Separator::Ascii(separator) => memchr_iter(*separator, text.as_bytes()).nth(last),
            Separator::Character(separator) => text.match_indices(*separator).nth(last).map(|(end, _)| end),
            Separator::Text(separator) => text.match_indices(separator.as_str()).nth(last).map(|(end, _)| end),
        }
    }

    /// Where the last `max_length` terms start, if there are more.
    fn start_of_last(&self, text: &str) -> Option<usize> {
        let first = self.max_length - 1;
        match &self.separator {
            Separator::Ascii(separator) => {
                // Counting is much faster than finding.
                let separators = memchr_iter(*separator, text.as_bytes()).count();
                let more = separators.checked_sub(self.max_length)?;
                let end = if more < first {
                    memchr_iter(*separator, text.as_bytes()).nth(more)
                } else {
                    memrchr_iter(*separator, text.as_bytes()).nth(first)
                };
                end.map(|end| end + 1)
            }
            Separator::Character(separator) => {
                text.rmatch_indices(*separator).nth(first).map(|(index, found)| index + found.len())
            }
            // Separators are searched from the left: in `a:::b` the first `::` counts.
            Separator::Text(separator) => {
                let separators = text.matches(separator.as_str()).count();
                let more = separators.checked_sub(self.max_length)?;
                text.match_indices(separator.as_str()).nth(more).map(|(index, found)| index + found.len())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn kept(text: &str, separator: &str, max_length: usize, keep: Keep) -> Vec<String> {
        let mut terms = Vec::new();
        let rule = SequenceRule::new(separator, max_length, keep);
        let Ok(()) = rule.visit::<Infallible>(rule.kept_of(text), |term| {
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
    fn a_list_that_moved_on_is_known_again() {
        let rule = SequenceRule::new("|", 9, Keep::Last);
        let continued = |before, list| rule.continued(before, list);
        assert_eq!(continued("a|b|c", "a|b|c"), Some((0, None)));
        assert_eq!(continued("a|b|c", "a|b|c|d|e"), Some((0, Some("d|e"))));
        assert_eq!(continued("a|b|c", "b|c|d"), Some((1, Some("d"))));
        assert_eq!(continued("a|b|c", "c|"), Some((2, Some(""))));
        assert_eq!(continued("a|b|c", "b|c"), Some((1, None)));
        assert_eq!(continued("a|b|c|d|e|f", "e|f|g"), Some((4, Some("g"))));
        assert_eq!(continued("", "|a"), Some((0, Some("a"))));
        // Half a term is none, and what starts elsewhere is another list.
        for (before, list) in [("a|b", "a|bc"), ("xa|b", "a|b"), ("a|b", "a"), ("a|b", "c"), ("a", ""), ("a", "b|a")] {
            assert_eq!(continued(before, list), None, "{before} {list}");
        }
        assert_eq!(continued("a|b|c|d|e|f", "f|g"), None);
        let long = SequenceRule::new("::", 9, Keep::Last);
        assert_eq!(long.continued("a::b", "a::b"), Some((0, None)));
        assert_eq!(long.continued("a:", "a:::b"), None, "the first two colons divide");
    }

    #[test]
    fn separators_beyond_ascii_are_cut_at_character_borders() {
        assert_eq!(kept("ä→ö→ü", "→", 2, Keep::Last), ["ö", "ü"]);
    }
}

//! Names with `*` in them.

/// A name in which each `*` stands for one character or more, dots included. Where a name can be read in several ways,
/// a `*` further left takes as little as it can.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pattern<'a>(pub(super) &'a str);

impl<'a> Pattern<'a> {
    /// Whether it stands for itself only.
    pub(super) fn is_plain(self) -> bool {
        !self.0.contains('*')
    }

    /// How many `*` it has.
    pub(super) fn stars(self) -> usize {
        self.0.matches('*').count()
    }

    /// Bytes that are not `*`: a pattern with more of them says more.
    pub(super) fn written(self) -> usize {
        self.0.len() - self.stars()
    }

    /// What each `*` stands for, or `None` if the name does not fit.
    pub(super) fn captures<'t>(self, name: &'t str) -> Option<Vec<&'t str>> {
        let Some((first, pieces)) = self.0.split_once('*') else { return (name == self.0).then(Vec::new) };
        let mut rest = name.strip_prefix(first)?;
        let mut captures = Vec::with_capacity(self.stars());
        let mut pieces: Vec<&'a str> = pieces.split('*').collect();
        let last = pieces.pop()?;
        // The first place of each piece leaves the most for the pieces after it: no other place has to be tried.
        for piece in pieces {
            let one = rest.chars().next()?.len_utf8();
            let length = one + rest[one..].find(piece)?;
            captures.push(&rest[..length]);
            rest = &rest[length + piece.len()..];
        }
        let capture = rest.strip_suffix(last)?;
        captures.push(capture);
        (!capture.is_empty()).then_some(captures)
    }

    /// Writes the captures of another pattern in the places of the `*`, the first in the first.
    pub(super) fn fill(self, captures: &[&str]) -> String {
        let mut captures = captures.iter();
        let mut name = String::with_capacity(self.0.len());
        for (index, piece) in self.0.split('*').enumerate() {
            if index > 0 {
                name.push_str(captures.next().copied().unwrap_or_default());
            }
            name.push_str(piece);
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Pattern;

    #[test]
    fn stars_take_one_character_or_more() {
        for (pattern, name, captures) in [
            ("a.b", "a.b", Some(vec![])),
            ("a.b", "a.bc", None),
            ("*", "a.b", Some(vec!["a.b"])),
            ("*", "", None),
            ("a*", "a", None),
            ("*.weight", "x.y.weight", Some(vec!["x.y"])),
            ("*.weight", ".weight", None),
            ("interest*.gru.*", "interest12.gru.weight_ih", Some(vec!["12", "weight_ih"])),
            ("*.a.*", "x.a.a.a.y", Some(vec!["x", "a.a.y"])),
            ("a*a", "aa", None),
            ("a*a", "aaa", Some(vec!["a"])),
            ("**", "äb", Some(vec!["ä", "b"])),
            ("**", "a", None),
            ("*.b*b", "a.bb", None),
            ("*.b*b", "a.bbb", Some(vec!["a", "b"])),
        ] {
            assert_eq!(Pattern(pattern).captures(name), captures, "{pattern} on {name}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_filled_pattern_fits_and_gives_the_name_back(
            pieces in prop::collection::vec("[ab.]{0,2}", 1..5),
            captures in prop::collection::vec("[ab.]{1,3}", 4),
        ) {
            let text = pieces.join("*");
            let pattern = Pattern(&text);
            let captures: Vec<&str> = captures.iter().map(String::as_str).collect();
            let name = pattern.fill(&captures);
            let found = pattern.captures(&name);
            prop_assert!(found.is_some(), "{text} does not fit {name}");
            let found = found.unwrap_or_default();
            prop_assert_eq!(found.len(), pattern.stars());
            prop_assert_eq!(pattern.fill(&found), name);
        }
    }
}

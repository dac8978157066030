//! What the row before held.

use crate::sequence::{Kept, SequenceRule};

/// The texts that the row before held, by feature.
///
/// Rows of one user follow each other in most logs, and most of what a row holds was read a moment ago: what was made
/// of it then is taken again.
#[derive(Debug, Default)]
pub(crate) struct Before<'a> {
    texts: Vec<Option<&'a str>>,
}

impl<'a> Before<'a> {
    /// For rows that follow each other. It knows nothing at first.
    pub(crate) fn new(features: usize) -> Self {
        Self { texts: vec![None; features] }
    }

    /// For a row alone. It remembers nothing.
    pub(crate) fn nothing() -> Self {
        Self::default()
    }

    /// Whether the row before held this very text.
    #[inline]
    pub(crate) fn had(&mut self, feature: usize, text: &'a str) -> bool {
        let Some(before) = self.texts.get_mut(feature) else { return false };
        before.replace(text) == Some(text)
    }

    /// Takes off the start of a list the terms with which the list of the row before ends, if there are such: the
    /// latter is as long as these and so many more terms before them as this returns.
    #[inline]
    pub(crate) fn shorten(&mut self, feature: usize, rule: &SequenceRule, list: &mut Kept<'a>) -> Option<usize> {
        let text = match list {
            Kept::Text(text) => Some(*text),
            Kept::Nothing | Kept::Items(..) => None,
        };
        let before = std::mem::replace(self.texts.get_mut(feature)?, text)?;
        let (dropped, rest) = rule.continued(before, text?)?;
        *list = rest.map_or(Kept::Nothing, Kept::Text);
        Some(dropped)
    }
}

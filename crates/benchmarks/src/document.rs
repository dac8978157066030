//! The part of a document that a program writes.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

const BEGIN: &str = "<!-- The table: written by `cargo xtask bench`, not by hand. -->";
const END: &str = "<!-- The end of the table. -->";

/// Replaces the marked part of a file.
///
/// # Errors
/// The file cannot be read or written, or has no marked part.
pub(crate) fn rewrite(file: &Path, part: &str) -> Result<()> {
    let text = fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let text =
        replaced(&text, part).with_context(|| format!("{} has no lines `{BEGIN}` and `{END}`", file.display()))?;
    fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))
}

/// The text with another part between the marks; `None` if they are not there once each, in order.
fn replaced(text: &str, part: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    if [before, after].iter().any(|side| side.contains(BEGIN) || side.contains(END)) {
        return None;
    }
    Some(format!("{before}{BEGIN}\n\n{}\n\n{END}{after}", part.trim()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use crate::workspace;

    #[test]
    fn only_what_is_between_the_marks_changes() {
        let text = format!("# Title\n\n{BEGIN}\nold\n{END}\n\nMore.\n");
        let new = replaced(&text, "\nnew\n").unwrap();
        assert_eq!(new, format!("# Title\n\n{BEGIN}\n\nnew\n\n{END}\n\nMore.\n"));
        assert_eq!(replaced(&new, "new").unwrap(), new, "a second time changes nothing");
    }

    #[test]
    fn a_document_without_its_marks_is_left_alone() {
        for text in [
            "",
            BEGIN,
            END,
            &format!("{END}{BEGIN}"),
            &format!("{BEGIN}{END}{END}"),
            &format!("{BEGIN}{BEGIN}{END}{END}"),
        ] {
            assert_eq!(replaced(text, "new"), None, "{text}");
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(rewrite(file.path(), "new").unwrap_err().to_string().contains("has no lines"));
    }

    #[test]
    fn the_performance_page_has_a_marked_part() {
        let text = fs::read_to_string(workspace::document()).unwrap();
        assert!(replaced(&text, "new").is_some());
    }
}

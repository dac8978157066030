//! Files by names and patterns.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};

use crate::error::TableError;

/// `*` and `?` never stand for a slash, nor for the dot at the start of a hidden file.
const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// The files with the given names below `root`.
///
/// A name may be a pattern: `*` and `?` stand for any characters and for one, `[a-c]` for one of those in it, `**`
/// for folders however deep. A file that has the very name is meant before a pattern is. Folders never match.
/// The files of one pattern come sorted by their paths, those of several names in the order of the names, each file
/// once: where it came first.
///
/// # Errors
/// [`TableError::NoFile`] for a name or pattern without a file, [`TableError::Config`] for no names and for a pattern
/// that is none, [`TableError::Open`] for a folder that cannot be looked into.
pub fn find_files(root: &Path, names: &[String]) -> Result<Vec<PathBuf>, TableError> {
    if names.is_empty() {
        return Err(refused("files", "[]", "at least one name is needed"));
    }
    let mut files = Vec::new();
    let mut seen = HashSet::new();
    for name in names {
        files.extend(find(root, name)?.into_iter().filter(|file| seen.insert(file.clone())));
    }
    Ok(files)
}

/// The files with one name.
fn find(root: &Path, name: &str) -> Result<Vec<PathBuf>, TableError> {
    let file = root.join(name);
    if file.metadata().is_ok_and(|data| !data.is_dir()) {
        return Ok(vec![file]);
    }
    let no_file = || TableError::NoFile { root: root.to_path_buf(), pattern: name.to_owned() };
    let folder = root
        .to_str()
        .ok_or_else(|| refused("files", name, "a pattern is looked for only below a folder whose path is UTF-8"))?;
    let pattern = if Path::new(name).is_absolute() {
        name.to_owned()
    } else if folder.is_empty() {
        format!("./{name}")
    } else {
        format!("{}/{name}", Pattern::escape(folder))
    };
    let paths = glob::glob_with(&pattern, OPTIONS)
        .map_err(|error| refused("files", name, &format!("no pattern: {}", error.msg)))?;
    let mut found = Vec::new();
    for path in paths {
        let path = path.map_err(|error| TableError::Open { file: error.path().to_path_buf(), source: error.into() })?;
        if !path.is_dir() {
            found.push(path);
        }
    }
    found.sort();
    found.dedup();
    if found.is_empty() { Err(no_file()) } else { Ok(found) }
}

fn refused(key: &str, value: &str, allowed: &str) -> TableError {
    TableError::Config { key: key.to_owned(), value: value.to_owned(), allowed: allowed.to_owned() }
}

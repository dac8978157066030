//! Which rule of a mapping holds for a name.

use std::collections::{BTreeMap, BTreeSet};

use super::error::ImportProblem;
use super::mapping::WeightMapping;
use super::operations::WeightOperations;
use super::pattern::Pattern;
use super::state::StateDict;

/// A variable and the tensor it is read from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Theirs<'a> {
    pub(super) ours: &'a str,
    pub(super) name: &'a str,
}

/// The rules of a mapping.
#[derive(Debug)]
pub(super) struct Lookup<'a> {
    mapping: &'a WeightMapping,
}

/// A rule and what its `*` stand for.
type Found<'a, 'n, T> = Option<(&'a T, Vec<&'n str>)>;

impl<'a> Lookup<'a> {
    pub(super) fn new(mapping: &'a WeightMapping) -> Self {
        Self { mapping }
    }

    /// The tensor that a variable is read from.
    pub(super) fn theirs(&self, ours: &str) -> Result<String, ImportProblem> {
        if let Some((theirs, captures)) = find(&self.mapping.names, "names", ours, ours)? {
            return Ok(Pattern(theirs).fill(&captures));
        }
        let Some((prefix, suffix)) = self.prefix(ours) else { return Ok(ours.to_owned()) };
        let suffix = match find(&self.mapping.suffixes, "suffixes", ours, suffix)? {
            Some((theirs, captures)) => Pattern(theirs).fill(&captures),
            None => suffix.to_owned(),
        };
        Ok(format!("{prefix}{suffix}"))
    }

    /// What is done to the tensor of a variable.
    pub(super) fn operations(&self, ours: &str) -> Result<Option<&'a WeightOperations>, ImportProblem> {
        Ok(find(&self.mapping.operations, "operations", ours, ours)?.map(|(operations, _)| operations))
    }

    pub(super) fn may_be_ignored(&self, theirs: &str) -> bool {
        any(&self.mapping.ignore.theirs, theirs)
    }

    pub(super) fn may_be_shared(&self, theirs: &str) -> bool {
        any(&self.mapping.shared.theirs, theirs)
    }

    /// Rules that are misspelt, in all likelihood. A prefix and a pattern for names may fit nothing, so that one file
    /// serves several configurations: had they been needed, a tensor would be missing. An operation that is not done
    /// would not show, so each must fit something.
    pub(super) fn rules_that_fit_nothing(&self, ours: &[&str], state: &StateDict) -> Vec<ImportProblem> {
        let mapping = self.mapping;
        let suffixes: Vec<&str> = ours.iter().filter_map(|name| self.prefix(name)).map(|(_, rest)| rest).collect();
        let theirs: Vec<&str> = state.entries.keys().map(String::as_str).collect();
        let fits = |rule: &str, names: &[&str]| names.iter().any(|name| Pattern(rule).captures(name).is_some());
        let lost = |rule: &&String, names: &[&str]| Pattern(rule).is_plain() && !fits(rule, names);
        let problem = |table| move |rule: &String| ImportProblem::Rule { table, rule: rule.clone() };

        let names = mapping.names.keys().filter(|rule| lost(rule, ours)).map(problem("names"));
        let endings = mapping.suffixes.keys().filter(|rule| lost(rule, &suffixes)).map(problem("suffixes"));
        let operations = mapping.operations.keys().filter(|rule| !fits(rule, ours)).map(problem("operations"));
        let ignore = mapping.ignore.theirs.iter().filter(|rule| lost(rule, &theirs)).map(problem("ignore"));
        let shared = mapping.shared.theirs.iter().filter(|rule| lost(rule, &theirs)).map(problem("shared"));
        names.chain(endings).chain(operations).chain(ignore).chain(shared).collect()
    }

    /// What the longest prefix that fits becomes, and what follows it.
    fn prefix<'n>(&self, ours: &'n str) -> Option<(&'a str, &'n str)> {
        let prefixes = self.mapping.prefixes.iter();
        let fits = prefixes.filter_map(|(prefix, theirs)| Some((theirs.as_str(), ours.strip_prefix(prefix.as_str())?)));
        fits.min_by_key(|(_, rest)| rest.len())
    }
}

/// The rule for a name: the one that is the name, or else the pattern with the most written out. `ours` is for
/// messages.
fn find<'a, 'n, T>(
    rules: &'a BTreeMap<String, T>,
    table: &'static str,
    ours: &str,
    name: &'n str,
) -> Result<Found<'a, 'n, T>, ImportProblem> {
    if let Some(rule) = rules.get(name) {
        return Ok(Some((rule, Vec::new())));
    }
    let mut best: Option<(Pattern<'_>, &T, Vec<&'n str>)> = None;
    let mut rival = None;
    for (pattern, rule) in rules {
        let pattern = Pattern(pattern);
        let Some(captures) = pattern.captures(name) else { continue };
        match &best {
            Some((other, ..)) if other.written() > pattern.written() => {}
            Some((other, ..)) if other.written() == pattern.written() => rival = Some((other.0, pattern.0)),
            _ => {
                best = Some((pattern, rule, captures));
                rival = None;
            }
        }
    }
    match rival {
        Some((first, second)) => {
            let (first, second) = (first.to_owned(), second.to_owned());
            Err(ImportProblem::Ambiguous { ours: ours.to_owned(), table, first, second })
        }
        None => Ok(best.map(|(_, rule, captures)| (rule, captures))),
    }
}

fn any(patterns: &BTreeSet<String>, name: &str) -> bool {
    patterns.iter().any(|pattern| Pattern(pattern).captures(name).is_some())
}

//! Samples made the plain way.

use std::collections::BTreeMap;

use fain_samples::Part;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::condition::{Condition, Scalar};
use crate::config::PrepareConfig;
use crate::rules::{EventChoice, LabelConfig, LastValidation, PerUser, SplitTime, TimeSplit};

/// A row of the log.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) user: String,
    pub(super) item: String,
    pub(super) time: i64,
    pub(super) stars: Option<u8>,
    pub(super) device: String,
    pub(super) tags: Vec<String>,
}

/// An event as histories keep it: item, time, stars.
pub(super) type Event = (String, i64, Option<u8>);

/// A sample, all codes spelt out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    pub(super) user: String,
    pub(super) item: String,
    pub(super) label: u8,
    pub(super) time: i64,
    pub(super) device: String,
    pub(super) tags: Vec<String>,
    /// All of it: the reader cuts it.
    pub(super) history: Vec<Event>,
}

/// All that a folder says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Samples {
    /// Train, validation, test.
    pub(super) parts: [Vec<Sample>; 3],
    /// Key, age, town, events of the training window, in the order of the users.
    pub(super) users: Vec<(String, Option<u8>, String, Vec<Event>)>,
    /// Key, kinds, first kind, events in training windows, in the order of the items.
    pub(super) items: Vec<(String, Vec<String>, String, u32)>,
}

/// Keys in the order of a table and then of the log.
fn keys<'a>(table: &[&str], log: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut keys: Vec<String> = table.iter().map(|key| (*key).to_owned()).collect();
    for key in log {
        if !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    keys
}

/// The part of a text by its hash.
fn drawn(key: &str, seed: u64, validation: f64, test: f64) -> Part {
    let place = xxh3_64_with_seed(key.as_bytes(), seed) as f64 / 2_f64.powi(64);
    if place < test {
        Part::Test
    } else if place < test + validation {
        Part::Validation
    } else {
        Part::Train
    }
}

/// The times at which validation and test begin; `None` if a part would have no rows of its own.
fn time_cuts(split: &TimeSplit, rows: &[&Row]) -> Option<(i64, i64)> {
    match split {
        TimeSplit::From(from) => match (&from.validation_from, &from.test_from) {
            (SplitTime::Seconds(validation), SplitTime::Seconds(test)) => Some((*validation, *test)),
            _ => None,
        },
        TimeSplit::Shares(shares) => {
            let mut times: Vec<i64> = rows.iter().map(|row| row.time).collect();
            times.sort_unstable();
            let count = |share: f64| (share * times.len() as f64).round() as usize;
            let (validation, test) = (count(shares.validation), count(shares.test));
            if validation == 0 || test == 0 || validation + test >= times.len() {
                return None;
            }
            let cuts = (times[times.len() - test - validation], times[times.len() - test]);
            (times[0] < cuts.0 && cuts.0 < cuts.1).then_some(cuts)
        }
    }
}

/// A row of a user, and what the rules say of it.
#[derive(Clone, Copy)]
struct Marked<'a> {
    row: &'a Row,
    positive: bool,
    in_history: bool,
    /// Whether it may become a sample.
    taken: bool,
}

/// Whether a row fulfils a condition on its device.
fn fulfils(condition: &Condition, row: &Row) -> bool {
    let named = condition.equals.iter().chain(condition.any_of.iter().flatten());
    named.into_iter().any(|value| *value == Scalar::Text(row.device.clone()))
}

fn chosen(choice: &EventChoice, row: &Row, positive: bool) -> bool {
    match choice {
        EventChoice::All => true,
        EventChoice::Positive => positive,
        EventChoice::Where(condition) => fulfils(condition, row),
    }
}

/// Whether one of a user's rows is positive.
fn positive(config: &PrepareConfig, rows: &[&Row], place: usize) -> bool {
    let Some(LabelConfig::FollowedBy(rule)) = &config.label else {
        return rows[place].stars.is_some_and(|stars| stars >= 4);
    };
    let samples = |row: &Row| chosen(&config.samples.from, row, false);
    let same = |row: &Row| row.item == rows[place].item;
    // Up to the next sample of the item, which may itself follow.
    let later = &rows[place + 1..];
    let next = later.iter().position(|row| same(row) && samples(row)).map_or(later.len(), |next| next + 1);
    let in_time = |row: &Row| (row.time - rows[place].time) as u64 <= rule.within.unwrap();
    samples(rows[place]) && later[..next].iter().any(|row| same(row) && fulfils(&rule.event, row) && in_time(row))
}

fn marked<'a>(config: &PrepareConfig, rows: &[&'a Row]) -> Vec<Marked<'a>> {
    let mark = |(place, row): (usize, &&'a Row)| {
        let positive = positive(config, rows, place);
        let in_history = chosen(&config.history.events, row, positive);
        Marked { row, positive, in_history, taken: chosen(&config.samples.from, row, positive) }
    };
    rows.iter().enumerate().map(mark).collect()
}

/// The part of one of a user's rows; `None` for a row that cannot become a sample where the last samples are held out.
fn part(
    config: &PrepareConfig,
    cuts: Option<(i64, i64)>,
    user: &str,
    rows: &[Marked<'_>],
    place: usize,
) -> Option<Part> {
    let split = &config.split;
    if let Some(last) = &split.last {
        let others = match &last.validation {
            LastValidation::Users(users) if drawn(user, users.seed, users.share, 0.0) != Part::Train => {
                Part::Validation
            }
            _ => Part::Train,
        };
        let left = rows[place..].iter().filter(|row| row.taken).count();
        let held_out = match &last.validation {
            LastValidation::Rows(validation) => (last.test + validation) as usize,
            LastValidation::Users(_) => 0,
        };
        return match left {
            _ if !rows[place].taken => Some(others).filter(|part| *part != Part::Train),
            left if left <= last.test as usize => Some(Part::Test),
            left if left <= held_out => Some(Part::Validation),
            _ => Some(others),
        };
    }
    if let Some((validation, test)) = cuts {
        let time = rows[place].row.time;
        return Some(match time {
            time if time >= test => Part::Test,
            time if time >= validation => Part::Validation,
            _ => Part::Train,
        });
    }
    if let Some(split) = &split.user {
        return Some(drawn(user, split.seed, split.validation, split.test));
    }
    let split = split.hash.as_ref().unwrap();
    Some(drawn(&format!("{user}\u{1f}{}", rows[place].row.item), split.seed, split.validation, split.test))
}

/// The samples of a log whose rows stand in this order; `None` if there are none.
pub(super) fn samples(log: &[Row], config: &PrepareConfig) -> Option<Samples> {
    let log: Vec<&Row> = log.iter().filter(|row| row.time >= 0).collect();
    let cuts = match &config.split.time {
        Some(split) => Some(time_cuts(split, &log)?),
        None => None,
    };
    let mut parts = [Vec::new(), Vec::new(), Vec::new()];
    let mut users = Vec::new();
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for user in keys(&["u7", "u2"], log.iter().map(|row| &row.user)) {
        let mut rows: Vec<&Row> = log.iter().copied().filter(|row| row.user == user).collect();
        rows.sort_by_key(|row| row.time);
        let rows = marked(config, &rows);
        let part = |place: usize| part(config, cuts, &user, &rows, place);
        let history = |end: usize| -> Vec<Event> {
            let kept = rows[..end].iter().filter(|row| row.in_history);
            kept.map(|Marked { row, .. }| (row.item.clone(), row.time, row.stars)).collect()
        };
        for (place, Marked { row, positive, taken, .. }) in rows.iter().enumerate() {
            let history = history(place);
            let later = rows[place + 1..].iter().any(|row| row.taken);
            let last_only = config.samples.per == PerUser::LastEvent && later;
            if !taken || last_only || history.len() < config.history.min_length as usize {
                continue;
            }
            let Row { item, time, device, tags, .. } = (*row).clone();
            let sample = Sample { user: user.clone(), item, label: u8::from(*positive), time, device, tags, history };
            parts[part(place).unwrap() as usize].push(sample);
        }
        let window = history(
            (0..rows.len()).find(|place| part(*place).is_some_and(|part| part != Part::Train)).unwrap_or(rows.len()),
        );
        for (item, _, _) in &window {
            *counts.entry(item.clone()).or_default() += 1;
        }
        let (age, town) = match user.as_str() {
            "u7" => (Some(30), ""),
            "u2" => (None, "a b"),
            _ => (None, ""),
        };
        users.push((user, age, town.to_owned(), window));
    }
    let items = keys(&["i3", "i0"], log.iter().map(|row| &row.item));
    let items = items.into_iter().map(|item| {
        let kinds: Vec<String> = if item == "i3" { vec!["red".to_owned(), "blue".to_owned()] } else { Vec::new() };
        let first = kinds.first().cloned().unwrap_or_default();
        let count = counts.get(&item).copied().unwrap_or_default();
        (item, kinds, first, count)
    });
    let items = items.collect();
    parts.iter().any(|part| !part.is_empty()).then_some(Samples { parts, users, items })
}

//! The whole way, against a plain implementation that holds everything in memory.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod folder;
mod reference;

use std::fmt::Write;
use std::ops::ControlFlow;
use std::path::Path;

use proptest::prelude::*;

use crate::config::PrepareConfig;
use crate::error::{ErrorKind, PrepareError};
use crate::prepare::{Prepared, prepare_within};
use crate::sort::SortMemory;
use reference::Row;

/// A log in one or several files, and the rest of a configuration.
#[derive(Debug, Clone)]
struct Case {
    rows: Vec<Row>,
    /// Where each file ends, as shares of the rows.
    cuts: Vec<prop::sample::Index>,
    rules: Rules,
}

/// The choices of `[label]`, `[history]`, `[samples]` and `[split]`.
#[derive(Debug, Clone)]
struct Rules {
    label: &'static str,
    events: &'static str,
    max_length: u32,
    min_length: u32,
    per: &'static str,
    /// As TOML writes it.
    from: &'static str,
    split: String,
}

fn row() -> impl Strategy<Value = Row> {
    let tags = prop::collection::vec(prop_oneof![Just("x"), Just("y"), Just("")], 0..3);
    let stars = prop::option::of(1_u8..6);
    (0_u8..5, 0_u8..6, -2_i64..12, stars, prop_oneof![Just(""), Just("web"), Just("app")], tags).prop_map(
        |(user, item, time, stars, device, tags)| Row {
            user: format!("u{user}"),
            item: format!("i{item}"),
            time,
            stars,
            device: device.to_owned(),
            // A list of one empty term is written as a list of none.
            tags: if tags == [""] { Vec::new() } else { tags.into_iter().map(str::to_owned).collect() },
        },
    )
}

const STARS: &str = r#"{ column = "stars", at_least = 4 }"#;
const APP: &str = r#"{ followed_by = { column = "device", equals = "app", within = 4 } }"#;
const OF_WEB: &str = r#"{ column = "device", any_of = ["web", "\u00e9"] }"#;
const OF_APP: &str = r#"{ column = "device", equals = "app" }"#;

fn rules() -> impl Strategy<Value = Rules> {
    let events = prop_oneof![Just("\"positive\""), Just("\"all\""), Just(OF_WEB)];
    let split = prop_oneof![
        (1_u32..3, 1_u32..3)
            .prop_map(|(test, validation)| format!("last = {{ test = {test}, validation = {validation} }}")),
        (1_u32..3).prop_map(|test| format!("last = {{ test = {test}, validation = {{ share = 0.4, seed = 3 }} }}")),
        (3_i64..6, 1_i64..4)
            .prop_map(|(from, more)| { format!("time = {{ validation_from = {from}, test_from = {} }}", from + more) }),
        Just("time = { validation = 0.25, test = 0.3 }".to_owned()),
        (1_u64..9).prop_map(|seed| format!("user = {{ validation = 0.3, test = 0.3, seed = {seed} }}")),
        (1_u64..9).prop_map(|seed| {
            format!("hash = {{ of = [\"user\", \"item\"], validation = 0.3, test = 0.3, seed = {seed} }}")
        }),
    ];
    let per = prop_oneof![Just("event"), Just("last_event")];
    let of_rows = (Just(STARS), events, prop_oneof![Just("\"all\""), Just("\"positive\""), Just(OF_WEB)]);
    let of_followers = (Just(APP), prop_oneof![Just("\"all\""), Just(OF_APP)], Just(OF_WEB));
    (prop_oneof![of_rows, of_followers], 1_u32..4, 0_u32..3, per, split)
        .prop_map(|((label, events, from), max_length, min_length, per, split)| Rules {
            label,
            events,
            max_length,
            min_length: min_length.min(max_length),
            per,
            from,
            split,
        })
        .prop_filter("last rows go with samples per event only", |rules| {
            rules.per == "event" || !rules.split.starts_with("last")
        })
}

fn case() -> impl Strategy<Value = Case> {
    let cuts = prop::collection::vec(any::<prop::sample::Index>(), 0..3);
    (prop::collection::vec(row(), 1..60), cuts, rules()).prop_map(|(rows, cuts, rules)| Case { rows, cuts, rules })
}

impl Case {
    /// Where each file of the log ends.
    fn ends(&self) -> Vec<usize> {
        let mut ends: Vec<usize> = self.cuts.iter().map(|cut| cut.index(self.rows.len())).collect();
        ends.push(self.rows.len());
        ends.sort_unstable();
        ends
    }

    /// Writes the log and the tables beside it, and returns what to do with them.
    fn write(&self, root: &Path) -> PrepareConfig {
        let mut start = 0;
        for (number, end) in self.ends().into_iter().enumerate() {
            let mut text = "user,item,at,stars,device,tags\n".to_owned();
            for Row { user, item, time, stars, device, tags } in &self.rows[start..end] {
                let rated = stars.map_or_else(String::new, |stars| stars.to_string());
                writeln!(text, "{user},{item},{time},{rated},{device},{}", tags.join("|")).unwrap();
            }
            std::fs::write(root.join(format!("log-{number}.csv")), text).unwrap();
            start = end;
        }
        std::fs::write(root.join("users.dat"), "u7::30::\nu2::::a b\n").unwrap();
        std::fs::write(root.join("items.csv"), "id;kinds\ni3;red|blue\ni0;\n").unwrap();
        let Rules { label, events, max_length, min_length, per, from, split } = &self.rules;
        // Positives alone need drawn candidates.
        let negatives = match *from {
            "\"positive\"" => {
                "negatives = { candidates = { per_positive = 1, distribution = \"uniform\", exclude = \"past\", draw = \"fixed\" } }"
            }
            _ => "",
        };
        let text = format!(
            r#"
            label = {label}
            history = {{ events = {events}, max_length = {max_length}, min_length = {min_length} }}
            samples = {{ per = "{per}", from = {from} }}
            split = {{ {split} }}
            {negatives}
            [log]
            files = "log-*.csv"
            user = "user"
            item = "item"
            time = "at"
            only = [{{ column = "at", at_least = 0 }}]
            event = {{ stars = "number" }}
            row = {{ device = "term", tags = {{ terms = "|" }} }}
            [users]
            files = "users.dat"
            csv = {{ separator = "::", columns = ["user", "age", "town"] }}
            key = "user"
            columns = {{ age = "number", town = "term" }}
            [items]
            files = ["items.csv"]
            csv = {{ separator = ";" }}
            key = "id"
            columns = {{ kinds = {{ terms = "|" }}, kind = {{ first = "|", of = "kinds" }} }}
            "#
        );
        PrepareConfig { root: root.to_owned(), ..toml::from_str(&text).unwrap() }
    }
}

fn run(config: &PrepareConfig, memory: SortMemory, name: &str) -> Result<Prepared, PrepareError> {
    prepare_within(memory, config, &config.root.join(name), &mut |_| ControlFlow::Continue(()))
}

/// Runs of a few records, two of which are merged at once.
const SMALL: SortMemory = SortMemory { run: 150, merged: 2, buffer: 16 };

/// The names in a folder, and below it.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn samples_are_those_of_the_plain_way(case in case()) {
        let folder = tempfile::tempdir().unwrap();
        let config = case.write(folder.path());
        let expected = reference::samples(&case.rows, &config);
        match run(&config, SortMemory::default(), "samples") {
            Ok(prepared) => {
                prop_assert_eq!(Some(folder::read(&prepared.samples)), expected);
                let kept = case.rows.iter().filter(|row| row.time >= 0).count() as u64;
                prop_assert_eq!((prepared.summary.rows, prepared.summary.counted_rows), (case.rows.len() as u64, kept));
                let sources = &prepared.samples.manifest().sources;
                let rows: Vec<u64> = sources.iter().map(|source| source.rows).collect();
                let ends = [vec![0], case.ends()].concat();
                let of_log = ends.windows(2).map(|pair| (pair[1] - pair[0]) as u64);
                prop_assert_eq!(rows, of_log.chain([2, 2]).collect::<Vec<_>>());
            }
            Err(error) => {
                prop_assert_eq!(expected, None, "{}", error);
                prop_assert!(matches!(error.kind(), ErrorKind::Data | ErrorKind::Config), "{error}");
            }
        }
    }

    #[test]
    fn the_size_of_runs_and_the_number_of_threads_change_no_byte(case in case()) {
        let folder = tempfile::tempdir().unwrap();
        let config = case.write(folder.path());
        let one = run(&config, SortMemory::default(), "one");
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        let many = pool.install(|| run(&config, SMALL, "many"));
        match (one, many) {
            (Ok(one), Ok(many)) => {
                prop_assert_eq!(one.summary, many.summary);
                let [one, many] = [one, many].map(|prepared| folder::bytes(prepared.samples.folder()));
                prop_assert_eq!(one, many);
            }
            (one, many) => {
                prop_assert_eq!(one.unwrap_err().to_string(), many.unwrap_err().to_string());
                // Nothing is left, neither of the folders nor of what was being made.
                prop_assert!(names(folder.path()).iter().all(|name| name.contains('.') && !name.starts_with('.')));
            }
        }
    }
}

#[test]
fn an_interruption_leaves_nothing_wherever_it_comes() {
    let folder = tempfile::tempdir().unwrap();
    let row = |user: u8, time: i64| Row {
        user: format!("u{user}"),
        item: format!("i{}", time % 5),
        time,
        stars: Some(5),
        device: String::new(),
        tags: Vec::new(),
    };
    let rules = Rules {
        label: STARS,
        events: "\"positive\"",
        max_length: 3,
        min_length: 0,
        per: "event",
        from: "\"all\"",
        split: "last = { test = 1, validation = 1 }".to_owned(),
    };
    let rows = (0..40).map(|number| row((number % 4) as u8, number)).collect();
    let config = Case { rows, cuts: Vec::new(), rules }.write(folder.path());
    let before = names(folder.path());
    let output = folder.path().join("samples");
    let mut calls = 0;
    loop {
        let mut left = calls;
        let stop = &mut |_: &crate::Progress| {
            if left == 0 {
                return ControlFlow::Break(());
            }
            left -= 1;
            ControlFlow::Continue(())
        };
        match prepare_within(SMALL, &config, &output, stop) {
            Err(PrepareError::Interrupted) => assert_eq!(names(folder.path()), before, "after {calls} calls"),
            other => {
                other.unwrap();
                break;
            }
        }
        calls += 1;
    }
    assert!(calls > 12, "only {calls} places to stop at");
    let message = run(&config, SMALL, "samples").unwrap_err().to_string();
    assert_eq!(message, format!("{} exists; samples are written to a new folder", output.display()));
}

//! Which rows go to which part.

use fain_samples::Part::{self, Test, Train, Validation};

use super::{LogEvent, Written, apply, clicks, event};

fn written(split: &str) -> Written {
    Written::new(&format!(
        "label = {{ column = 'r', equals = 1 }}\nhistory = {{ max_length = 5, events = 'all' }}\nsplit = {{ {split} }}"
    ))
}

fn parts(out: &super::UserSamples) -> Vec<Part> {
    out.samples.iter().map(|sample| sample.part).collect()
}

#[test]
fn the_last_rows_are_counted() {
    let rules = written("last = { test = 2, validation = 1 }").rules();
    for (count, expected) in [
        (0, &[][..]),
        (1, &[Test]),
        (2, &[Test, Test]),
        (3, &[Validation, Test, Test]),
        (5, &[Train, Train, Validation, Test, Test]),
    ] {
        assert_eq!(parts(&apply(&rules, "u", &clicks(count))), expected);
    }
}

/// The last positive is held out, whatever the user did after it.
#[test]
fn rows_that_cannot_become_samples_are_not_counted() {
    let rules = Written::new(&format!(
        "label = {{ column = 'r', equals = 1 }}
         history = {{ max_length = 5, events = 'all' }}
         samples.from = 'positive'
         split.last = {{ test = 1, validation = 1 }}
         {}",
        super::ONE_CANDIDATE
    ))
    .rules();
    let events: Vec<_> = [true, false, true, false, true, false, false]
        .into_iter()
        .map(|positive| LogEvent { in_history: true, may_be_sample: positive, ..event(0, positive) })
        .collect();
    let out = apply(&rules, "u", &events);
    assert_eq!(super::listed(&out), [(0, 1, 0, Train), (2, 1, 2, Validation), (4, 1, 4, Test)]);
    assert_eq!(out.window_end, 2);
}

#[test]
fn rows_that_min_length_leaves_out_are_counted() {
    let mut written = written("last = { test = 2, validation = 1 }");
    written.history.min_length = 3;
    assert_eq!(super::listed(&apply(&written.rules(), "u", &clicks(4))), [(3, 1, 3, Test)]);
}

#[test]
fn rows_at_the_time_of_a_cut_are_behind_it() {
    let rules = written("time = { validation_from = 10, test_from = '1970-01-01T00:00:20' }").rules();
    let events: Vec<_> = [9, 9, 10, 10, 19, 20, 20].map(|time| event(time, true)).to_vec();
    let out = apply(&rules, "u", &events);
    assert_eq!(parts(&out), [Train, Train, Validation, Validation, Validation, Test, Test]);
    assert_eq!(out.window_end, 2);
}

#[test]
fn shares_of_time_are_exact() {
    let written = written("time = { validation = 0.1, test = 0.2 }");
    let times: Vec<i64> = (0..100).map(|place| (place * 37) % 100).collect();
    let rules = written.rules_for_times(&times).unwrap();
    let parts = parts(&apply(&rules, "u", &clicks(100)));
    let count = |part| parts.iter().filter(|other| **other == part).count();
    assert_eq!((count(Train), count(Validation), count(Test)), (70, 10, 20));
}

/// Rounding of shares, such as (1 − 0.1 − 0.2) · 10 = 7.000000000000001, moves no row.
#[test]
fn shares_of_time_are_counted_in_rows() {
    let written = written("time = { validation = 0.1, test = 0.2 }");
    for rows in (10..500).step_by(10) {
        let times: Vec<i64> = (0..rows).collect();
        let rules = written.rules_for_times(&times).unwrap();
        let out = apply(&rules, "u", &clicks(rows));
        assert_eq!(i64::from(out.window_end), rows * 7 / 10);
    }
}

#[test]
fn hashes_give_the_stated_shares() {
    let written_hash = written("hash = { of = ['a', 'b'], validation = 0.1, test = 0.3, seed = 5 }");
    let rules = written_hash.rules();
    let mut hash = written_hash.split.row_hash().unwrap();
    let mut counts = [0_i32; 3];
    for row in 0..10_000 {
        let hash = hash.of([&*format!("a {row}"), "b"]);
        let out = apply(&rules, "u", &[LogEvent { hash, ..event(0, true) }]);
        counts[out.samples[0].part as usize] += 1;
    }
    // The standard deviations are 30 and 46.
    assert!((counts[1] - 1000).abs() < 150 && (counts[2] - 3000).abs() < 230, "{counts:?}");
    assert!(written("user = { validation = 0.1, test = 0.3 }").split.row_hash().is_none());
}

#[test]
fn seeds_draw_different_users() {
    let part = |seed: u32, user: u32| {
        let rules = written(&format!("user = {{ validation = 0.25, test = 0.25, seed = {seed} }}")).rules();
        apply(&rules, &user.to_string(), &clicks(1)).samples[0].part
    };
    let parts = |seed| (0..200).map(|user| part(seed, user)).collect::<Vec<_>>();
    assert_ne!(parts(1), parts(2));
    assert_eq!(parts(1), parts(1));
}

/// A second implementation, Python's xxhash: `xxh3_64_intdigest(str(user), seed=1) / 2**64`.
#[test]
fn users_stay_where_other_versions_had_them() {
    let rules = written("user = { validation = 0.2, test = 0.2 }").rules();
    let parts: Vec<Part> = (0..12).map(|user| apply(&rules, &user.to_string(), &clicks(1)).samples[0].part).collect();
    assert_eq!(parts, PINNED);
}

const PINNED: [Part; 12] =
    [Train, Train, Train, Train, Validation, Test, Train, Validation, Train, Train, Train, Train];

//! Traps that other programs fell into.

use fain_samples::Part::{Test, Train};

use super::{LogEvent, ONE_CANDIDATE, Written, apply, clicks, event, listed};

fn last(test: u32, validation: u32, max_length: u32) -> Written {
    Written::new(&format!(
        "history = {{ max_length = {max_length} }}
         split.last = {{ test = {test}, validation = {validation} }}
         {ONE_CANDIDATE}"
    ))
}

/// Test rows inside train: every row is in one part, and training ends where the held-out rows begin.
#[test]
fn trap_05_no_row_is_in_two_parts() {
    let out = apply(&last(3, 2, 50).rules(), "u", &clicks(20));
    let places: Vec<u32> = out.samples.iter().map(|sample| sample.place).collect();
    assert_eq!(places, (0..20).collect::<Vec<_>>());
    let first_held_out = out.samples.iter().find(|sample| sample.part != Train).unwrap();
    assert!(out.samples.iter().all(|sample| (sample.part == Train) == (sample.place < first_held_out.place)));
    assert_eq!(out.window_end, first_held_out.history_end);
}

/// Users with long histories lose neither their newest events nor their test row.
#[test]
fn trap_05_a_long_history_keeps_its_end_and_its_test_row() {
    let out = apply(&last(1, 1, 50).rules(), "u", &clicks(100_000));
    assert_eq!(out.samples.len(), 100_000);
    let test = out.samples.last().unwrap();
    assert_eq!((test.place, test.history_end, test.part), (99_999, 99_999, Test));
    // The 50 events that a history has are the last ones before the sample.
    let history = &out.history[test.history_end as usize - 50..test.history_end as usize];
    assert_eq!(history, (99_949..99_999).collect::<Vec<u32>>());
}

/// The target inside its own history: the sample's own event comes behind the end of its history.
#[test]
fn trap_05_no_sample_is_in_its_own_history() {
    let out = apply(&last(1, 1, 50).rules(), "u", &clicks(30));
    for sample in &out.samples {
        assert!(!out.history[..sample.history_end as usize].contains(&sample.place), "{sample:?}");
        assert_eq!(out.history[sample.history_end as usize], sample.place);
    }
}

/// Events of one second: their order is that of the log, in histories of all parts and at the cut between them.
#[test]
fn trap_05_events_of_one_second_keep_the_order_of_the_log() {
    let events: Vec<LogEvent> = [1, 5, 5, 5, 9].map(|time| event(time, true)).to_vec();
    let out = apply(&last(1, 1, 50).rules(), "u", &events);
    assert_eq!(out.history, [0, 1, 2, 3, 4]);
    assert_eq!(out.samples.iter().map(|sample| sample.history_end).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    // A split by time never parts them.
    let rules = Written::new(&format!(
        "history.max_length = 50\nsplit.time = {{ validation = 0.25, test = 0.25 }}\n{ONE_CANDIDATE}"
    ))
    .rules_for_times(&[1, 5, 5, 5, 8, 9, 9, 9]);
    let parts: Vec<_> = listed(&apply(&rules.unwrap(), "u", &events)).into_iter().map(|sample| sample.3).collect();
    assert_eq!(parts[1..4], [parts[1]; 3]);
}

/// What is learnt from held-out rows, such as how popular an item is, ends at the window. Held-out users have none.
#[test]
fn trap_14_training_knows_nothing_of_held_out_users() {
    let rules = Written::new(&format!(
        "history.max_length = 50\nsplit.user = {{ validation = 0.3, test = 0.3 }}\n{ONE_CANDIDATE}"
    ))
    .rules();
    for user in 0..100 {
        let out = apply(&rules, &user.to_string(), &clicks(7));
        let train = out.samples.iter().all(|sample| sample.part == Train);
        assert!(train || out.samples.iter().all(|sample| sample.part != Train));
        assert_eq!(out.window_end, if train { 7 } else { 0 });
    }
}

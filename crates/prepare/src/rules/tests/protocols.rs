//! Protocols of papers and of data sets, written as rules.

use fain_samples::Part::{Test, Train, Validation};

use super::{ONE_CANDIDATE, Written, apply, clicks, event, listed};

/// Deep Interest Network on public data: every event after the first is a sample, the last one is the test.
#[test]
fn the_protocol_of_din() {
    let rules = Written::new(&format!(
        "history = {{ max_length = 100, min_length = 1 }}
         split.last = {{ test = 1, validation = 1 }}
         {ONE_CANDIDATE}"
    ))
    .rules();
    let out = apply(&rules, "u", &clicks(5));
    assert_eq!(listed(&out), [(1, 1, 1, Train), (2, 1, 2, Train), (3, 1, 3, Validation), (4, 1, 4, Test)]);
    assert_eq!((out.history, out.window_end), (vec![0, 1, 2, 3, 4], 3));
    // A user with one event has no sample, and nothing that training may know of.
    let out = apply(&rules, "u", &clicks(1));
    assert_eq!((listed(&out), out.window_end), (vec![], 0));
}

/// The same with the training part that the paper has, but for the users that validation takes.
#[test]
fn the_protocol_of_din_with_validation_users() {
    let written = Written::new(&format!(
        "history = {{ max_length = 100, min_length = 1 }}
         split.last = {{ test = 1, validation = {{ share = 0.5, seed = 3 }} }}
         {ONE_CANDIDATE}"
    ));
    let rules = written.rules();
    let mut drawn = 0;
    for user in 0..1000 {
        let out = apply(&rules, &format!("user {user}"), &clicks(4));
        if out.samples[0].part == Validation {
            drawn += 1;
            assert_eq!(listed(&out), [(1, 1, 1, Validation), (2, 1, 2, Validation), (3, 1, 3, Test)]);
            assert_eq!(out.window_end, 0);
        } else {
            assert_eq!(listed(&out), [(1, 1, 1, Train), (2, 1, 2, Train), (3, 1, 3, Test)]);
            assert_eq!(out.window_end, 3);
        }
    }
    // 500 are expected; the standard deviation is 16.
    assert!((420..=580).contains(&drawn), "{drawn}");
}

/// Deep Interest Evolution Network: the last event of each user is a sample, and users are split.
#[test]
fn the_protocol_of_dien() {
    let rules = Written::new(&format!(
        "history = {{ max_length = 100, min_length = 1 }}
         samples.per = 'last_event'
         split.user = {{ validation = 0.2, test = 0.2 }}
         {ONE_CANDIDATE}"
    ))
    .rules();
    let mut parts = [0; 3];
    for user in 0..1000 {
        let out = apply(&rules, &format!("user {user}"), &clicks(4));
        let part = out.samples[0].part;
        parts[part as usize] += 1;
        assert_eq!(listed(&out), [(3, 1, 3, part)]);
        // All events of training users are known, and none of the others'.
        assert_eq!(out.window_end, if part == Train { 4 } else { 0 });
    }
    // 200 are expected in each of two; the standard deviation is 13.
    assert!((140..=260).contains(&parts[1]) && (140..=260).contains(&parts[2]), "{parts:?}");
}

/// The samples of `ml1m_ctr`: label 1 from rating 4, the last 50 movies with label 1, the last ten rows are the test,
/// samples without history are left out.
#[test]
fn the_rules_of_ml1m_ctr() {
    let rules = Written::new(
        "label = { column = 'rating', at_least = 4 }
         history = { max_length = 50, min_length = 1 }
         split.last = { test = 2, validation = 1 }",
    )
    .rules();
    let labels = [0, 1, 0, 1, 0, 0, 1];
    let events: Vec<_> = (0..).zip(labels).map(|(time, label)| event(time, label == 1)).collect();
    let out = apply(&rules, "u", &events);
    let expected = [
        // Places 0 and 1 have no history.
        (2, 0, 1, Train),
        (3, 1, 1, Train),
        (4, 0, 2, Validation),
        (5, 0, 2, Test),
        (6, 1, 2, Test),
    ];
    assert_eq!(listed(&out), expected);
    assert_eq!((out.history, out.window_end), (vec![1, 3, 6], 2));
}

/// Histories of one kind of behaviour beside samples of another, as on Taobao.
#[test]
fn histories_of_a_behaviour() {
    let rules = Written::new(
        "label = { column = 'clicked', equals = 1 }
         history = { max_length = 50, events = { column = 'behaviour', equals = 'buy' } }
         split.time = { validation_from = 3, test_from = 5 }",
    )
    .rules();
    let mut events: Vec<_> = (0..6).map(|time| event(time, time % 2 == 0)).collect();
    for (place, event) in events.iter_mut().enumerate() {
        event.in_history = [1, 2, 4].contains(&place);
    }
    let out = apply(&rules, "u", &events);
    let expected = [
        (0, 1, 0, Train),
        (1, 0, 0, Train),
        (2, 1, 1, Train),
        (3, 0, 2, Validation),
        (4, 1, 2, Validation),
        (5, 0, 3, Test),
    ];
    assert_eq!(listed(&out), expected);
    assert_eq!((out.history, out.window_end), (vec![1, 2, 4], 2));
}

#[test]
fn the_last_positive_is_the_one_sample() {
    let rules = Written::new(&format!(
        "label = {{ column = 'rating', at_least = 4 }}
         history = {{ max_length = 50, events = 'all' }}
         samples = {{ per = 'last_event', from = 'positive' }}
         split.hash = {{ of = ['item'], validation = 0.1, test = 0.1 }}
         {ONE_CANDIDATE}"
    ))
    .rules();
    let events: Vec<_> = [false, true, false, true, false]
        .into_iter()
        .map(|positive| super::LogEvent {
            hash: u64::MAX,
            in_history: true,
            may_be_sample: positive,
            ..super::event(0, positive)
        })
        .collect();
    let out = apply(&rules, "u", &events);
    assert_eq!(listed(&out), [(3, 1, 3, Train)]);
    assert_eq!(out.window_end, 5);
    assert_eq!(listed(&apply(&rules, "u", &events[..1])), []);
    assert_eq!(listed(&apply(&rules, "u", &[])), []);
}

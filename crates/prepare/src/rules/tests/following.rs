//! Labels that later events make.

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, proptest};

use super::{LogEvent, Written, apply, event};
use crate::rules::{Follow, LabelConfig};

const RULES: &str = "samples.from = { column = 'event', equals = 'impression' }
    history = { events = { column = 'event', any_of = ['view', 'click'] }, max_length = 50 }
    split.last = { test = 1, validation = 1 }";

fn written(rule: &str) -> Written {
    Written::new(&format!("label.followed_by = {{ {rule} }}\n{RULES}"))
}

fn within(seconds: u64) -> Written {
    written(&format!("column = 'event', equals = 'click', within = {seconds}"))
}

/// Labels the events of one user.
fn labelled(label: Option<&LabelConfig>, mut events: Vec<LogEvent>) -> Vec<LogEvent> {
    Follow::of(label).unwrap().label(&mut events);
    events
}

fn impression(time: i64, item: u32) -> LogEvent {
    LogEvent { item, ..event(time, false) }
}

fn click(time: i64, item: u32) -> LogEvent {
    LogEvent { item, in_history: true, may_be_sample: false, follows: true, ..event(time, false) }
}

/// The labels of the rows that may become samples.
fn labels(seconds: u64, events: &[LogEvent]) -> Vec<u8> {
    let events = labelled(within(seconds).label.as_ref(), events.to_vec());
    events.iter().filter(|event| event.may_be_sample).map(|event| u8::from(event.positive)).collect()
}

#[test]
fn a_click_counts_for_the_last_impression_of_its_item() {
    assert_eq!(labels(60, &[impression(1, 7), impression(2, 8), click(5, 7)]), [1, 0]);
    assert_eq!(labels(60, &[impression(1, 7), impression(4, 7), click(5, 7)]), [0, 1]);
    // The click belongs to the first one: the second came after it.
    assert_eq!(labels(60, &[impression(1, 7), click(5, 7), impression(6, 7)]), [1, 0]);
    // Two clicks on the second one are not shared out.
    assert_eq!(labels(60, &[impression(1, 7), impression(4, 7), click(5, 7), click(6, 7)]), [0, 1]);
    assert_eq!(labels(60, &[click(5, 7), impression(6, 7)]), [0]);
}

#[test]
fn a_click_comes_in_time() {
    assert_eq!(labels(60, &[impression(0, 7), click(60, 7)]), [1]);
    assert_eq!(labels(60, &[impression(0, 7), click(61, 7)]), [0]);
    // Too late for the last impression, and no other gets it.
    assert_eq!(labels(60, &[impression(0, 7), impression(1, 7), click(62, 7)]), [0, 0]);
    let far = [impression(i64::MIN, 7), click(i64::MAX, 7)];
    assert_eq!(labels(u64::MAX - 1, &far), [0]);
    let any_time = labelled(written("column = 'event', equals = 'click'").label.as_ref(), far.to_vec());
    assert!(any_time[0].positive);
}

/// In one second, the order of the log's rows counts.
#[test]
fn a_click_of_the_same_second_follows_if_it_stands_behind() {
    assert_eq!(labels(60, &[impression(5, 7), click(5, 7)]), [1]);
    assert_eq!(labels(60, &[click(5, 7), impression(5, 7)]), [0]);
}

/// Is an item looked at again? A view follows the one before, and waits for the next one.
#[test]
fn a_row_that_follows_may_wait_itself() {
    let view = |time| LogEvent { follows: true, ..impression(time, 7) };
    assert_eq!(labels(60, &[view(0), view(30), view(100), view(101)]), [1, 0, 1, 0]);
}

#[test]
fn contradictions_are_refused() {
    let refusal = |text: &str| Written::new(text).check().unwrap_err().to_string();
    let label = "label.followed_by = { column = 'event', equals = 'click', within = 9 }";
    let rest = "split.last = { test = 1, validation = 1 }";
    let impressions = "samples.from = { column = 'event', equals = 'impression' }";
    within(1).check().unwrap();
    assert_eq!(
        refusal(&format!("{label}\nhistory = {{ events = 'all', max_length = 5 }}\n{rest}")),
        "samples.from = \"all\": must be a condition with label.followed_by, such as { column = \"event\", equals = \
         \"impression\" }: the rows that wait for what follows"
    );
    assert_eq!(
        refusal(&format!("{label}\n{impressions}\nhistory.max_length = 5\n{rest}")),
        "history.events = \"positive\": must be \"all\" or a condition with label.followed_by, such as { column = \
         \"event\", equals = \"click\" }: whether an event is positive is known only later than the event"
    );
    let candidates = super::ONE_CANDIDATE;
    assert_eq!(
        refusal(&format!("{label}\n{RULES}\n{candidates}")),
        "negatives.candidates = { … }: must not stand beside label.followed_by: samples that nothing follows have \
         label 0 already"
    );
    assert_eq!(
        refusal(&format!("{impressions}\nhistory = {{ events = 'all', max_length = 5 }}\n{rest}")),
        "samples.from = { column = \"event\" }: needs negatives.candidates: without [label] every event is positive, \
         and no sample would have label 0"
    );
    let refusal = |rule: &str| written(rule).check().unwrap_err().to_string();
    assert_eq!(
        refusal("column = 'event', equals = 'click', within = 0"),
        "label.followed_by.within = 0: must be at least 1 second"
    );
    assert_eq!(
        refusal("column = 'event'"),
        "label.followed_by = { column = \"event\" }: one of at_least, at_most, equals and any_of is needed"
    );
    let ordered = within(9);
    let message = |config| crate::rules::check(&config).unwrap_err().to_string();
    assert_eq!(
        message(crate::rules::RulesConfig { timed: false, ..ordered.config() }),
        "label.followed_by.within = 9: needs the times of the log, log.time; log.order has no unit"
    );
    let untimed = written("column = 'event', equals = 'click'");
    crate::rules::check(&crate::rules::RulesConfig { timed: false, ..untimed.config() }).unwrap();
}

#[test]
fn what_is_written_is_read_back() {
    let parse = |text: &str| toml::from_str::<LabelConfig>(text);
    for text in
        ["followed_by = { column = 'a', any_of = ['b', 2], within = 5 }", "column = 'stars'\nat_least = 2\nat_most = 4"]
    {
        let label = parse(text).unwrap();
        assert_eq!(parse(&toml::to_string(&label).unwrap()).unwrap(), label, "{text}");
    }
    for (text, message) in [
        ("followed_by = { column = 'a', equals = 'b' }\ncolumn = 'c'", "followed_by must stand alone"),
        ("followed_by = { column = 'a', equals = 'b' }\nat_least = 1", "followed_by must stand alone"),
        ("equals = 'b'", "missing field `column`, or followed_by instead"),
        ("followed_by = { column = 'a', equal = 'b' }", "unknown field `equal`"),
        ("followed_by = { equals = 'b' }", "missing field `column`"),
        ("followed_by = { column = 'a', equals = 'b', within = -1 }", "invalid value: integer `-1`"),
        ("colum = 'a'", "unknown field `colum`"),
    ] {
        let found = parse(text).unwrap_err().to_string();
        assert!(found.contains(message), "{found}");
    }
}

/// The rule as it is written down, pair by pair.
fn naive(events: &[LogEvent], within: u64) -> Vec<bool> {
    let same = |one: usize, other: usize| events[one].item == events[other].item;
    let positive = |place: usize| {
        events[place].may_be_sample
            && (place + 1..events.len()).any(|later| {
                let next = (place + 1..later).any(|next| events[next].may_be_sample && same(place, next));
                let passed = events[later].time - events[place].time;
                events[later].follows && same(place, later) && !next && passed as u64 <= within
            })
    };
    (0..events.len()).map(positive).collect()
}

/// Events of few seconds and items, some of which are all at once.
fn events() -> impl Strategy<Value = Vec<LogEvent>> {
    vec((0_i64..12, 0_u32..3, any::<[bool; 4]>()), 0..30).prop_map(|mut events| {
        events.sort_by_key(|event| event.0);
        let event = |(time, item, [positive, in_history, may_be_sample, follows]): (i64, u32, [bool; 4])| LogEvent {
            time,
            hash: 0,
            item,
            // What was said of it before is of no matter.
            positive,
            in_history,
            may_be_sample,
            follows,
        };
        events.into_iter().map(event).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn labels_are_those_of_the_plain_way(users in vec(events(), 1..4), seconds in 1_u64..8) {
        let mut follow = Follow::of(within(seconds).label.as_ref()).unwrap();
        for mut events in users {
            let expected = naive(&events, seconds);
            follow.label(&mut events);
            prop_assert_eq!(events.iter().map(|event| event.positive).collect::<Vec<_>>(), expected);
        }
    }

    /// A follower makes one sample positive at most.
    #[test]
    fn there_are_no_more_positives_than_followers(events in events(), seconds in 1_u64..8) {
        let events = labelled(within(seconds).label.as_ref(), events);
        let count = |of: fn(&LogEvent) -> bool| events.iter().filter(|event| of(event)).count();
        prop_assert!(count(|event| event.positive) <= count(|event| event.follows));
    }

    /// What makes the label of a sample is not in its history, nor is anything else that came behind it: the same
    /// history stands before it if the log ends there.
    #[test]
    fn trap_05_the_label_is_not_in_its_own_history(events in events(), seconds in 1_u64..8) {
        let written = within(seconds);
        let events = labelled(written.label.as_ref(), events);
        let all = apply(&written.rules(), "u", &events);
        for sample in &all.samples {
            let ended = labelled(written.label.as_ref(), events[..=sample.place as usize].to_vec());
            let ended = apply(&written.rules(), "u", &ended);
            let seen = &all.history[..sample.history_end as usize];
            prop_assert!(seen.iter().all(|place| *place < sample.place));
            let alone = ended.samples.last().unwrap();
            prop_assert_eq!((alone.place, alone.history_end), (sample.place, sample.history_end));
            prop_assert_eq!(&ended.history[..alone.history_end as usize], seen);
        }
    }
}

/// What may be drawn beside a sample, and how often, does not depend on how it ended: neither the click that makes the
/// label of a held-out sample nor any later one is in the window that draws know.
#[test]
fn trap_06_draws_do_not_know_how_a_held_out_sample_ended() {
    let written = within(60);
    let before = [impression(0, 1), click(1, 1), impression(10, 2), impression(20, 3), impression(30, 4)];
    let known = |after: &[LogEvent]| {
        let events = labelled(written.label.as_ref(), [&before, after].concat());
        let out = apply(&written.rules(), "u", &events);
        let last = *out.samples.last().unwrap();
        (last.positive, out.history[..last.history_end as usize].to_vec(), out.window_end)
    };
    assert_eq!(known(&[click(31, 4)]), (true, vec![1], 1));
    assert_eq!(known(&[]), (false, vec![1], 1));
}

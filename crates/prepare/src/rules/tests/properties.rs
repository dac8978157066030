//! What holds for every log.

use fain_samples::Part;
use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::{LogEvent, Written, apply};
use crate::rules::{PerUser, UserSamples};

/// Events of few seconds, so that there are many ties.
fn events() -> impl Strategy<Value = Vec<LogEvent>> {
    let event = (0_i64..8, any::<u64>(), any::<[bool; 3]>());
    vec(event, 0..30).prop_map(|mut events| {
        events.sort_by_key(|event| event.0);
        events
            .into_iter()
            .map(|(time, hash, [positive, in_history, may_be_sample])| LogEvent {
                time,
                hash,
                item: 0,
                positive,
                in_history,
                may_be_sample,
                follows: false,
            })
            .collect()
    })
}

fn split() -> impl Strategy<Value = String> {
    prop_oneof![
        (1_u32..4, 1_u32..4)
            .prop_map(|(test, validation)| format!("last = {{ test = {test}, validation = {validation} }}")),
        (1_u32..4, any::<u32>()).prop_map(|(test, seed)| format!(
            "last = {{ test = {test}, validation = {{ share = 0.5, seed = {seed} }} }}"
        )),
        (0_i64..8, 1_i64..8)
            .prop_map(|(from, more)| format!("time = {{ validation_from = {from}, test_from = {} }}", from + more)),
        any::<u32>().prop_map(|seed| format!("user = {{ validation = 0.3, test = 0.3, seed = {seed} }}")),
        Just("hash = { of = ['a'], validation = 0.2, test = 0.2 }".to_owned()),
    ]
}

fn written() -> impl Strategy<Value = Written> {
    (split(), any::<bool>(), 0_u32..4).prop_map(|(split, last_event, min_length)| {
        let per = if last_event && !split.starts_with("last") { "last_event" } else { "event" };
        Written::new(&format!(
            "label = {{ column = 'r', equals = 1 }}
             history = {{ max_length = 9, min_length = {min_length} }}
             samples = {{ per = '{per}' }}
             split = {{ {split} }}"
        ))
    })
}

/// Which events are rows that a sample can come from.
fn taken(events: &[LogEvent]) -> Vec<u32> {
    (0..).zip(events).filter(|(_, event)| event.may_be_sample).map(|(place, _)| place).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// A history has the events that may stand in it and come before the sample: all of these, and no others.
    #[test]
    fn histories_have_what_comes_before(written in written(), events in events()) {
        let out = apply(&written.rules(), "user", &events);
        let standing: Vec<u32> =
            (0..).zip(&events).filter(|(_, event)| event.in_history).map(|(place, _)| place).collect();
        prop_assert_eq!(&out.history, &standing);
        for sample in &out.samples {
            let before: Vec<u32> = standing.iter().copied().filter(|place| *place < sample.place).collect();
            prop_assert_eq!(&out.history[..sample.history_end as usize], &before[..]);
            prop_assert!(before.iter().all(|place| events[*place as usize].time <= events[sample.place as usize].time));
            prop_assert!(sample.history_end >= written.history.min_length);
            prop_assert_eq!(sample.positive, events[sample.place as usize].positive);
        }
    }

    /// Every row that may become a sample does, once, unless its history is too short or it is not the last one.
    #[test]
    fn samples_are_the_rows_that_the_rules_take(written in written(), events in events()) {
        let out = apply(&written.rules(), "user", &events);
        let mut expected = taken(&events);
        if written.samples.per == PerUser::LastEvent {
            expected = expected.last().copied().into_iter().collect();
        }
        let before = |place: u32| events[..place as usize].iter().filter(|event| event.in_history).count();
        expected.retain(|place| before(*place) >= written.history.min_length as usize);
        prop_assert_eq!(out.samples.iter().map(|sample| sample.place).collect::<Vec<_>>(), expected);
    }

    /// Nothing of a held-out sample, or later, is in the window; all training samples of splits in the order of time
    /// see only what is in it.
    #[test]
    fn the_window_ends_before_the_first_held_out_row(written in written(), events in events()) {
        let out = apply(&written.rules(), "user", &events);
        for sample in &out.samples {
            if sample.part != Part::Train {
                prop_assert!(out.window_end <= sample.history_end);
            } else if written.split.hash.is_none() {
                prop_assert!(sample.history_end <= out.window_end);
            }
        }
    }

    /// Parts follow each other in time, unless rows are drawn by hash; test rows are the last ones.
    #[test]
    fn parts_follow_each_other(written in written(), events in events()) {
        let out = apply(&written.rules(), "user", &events);
        if written.split.hash.is_none() {
            prop_assert!(out.samples.windows(2).all(|pair| pair[0].part as usize <= pair[1].part as usize));
        }
    }

    #[test]
    fn the_last_rows_are_as_many_as_asked_for(
        test in 1_u32..5,
        validation in 1_u32..5,
        mut written in written(),
        events in events(),
    ) {
        written.split = Written::new(&format!(
            "history.max_length = 1\nsplit.last = {{ test = {test}, validation = {validation} }}"
        )).split;
        written.samples.per = PerUser::Event;
        written.history.min_length = 0;
        let out = apply(&written.rules(), "user", &events);
        let count = |part| out.samples.iter().filter(|sample| sample.part == part).count();
        let rows = taken(&events).len();
        prop_assert_eq!(count(Part::Test), rows.min(test as usize));
        prop_assert_eq!(count(Part::Validation), rows.saturating_sub(test as usize).min(validation as usize));
    }

    /// Rows that are added to the log leave the others in their parts, if parts are drawn by hash or cut by time.
    #[test]
    fn added_rows_move_no_other(
        written in written().prop_filter("no counts from the end", |written| written.split.last.is_none()),
        events in events(),
        added in events(),
        seed in any::<u64>(),
    ) {
        let mut written = written;
        written.samples.per = PerUser::Event;
        written.history.min_length = 0;
        let rules = written.rules();
        // Which events of the longer log are old, and in which order all come.
        let mut all: Vec<(LogEvent, bool)> = events.iter().map(|event| (*event, true)).collect();
        for (place, event) in added.iter().enumerate() {
            let at = (seed.rotate_left(place as u32) % (all.len() as u64 + 1)) as usize;
            all.insert(at, (*event, false));
        }
        all.sort_by_key(|(event, _)| event.time);
        let longer: Vec<LogEvent> = all.iter().map(|(event, _)| *event).collect();
        let parts = |out: &UserSamples, places: &[u32]| -> Vec<Part> {
            out.samples.iter().filter(|sample| places.contains(&sample.place)).map(|sample| sample.part).collect()
        };
        let old: Vec<u32> = (0..).zip(&all).filter(|(_, (_, old))| *old).map(|(place, _)| place).collect();
        let before: Vec<u32> = (0..events.len() as u32).collect();
        prop_assert_eq!(
            parts(&apply(&rules, "user", &events), &before),
            parts(&apply(&rules, "user", &longer), &old)
        );
    }

    /// What an earlier user left in the memory is gone.
    #[test]
    fn memory_is_reused(written in written(), first in events(), second in events()) {
        let rules = written.rules();
        let mut out = UserSamples::default();
        rules.apply("user", &first, &mut out);
        rules.apply("user", &second, &mut out);
        prop_assert_eq!(out, apply(&rules, "user", &second));
    }
}

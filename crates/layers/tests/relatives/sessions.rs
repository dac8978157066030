//! The division of histories into sessions.

use fain_layers::{Jagged, JaggedLayout, LayerError, SessionLimits, Sessions};
use proptest::prelude::*;
use tch::{Device, Tensor};

use crate::batch::{Batch, events, lengths, numbers};
use crate::config;

const ALL: SessionLimits = SessionLimits { sessions: 100, events: 100 };

/// The numbers of the events of each session of each user.
fn lists(sessions: &Sessions, history: &JaggedLayout) -> Vec<Vec<Vec<u32>>> {
    let all: Vec<f64> = (0..history.events()).map(|event| event as f64).collect();
    let values = Tensor::from_slice(&all).reshape([-1, 1]);
    let selected = sessions.select(&Jagged::new(values, history.clone()).unwrap()).unwrap();
    let list = |session: &Tensor| numbers(session).into_iter().map(|event| event as u32).collect();
    let selected: Vec<Vec<u32>> = events(&selected).iter().map(list).collect();
    let users = sessions.users().host_offsets().windows(2);
    users.map(|pair| selected[pair[0] as usize..pair[1] as usize].to_vec()).collect()
}

fn layout(offsets: &[u32]) -> JaggedLayout {
    JaggedLayout::new(offsets, Device::Cpu).unwrap()
}

#[test]
fn sessions_of_equal_length_are_counted_back_from_the_last_event() {
    let history = layout(&[0, 5, 5, 6, 10]);
    let limits = SessionLimits { sessions: 3, events: 2 };
    let sessions = Sessions::every(&history, limits).unwrap();
    let expected = [vec![vec![0], vec![1, 2], vec![3, 4]], vec![], vec![vec![5]], vec![vec![6, 7], vec![8, 9]]];
    assert_eq!(lists(&sessions, &history), expected);
    let recent = Sessions::every(&history, SessionLimits { sessions: 1, ..limits }).unwrap();
    assert_eq!(lists(&recent, &history), [vec![vec![3, 4]], vec![], vec![vec![5]], vec![vec![8, 9]]]);
}

#[test]
fn a_session_starts_after_a_gap() {
    let history = layout(&[0, 5, 5, 7]);
    // 30 is not longer than the gap, 31 is; the next user's events are another session in any case.
    let times = [0, 30, 61, 61, 100, 100, 130];
    let sessions = Sessions::by_gap(&history, &times, 30, ALL).unwrap();
    assert_eq!(lists(&sessions, &history), [vec![vec![0, 1], vec![2, 3], vec![4]], vec![], vec![vec![5, 6]]]);
    let limits = SessionLimits { sessions: 2, events: 1 };
    let sessions = Sessions::by_gap(&history, &times, 30, limits).unwrap();
    assert_eq!(lists(&sessions, &history), [vec![vec![3], vec![4]], vec![], vec![vec![6]]]);
    let sessions = Sessions::by_gap(&layout(&[0, 2]), &[i64::MIN, i64::MAX], i64::MAX, ALL).unwrap();
    assert_eq!(sessions.events().rows(), 2);
}

#[test]
fn users_without_events_have_no_session() {
    let history = layout(&[0, 0, 0]);
    for sessions in [Sessions::every(&history, ALL), Sessions::by_gap(&history, &[], 1, ALL)] {
        let sessions = sessions.unwrap();
        assert_eq!((sessions.users().rows(), sessions.users().events(), sessions.events().rows()), (2, 0, 0));
        assert_eq!(lists(&sessions, &history), [vec![], Vec::<Vec<u32>>::new()]);
    }
}

#[test]
fn wrong_times_limits_and_histories_are_refused() {
    let history = layout(&[0, 2, 4]);
    let message = |times: &[i64], gap| Sessions::by_gap(&history, times, gap, ALL).unwrap_err().to_string();
    assert!(message(&[1, 2, 3], 1).ends_with("3 times for 4 events"));
    assert!(message(&[5, 5, 4, 3], 1).ends_with("event 3 has 3 after 4"));
    assert_eq!(message(&[1, 2, 3, 4], -1), "gap = -1 is not allowed: at least 0");
    for limits in [SessionLimits { sessions: 0, events: 1 }, SessionLimits { sessions: 1, events: 0 }] {
        assert!(matches!(Sessions::every(&history, limits), Err(LayerError::Config { .. })));
        assert!(matches!(Sessions::by_gap(&history, &[0; 4], 1, limits), Err(LayerError::Config { .. })));
    }
    let sessions = Sessions::every(&history, ALL).unwrap();
    let other = Jagged::new(Tensor::from_slice(&[0.0; 4]).reshape([4, 1]), layout(&[0, 1, 4])).unwrap();
    assert!(matches!(sessions.select(&other), Err(LayerError::Offsets { .. })));
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn every_gap_between_events_divides_them_or_not(
        lengths in lengths(), gap in 0i64..4, steps in prop::collection::vec(0i64..6, 36), most in 1i64..4, long in 1i64..4,
    ) {
        let batch = Batch::new(&lengths, 1, 0);
        let times: Vec<i64> = lengths
            .iter()
            .flat_map(|&length| steps[..length as usize].iter().scan(0, |time, step| { *time += step; Some(*time) }))
            .collect();
        let history = batch.layout();
        let limits = SessionLimits { sessions: most, events: long };
        let sessions = lists(&Sessions::by_gap(&history, &times, gap, limits).unwrap(), &history);
        for (user, pair) in sessions.iter().zip(history.host_offsets().windows(2)) {
            let mut expected: Vec<Vec<u32>> = Vec::new();
            for event in pair[0]..pair[1] {
                match expected.last_mut() {
                    Some(session) if times[event as usize] - times[event as usize - 1] <= gap => session.push(event),
                    _ => expected.push(vec![event]),
                }
            }
            let recent = expected.split_off(expected.len().saturating_sub(most as usize));
            let short = |session: &Vec<u32>| session[session.len().saturating_sub(long as usize)..].to_vec();
            prop_assert_eq!(user, &recent.iter().map(short).collect::<Vec<Vec<u32>>>());
        }
    }

    #[test]
    fn sessions_of_equal_length_hold_the_most_recent_events(lengths in lengths(), most in 1i64..4, long in 1i64..4) {
        let history = Batch::new(&lengths, 1, 0).layout();
        let sessions = Sessions::every(&history, SessionLimits { sessions: most, events: long }).unwrap();
        for (user, pair) in lists(&sessions, &history).iter().zip(history.host_offsets().windows(2)) {
            let all: Vec<u32> = (pair[0]..pair[1]).collect();
            let mut expected: Vec<Vec<u32>> =
                all.rchunks(long as usize).take(most as usize).map(<[u32]>::to_vec).collect();
            expected.reverse();
            prop_assert_eq!(user, &expected);
        }
    }
}

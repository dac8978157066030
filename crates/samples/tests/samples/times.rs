//! Trap: events later than the sample in its history.

use fain_samples::{Faults, TimeFaults};
use proptest::prelude::{ProptestConfig, prop_assert_eq, proptest};

use crate::star::{Shape, Star, stars};
use crate::support::{FULL, Written};

fn faults(star: &Star) -> Option<TimeFaults> {
    Written::new(star).open().check_times()
}

#[test]
fn events_and_samples_out_of_order_are_counted() {
    let mut star = Star::random(Shape { users: 0, items: 5, candidates: None, columns: false, ..FULL });
    star.users.events_starts = vec![0, 2, 2, 2];
    star.users.events_ends = vec![2, 2, 2, 5];
    star.users.window_ends = vec![2, 2, 2, 5];
    star.terms[0].1 = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
    // The second user's events are older than the first's, which is no fault.
    star.events.times = vec![10, 10, 5, 6, 7];
    star.rows.test.labels = vec![1, 1, 0];
    star.rows.test.users = vec![0, 1, 3];
    star.rows.test.items = vec![4; 3];
    star.rows.test.history_ends = vec![2, 2, 4];
    // As old as the newest event, without events, and newer.
    star.rows.test.times = vec![10, -4, 7];
    assert_eq!(faults(&star), Some(TimeFaults::default()));

    star.rows.test.times = vec![9, -4, 5];
    let mut expected = TimeFaults::default();
    expected.histories.test = Faults { count: 2, first: Some(0) };
    assert_eq!(faults(&star), Some(expected));

    star.events.times = vec![10, 9, 5, 5, 4];
    let events = Faults { count: 2, first: Some(1) };
    expected.histories.test = Faults { count: 0, first: None };
    assert_eq!(faults(&star), Some(TimeFaults { events, ..expected }));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sound_folders_have_no_faults(star in stars()) {
        prop_assert_eq!(faults(&star), star.layout.time.as_ref().map(|_| TimeFaults::default()));
    }
}

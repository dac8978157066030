//! Traps that other programs fell into.

use fain_samples::{Distribution, DrawKey, Exclude, Excluded, NegativeSampler, Part, Slot};

use crate::{KEY, excluded, one_user, rule, sampler};

/// Negatives that know the future: what a user chooses after a sample changes no draw for it.
#[test]
fn trap_06_no_draw_looks_into_the_future() {
    // Two users with one past and two futures.
    let (one, other) = (one_user(&[1, 2, 3, 4, 5, 6]), one_user(&[1, 2, 3, 17, 18, 19]));
    for distribution in [Distribution::Uniform, Distribution::Popularity(0.75)] {
        for exclude in [Exclude::Past, Exclude::Window] {
            let sampler = sampler(distribution, exclude, &[4; 20]);
            // A held-out sample: the window ends before it.
            for row in 0..500 {
                let key = DrawKey { part: Part::Test, row, ..KEY };
                let draw = |chosen| sampler.draw(key, &excluded(chosen, 3, 2)).unwrap();
                assert_eq!(draw(&one), draw(&other));
            }
        }
    }
}

/// Sampling "never liked" over all time: an item that is chosen later is drawn as often as one that never is.
#[test]
fn trap_06_what_is_chosen_later_is_drawn_as_often() {
    let chosen = one_user(&[0, 1, 2, 3, 4]);
    let sampler = sampler(Distribution::Uniform, Exclude::Past, &[1; 10]);
    let mut counts = [0_u32; 10];
    for row in 0..8000 {
        counts[sampler.draw(DrawKey { row, ..KEY }, &excluded(&chosen, 2, 4)).unwrap() as usize] += 1;
    }
    assert_eq!(counts[..2], [0, 0]);
    // 1000 are expected of each; the standard deviation is 30.
    assert!(counts[2..].iter().all(|count| count.abs_diff(1000) < 150), "{counts:?}");
}

/// Negatives equal to the positives.
#[test]
fn trap_06_a_negative_is_not_the_positive() {
    let chosen = one_user(&[0, 1]);
    for distribution in [Distribution::Uniform, Distribution::Popularity(1.0)] {
        let sampler = sampler(distribution, Exclude::Past, &[2, 2, 90, 1]);
        for row in 0..500 {
            let excluded = Excluded { positive: Some(2), ..excluded(&chosen, 2, 0) };
            assert_eq!(sampler.draw(DrawKey { row, ..KEY }, &excluded), Ok(3));
        }
    }
}

/// A window is what training may know: its items are no negatives of any training sample, before or after it.
#[test]
fn trap_06_a_window_excludes_what_training_knows() {
    let chosen = one_user(&[0, 1, 2, 3]);
    let sampler = sampler(Distribution::Uniform, Exclude::Window, &[1; 6]);
    let drawn = |history_end| -> Vec<u32> {
        let draw = |row| sampler.draw(DrawKey { row, ..KEY }, &excluded(&chosen, history_end, 3)).unwrap();
        let mut drawn: Vec<u32> = (0..200).map(draw).collect();
        drawn.sort_unstable();
        drawn.dedup();
        drawn
    };
    assert_eq!(drawn(0), [3, 4, 5]);
    assert_eq!(drawn(3), [3, 4, 5]);
    assert_eq!(drawn(4), [4, 5]);
}

/// Workers that reorder rows: any number of threads, in any order, draws the same.
#[test]
fn trap_10_threads_and_order_do_not_matter() {
    let chosen = one_user(&[3, 5, 8]);
    let rule = rule(Distribution::Popularity(0.75), Exclude::Past);
    let sampler = NegativeSampler::new(&rule, (0..1000).map(|item| item % 17)).unwrap();
    let draw = |draw: u64| {
        let key = DrawKey { row: draw / 50, slot: Slot::History((draw % 50) as u32), ..KEY };
        sampler.draw(key, &excluded(&chosen, 3, 0)).unwrap()
    };
    let expected: Vec<u32> = (0..5000).map(draw).collect();
    let mut backwards: Vec<u32> = (0..5000).rev().map(draw).collect();
    backwards.reverse();
    assert_eq!(backwards, expected);
    for threads in [2, 3, 7] {
        let mut drawn = vec![0; 5000];
        std::thread::scope(|scope| {
            for (chunk, start) in
                drawn.chunks_mut(5000_usize.div_ceil(threads)).zip((0..).step_by(5000_usize.div_ceil(threads)))
            {
                scope.spawn(move || chunk.iter_mut().zip(start..).for_each(|(item, number)| *item = draw(number)));
            }
        });
        assert_eq!(drawn, expected);
    }
}

/// What is known of items comes from training windows: an item that only held-out rows have is never drawn.
#[test]
fn trap_14_items_of_held_out_rows_are_unknown() {
    let nobody = one_user(&[]);
    for distribution in [Distribution::Uniform, Distribution::Popularity(0.0)] {
        let sampler = sampler(distribution, Exclude::Past, &[1, 0, 3]);
        let drawn: Vec<u32> =
            (0..200).map(|row| sampler.draw(DrawKey { row, ..KEY }, &excluded(&nobody, 0, 0)).unwrap()).collect();
        assert!(drawn.contains(&0) && drawn.contains(&2) && !drawn.contains(&1));
    }
}

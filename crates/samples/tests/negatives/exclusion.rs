//! What is never drawn.

use fain_samples::{
    Distribution, Draw, DrawKey, Exclude, Excluded, NegativeRule, NegativeSampler, Part, SamplesError, Slot,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

use crate::{KEY, excluded, one_user, sampler};

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Against the definition: an item with events in the training windows that is neither the positive nor among the
    /// events that the rule names. There is a draw as long as there is such an item.
    #[test]
    fn only_allowed_items_are_drawn(
        counts in vec(0_u32..4, 1..12),
        events in vec(0_u32..12, 0..20),
        history in 0_u32..20,
        window in 0_u32..20,
        positive in option::of(0_u32..12),
        by_window in any::<bool>(),
        popular in any::<bool>(),
    ) {
        let (history_end, window_end) = (history.min(events.len() as u32), window.min(events.len() as u32));
        let exclude = if by_window { Exclude::Window } else { Exclude::Past };
        let distribution = if popular { Distribution::Popularity(0.75) } else { Distribution::Uniform };
        let sampler = sampler(distribution, exclude, &counts);
        let chosen = one_user(&events);
        let excluded = Excluded { positive, ..excluded(&chosen, history_end, window_end) };

        let end = if by_window { history_end.max(window_end) } else { history_end };
        let allowed: Vec<u32> = (0..)
            .zip(&counts)
            .filter(|(item, count)| {
                **count > 0 && positive != Some(*item) && !events[..end as usize].contains(item)
            })
            .map(|(item, _)| item)
            .collect();
        for row in 0..40 {
            let key = DrawKey { row, ..KEY };
            match sampler.draw(key, &excluded) {
                Ok(item) => prop_assert!(allowed.contains(&item), "{} of {:?}", item, allowed),
                Err(none_left) => {
                    prop_assert_eq!(&allowed, &[] as &[u32]);
                    prop_assert_eq!(none_left.key, key);
                }
            }
        }
    }
}

#[test]
fn who_has_chosen_everything_is_an_error_that_says_so() {
    let chosen = one_user(&[0, 2]);
    let key = DrawKey { epoch: 3, part: Part::Validation, row: 41, slot: Slot::Candidate(0) };
    for distribution in [Distribution::Uniform, Distribution::Popularity(1.0)] {
        let sampler = sampler(distribution, Exclude::Past, &[5, 0, 1]);
        let error = sampler.draw(key, &excluded(&chosen, 2, 0)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "validation, row 42: no negative can be drawn: the user has chosen every one of the 2 items with events in \
             the training windows"
        );
        // One item less, and there is one.
        assert_eq!(sampler.draw(key, &excluded(&chosen, 1, 0)), Ok(2));
        let positive = Excluded { positive: Some(2), ..excluded(&chosen, 1, 0) };
        assert_eq!(sampler.draw(key, &positive).unwrap_err().key, key);
    }
    assert_eq!(
        sampler(Distribution::Uniform, Exclude::Past, &[0]).draw(KEY, &excluded(&chosen, 0, 0)).unwrap_err().items,
        0
    );
}

#[test]
fn an_exponent_is_a_number_from_0_on() {
    for (exponent, found) in [(-0.5, "-0.5"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let rule = NegativeRule {
            distribution: Distribution::Popularity(exponent),
            exclude: Exclude::Past,
            draw: Draw::Fixed,
            seed: 1,
        };
        let error = NegativeSampler::new(&rule, [1, 2]).unwrap_err();
        assert!(matches!(error, SamplesError::Layout { .. }));
        assert!(error.to_string().contains(found), "{error}");
    }
    // A power that leaves nothing of the other items' weights leaves them possible.
    let sampler = sampler(Distribution::Popularity(5000.0), Exclude::Past, &[9, 1, 1_000_000]);
    let chosen = one_user(&[2, 0]);
    let drawn: Vec<u32> =
        (0..64).map(|row| sampler.draw(DrawKey { row, ..KEY }, &excluded(&chosen, 1, 0)).unwrap()).collect();
    assert!(drawn.contains(&0) && drawn.contains(&1) && !drawn.contains(&2), "{drawn:?}");
    assert_eq!(sampler.draw(KEY, &excluded(&chosen, 2, 0)), Ok(1));
}

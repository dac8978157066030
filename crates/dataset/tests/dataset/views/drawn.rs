//! Negatives, which are drawn as rows are put together.

use fain_dataset::{BatchPlan, Batches, Order, Split, Tail};
use fain_features::{Column, Samples, Schema};
use fain_samples::Draw;

use super::{column, dataset, every_row, large, schema};
use crate::star::Star;

fn without_own_genres(star: &Star) -> Schema {
    let mut config = schema(star, "userId").config().clone();
    config.features.shift_remove("negative_genres");
    config.check().unwrap()
}

#[test]
fn draws_of_an_epoch_are_its_own() {
    for (draw, changes) in [(Draw::Fixed, false), (Draw::Epoch, true)] {
        let star = large(draw);
        let (_folder, dataset) = dataset(&star, &without_own_genres(&star));
        let dataset = dataset.unwrap();
        let draws = |split: &Split, epoch: u64| {
            let mut samples = Samples::default();
            split.gather_epoch(&(0..split.rows()).collect::<Vec<u64>>(), epoch, &mut samples).unwrap();
            (column(split, &samples, "item").clone(), column(split, &samples, "negatives").clone())
        };
        let train = dataset.train();
        let (first, second) = (draws(train, 0), draws(train, 1));
        assert_eq!((first.0 != second.0, first.1 != second.1), (changes, changes));
        assert_eq!(second, draws(train, 1));
        for measured in [dataset.validation(), dataset.test().unwrap()] {
            assert_eq!(draws(measured, 0), draws(measured, 1));
        }
        // Batches have the draws of their plan's epoch.
        let of_batches = |order| {
            let plan = BatchPlan { batch_size: 10_000, order, tail: Tail::Keep, start: 0, prefetch: 1 };
            let mut batches = Batches::new(train, plan).unwrap();
            let batch = batches.next().unwrap().unwrap();
            let Column::Category(ids) = column(train, &batch, "item") else { panic!("{batch:?}") };
            let mut ids = ids.clone();
            ids.sort_unstable();
            ids
        };
        let sorted = |draws: &(Column, Column)| {
            let Column::Category(ids) = &draws.0 else { panic!("{draws:?}") };
            let mut ids = ids.clone();
            ids.sort_unstable();
            ids
        };
        assert_eq!(of_batches(Order::Sequential), sorted(&first));
        assert_eq!(of_batches(Order::Shuffled { seed: 1, epoch: 1 }), sorted(&second));
    }
}

#[test]
fn candidates_follow_their_positive_and_share_all_but_the_item() {
    let star = large(Draw::Fixed);
    let (_folder, dataset) = dataset(&star, &schema(&star, "userId"));
    let dataset = dataset.unwrap();
    let train = dataset.train();
    let samples = every_row(train);
    assert_eq!(train.rows(), 3 * star.rows.train.labels.len() as u64);
    assert_eq!(train.positives(), star.rows.train.labels.len() as u64);
    let labels = samples.labels.as_ref().unwrap();
    let Column::Category(items) = column(train, &samples, "item") else { panic!() };
    let Column::Sequence(past) = column(train, &samples, "past") else { panic!() };
    for stored in 0..samples.rows / 3 {
        let rows = [3 * stored, 3 * stored + 1, 3 * stored + 2];
        assert_eq!(rows.map(|row| labels[row].to_bits()), [1.0_f32, 0.0, 0.0].map(f32::to_bits));
        assert_ne!(items[rows[0]], items[rows[1]]);
        assert_ne!(items[rows[0]], items[rows[2]]);
        assert_eq!(past.get(rows[0]), past.get(rows[1]));
        // What the user has chosen is no negative.
        assert!(!past.get(rows[0]).unwrap().contains(&items[rows[1]]));
    }
}

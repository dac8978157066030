//! Every row of a split once, in an order that only the plan decides.

use std::sync::OnceLock;

use fain_dataset::{BatchPlan, Batches, Dataset, DatasetError, ErrorKind, Order, Split, Tail};
use fain_features::{Column, Samples};
use proptest::prelude::*;

use crate::support::{Place, Row, all, prepare, rows, split_up};

/// 257 training rows: a prime, so that most batch sizes leave a tail, and 256 leaves a single row.
fn dataset() -> &'static (Place, Dataset) {
    static DATASET: OnceLock<(Place, Dataset)> = OnceLock::new();
    DATASET.get_or_init(|| {
        let place = Place::new();
        place.write("train.csv", &rows(0, 257));
        place.write("held.csv", &rows(0, 1));
        let dataset = prepare(&place.config("train = 'train.csv'\nvalidation.file = 'held.csv'")).unwrap();
        (place, dataset)
    })
}

fn train() -> &'static Split {
    dataset().1.train()
}

fn plan(batch_size: usize, order: Order) -> BatchPlan {
    BatchPlan { batch_size, order, tail: Tail::Keep, start: 0, prefetch: 2 }
}

fn batches(plan: BatchPlan) -> Vec<Samples> {
    Batches::new(train(), plan).unwrap().collect::<Result<_, _>>().unwrap()
}

fn numbers(batches: &[Samples]) -> Vec<usize> {
    batches.iter().flat_map(split_up).map(|row| row.number()).collect()
}

fn orders() -> impl Strategy<Value = Order> {
    let shuffled = (any::<u64>(), 0..5_u64).prop_map(|(seed, epoch)| Order::Shuffled { seed, epoch });
    prop_oneof![Just(Order::Sequential), shuffled]
}

fn plans() -> impl Strategy<Value = BatchPlan> {
    let tail = prop_oneof![Just(Tail::Keep), Just(Tail::MergeSingle)];
    let size = prop_oneof![4 => 1..300_usize, 1 => Just(256_usize), 1 => Just(usize::MAX)];
    (size, orders(), tail, 1..5_usize).prop_map(|(batch_size, order, tail, prefetch)| BatchPlan {
        batch_size,
        order,
        tail,
        start: 0,
        prefetch,
    })
}

proptest! {
    #[test]
    fn every_row_comes_once(plan in plans()) {
        let batches = batches(plan);
        let whole: Vec<Row> = all(train());
        let mut seen: Vec<Row> = batches.iter().flat_map(split_up).collect();
        if plan.order == Order::Sequential {
            prop_assert_eq!(&seen, &whole);
        }
        seen.sort_by_key(Row::number);
        prop_assert_eq!(seen, whole);
        let full = batches.iter().rev().skip(1).all(|batch| batch.rows == plan.batch_size);
        prop_assert!(full);
        if plan.tail == Tail::MergeSingle && plan.batch_size > 1 {
            prop_assert!(batches.last().is_some_and(|batch| batch.rows > 1));
        }
        prop_assert_eq!(Batches::new(train(), plan).unwrap().total(), batches.len() as u64);
    }

    #[test]
    fn prefetch_changes_nothing(plan in plans(), prefetch in 1..100_usize) {
        prop_assert_eq!(batches(plan), batches(BatchPlan { prefetch, ..plan }));
    }

    #[test]
    fn an_epoch_goes_on_where_it_stopped(plan in plans(), at in any::<prop::sample::Index>()) {
        let whole = batches(plan);
        let start = at.index(whole.len() + 1);
        let rest = BatchPlan { start: start as u64, ..plan };
        prop_assert_eq!(&batches(rest), &whole[start..]);
        prop_assert_eq!(Batches::new(train(), rest).unwrap().total(), whole.len() as u64);
    }

    #[test]
    fn recycling_changes_nothing(plan in plans()) {
        let mut recycled = Vec::new();
        let mut batches_ = Batches::new(train(), plan).unwrap();
        while let Some(batch) = batches_.next() {
            let batch = batch.unwrap();
            recycled.push(batch.clone());
            batches_.recycle(batch);
        }
        prop_assert_eq!(recycled, batches(plan));
    }
}

#[test]
fn epochs_and_seeds_have_orders_of_their_own() {
    let order = |seed, epoch| numbers(&batches(plan(32, Order::Shuffled { seed, epoch })));
    assert_eq!(order(1, 0), order(1, 0));
    assert_ne!(order(1, 0), order(1, 1));
    assert_ne!(order(1, 0), order(2, 0));
    assert_ne!(order(1, 0), numbers(&batches(plan(32, Order::Sequential))));
}

#[test]
fn the_order_does_not_depend_on_the_batch_size() {
    let order = Order::Shuffled { seed: 5, epoch: 2 };
    assert_eq!(numbers(&batches(plan(10, order))), numbers(&batches(plan(64, order))));
}

#[test]
fn batches_are_prepared_ahead_by_another_thread() {
    let here = std::thread::current().id();
    let prepare = move |samples: Samples| {
        assert_ne!(std::thread::current().id(), here);
        Ok::<_, DatasetError>((samples.rows, samples))
    };
    let mut prepared = Batches::prepared(train(), plan(32, Order::Sequential), prepare).unwrap();
    let mut found = Vec::new();
    while let Some(batch) = prepared.next() {
        let (rows, samples) = batch.unwrap();
        assert_eq!(rows, samples.rows);
        found.push(samples.clone());
        prepared.recycle(samples);
    }
    assert_eq!(found, batches(plan(32, Order::Sequential)));
}

#[test]
fn an_error_of_the_preparation_is_the_last_item() {
    #[derive(Debug, PartialEq)]
    struct Refused(String);
    impl From<DatasetError> for Refused {
        fn from(error: DatasetError) -> Self {
            Self(error.to_string())
        }
    }
    let mut count = 0;
    let prepare = move |samples: Samples| {
        count += 1;
        if count == 2 { Err(Refused("the second".to_owned())) } else { Ok(samples.rows) }
    };
    let batches = Batches::prepared(train(), plan(32, Order::Sequential), prepare).unwrap();
    assert_eq!(batches.collect::<Vec<_>>(), [Ok(32), Err(Refused("the second".to_owned()))]);
}

#[test]
fn dropping_halfway_is_harmless() {
    for taken in 0..5 {
        let mut batches = Batches::new(train(), plan(4, Order::Sequential)).unwrap();
        let rows: usize = batches.by_ref().take(taken).map(|batch| batch.unwrap().rows).sum();
        assert_eq!(rows, 4 * taken);
    }
}

#[test]
fn splits_are_shared_between_threads_and_say_little() {
    fn shared<T: Clone + Send + Sync>(_: &T) {}
    shared(train());
    assert_eq!(format!("{:?}", train()), "Split { rows: 257, positives: 86, .. }");
}

#[test]
fn plans_are_checked() {
    let refusal = |plan| match Batches::new(train(), plan) {
        Ok(_) => panic!("accepted: {plan:?}"),
        Err(error) => (error.to_string(), error.kind()),
    };
    let sequential = plan(100, Order::Sequential);
    let cases = [
        (BatchPlan { batch_size: 0, ..sequential }, "batch_size = 0: must be 1 or more"),
        (BatchPlan { prefetch: 0, ..sequential }, "prefetch = 0: must be 1 or more"),
        (BatchPlan { start: 4, ..sequential }, "start = 4: must be at most 3, the number of batches"),
    ];
    for (plan, message) in cases {
        assert_eq!(refusal(plan), (message.to_owned(), ErrorKind::Config));
    }
}

#[test]
fn rows_are_gathered_in_any_order_and_more_than_once() {
    let mut samples = Samples::default();
    train().gather(&[256, 3, 3, 0], &mut samples).unwrap();
    assert_eq!(numbers(std::slice::from_ref(&samples)), [256, 3, 3, 0]);
    train().gather(&[], &mut samples).unwrap();
    assert_eq!(samples.rows, 0);
    assert_eq!(split_up(&samples), []);
}

#[test]
fn rows_that_do_not_exist_change_nothing() {
    let mut samples = Samples::default();
    train().gather(&[1, 2], &mut samples).unwrap();
    let before = samples.clone();
    let error = train().gather(&[0, 257], &mut samples).unwrap_err();
    assert_eq!(error.to_string(), "row 257 of a split of 257 rows");
    assert!(matches!(error, DatasetError::RowOutOfRange { row: 257, rows: 257 }));
    assert_eq!(samples, before);
}

#[test]
fn memory_is_used_again_and_other_shapes_are_replaced() {
    let mut samples =
        Samples { columns: vec![Column::Numeric(vec![1.0]), Column::Numeric(vec![2.0])], ..Samples::default() };
    train().gather(&[7, 8, 9], &mut samples).unwrap();
    assert_eq!(numbers(std::slice::from_ref(&samples)), [7, 8, 9]);
    let address = |samples: &Samples| match &samples.columns[0] {
        Column::Category(ids) => ids.as_ptr(),
        other => panic!("{other:?}"),
    };
    let before = address(&samples);
    train().gather(&[1, 2], &mut samples).unwrap();
    assert_eq!(address(&samples), before);
    assert_eq!(numbers(std::slice::from_ref(&samples)), [1, 2]);
}

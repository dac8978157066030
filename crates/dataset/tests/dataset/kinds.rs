//! Times, weights and intervals on disk and back.

use std::ops::ControlFlow;

use fain_dataset::Dataset;
use fain_features::{Column, Samples, Schema, SchemaConfig, Sequences, Times};

use crate::support::Place;

fn schema() -> Schema {
    let config: SchemaConfig = toml::from_str(
        r#"
        label = "click"
        time = "at"
        features.item = { kind = "category" }
        features.basket = { kind = "sequence", max_length = 3, vocabulary = "item", weight_separator = ":" }
        features.when = { kind = "times", max_length = 2 }
        features.age = { kind = "bucket", boundaries = [18] }
        "#,
    )
    .unwrap();
    config.check().unwrap()
}

#[test]
fn times_weights_and_intervals_come_back() {
    let place = Place::new();
    let header = "click,at,item,basket,when,age\n";
    place.write("train.csv", &format!("{header}1,7,a,b:0.5|a,1|2|3,17\n0,-9,b,,,\n"));
    place.write("validation.csv", &format!("{header}0,5,b,a:2,4,18\n1,6,a,c|b:0,,80\n"));
    let config = place.config("train = 'train.csv'\nvalidation.file = 'validation.csv'");
    let dataset = Dataset::prepare(&config, &schema(), &mut |_| ControlFlow::Continue(())).unwrap();

    let mut samples = Samples::default();
    dataset.train().gather(&[1, 0, 0], &mut samples).unwrap();
    assert_eq!(samples.times, Some(vec![-9, 7, 7]));
    let basket =
        Sequences { values: vec![2, 1, 2, 1], offsets: vec![0, 0, 2, 4], weights: Some(vec![0.5, 1.0, 0.5, 1.0]) };
    assert_eq!(samples.columns[1], Column::Sequence(basket));
    assert_eq!(samples.columns[2], Column::Times(Times { values: vec![2, 3, 2, 3], offsets: vec![0, 0, 2, 4] }));
    assert_eq!(samples.columns[3], Column::Category(vec![0, 1, 1]));

    // The same memory, for rows of another split.
    dataset.validation().gather(&[0, 1], &mut samples).unwrap();
    assert_eq!(samples.times, Some(vec![5, 6]));
    let basket = Sequences { values: vec![1, 0, 2], offsets: vec![0, 1, 3], weights: Some(vec![2.0, 1.0, 0.0]) };
    assert_eq!(samples.columns[1], Column::Sequence(basket));
    assert_eq!(samples.columns[2], Column::Times(Times { values: vec![4], offsets: vec![0, 1, 1] }));
    assert_eq!(samples.columns[3], Column::Category(vec![2, 2]));
}

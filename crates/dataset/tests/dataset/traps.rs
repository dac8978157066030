//! Traps that other programs fell into.

use std::collections::HashSet;
use std::fmt::Write;
use std::ops::ControlFlow;

use fain_dataset::{Dataset, Split};
use fain_features::{Column, Samples, SchemaConfig, Times};

use crate::support::Place;

fn prepare(place: &Place, schema: &str) -> Dataset {
    let schema: SchemaConfig = toml::from_str(schema).unwrap();
    let config = place.config("train = 'train.csv'\nvalidation.file = 'validation.csv'");
    Dataset::prepare(&config, &schema.check().unwrap(), &mut |_| ControlFlow::Continue(())).unwrap()
}

fn every_row(split: &Split) -> Samples {
    let mut samples = Samples::default();
    split.gather(&(0..split.rows()).collect::<Vec<u64>>(), &mut samples).unwrap();
    samples
}

/// Ids as float32 collide above 16,777,216: ids, in rows and in lists, stay 32-bit integers from the file to the batch.
#[test]
fn trap_04_large_ids_do_not_collide() {
    const TERMS: usize = 20_000;
    let place = Place::new();
    let mut text = "label,item,history\n".to_owned();
    for row in 0..TERMS {
        writeln!(text, "{},item {row},item {row}|item {}", row % 2, (row + 1) % TERMS).unwrap();
    }
    place.write("train.csv", &text);
    place.write("validation.csv", &text);
    let schema = "label = 'label'\n[features]\nitem = { kind = 'category', buckets = 2_000_000_000 }\n\
        history = { kind = 'sequence', max_length = 2, vocabulary = 'item' }";
    let rows = every_row(prepare(&place, schema).train());
    let (Column::Category(ids), Column::Sequence(lists)) = (&rows.columns[0], &rows.columns[1]) else {
        panic!("{rows:?}")
    };
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), TERMS);
    let floats: HashSet<u32> = ids.iter().map(|id| (*id as f32).to_bits()).collect();
    assert!(floats.len() < TERMS, "the ids are too few to show the trap");
    for row in 0..TERMS {
        assert_eq!(lists.get(row).unwrap(), [ids[row], ids[(row + 1) % TERMS]]);
    }
}

/// The same of 64-bit times, which float64 cannot hold above 2⁵³.
#[test]
fn trap_04_times_are_integers() {
    let place = Place::new();
    let times: [i64; 4] = [16_777_217, 9_007_199_254_740_993, -9_007_199_254_740_993, 1_700_000_001];
    let mut text = "label,at,when\n0,1,\n".to_owned();
    for time in times {
        writeln!(text, "{},{time},{time}|{}", time & 1, time - 1).unwrap();
    }
    place.write("train.csv", &text);
    place.write("validation.csv", &text);
    let schema = "label = 'label'\ntime = 'at'\nfeatures.when = { kind = 'times', max_length = 2 }";
    let samples = every_row(prepare(&place, schema).train());
    assert_eq!(samples.times.unwrap()[1..], times);
    let values = times.iter().flat_map(|time| [*time, time - 1]).collect();
    assert_eq!(samples.columns[0], Column::Times(Times { values, offsets: vec![0, 0, 2, 4, 6, 8] }));
}

/// A vocabulary fitted on held-out rows knows too much: what only they have is unknown, and changes nothing.
#[test]
fn trap_14_held_out_rows_add_nothing_to_a_vocabulary() {
    let schema = "label = 'label'\n[features]\nitem = { kind = 'category' }\nprice = { kind = 'numeric' }\n\
        history = { kind = 'sequence', max_length = 3, vocabulary = 'item' }";
    let train = "label,item,price,history\n1,hat,1,coat\n0,coat,3,hat|hat\n1,hat,2,\n";
    let of = |held_out: &str| {
        let place = Place::new();
        place.write("train.csv", train);
        place.write("validation.csv", &format!("label,item,price,history\n{held_out}"));
        let dataset = prepare(&place, schema);
        (dataset.encoders().to_json().unwrap(), every_row(dataset.validation()))
    };
    let (encoders, known) = of("1,hat,2,coat\n0,coat,2,\n");
    let (others, unknown) = of("1,scarf,900,scarf|hat|glove\n0,hat,2,shoe\n");
    assert_eq!(encoders, others);
    let (Column::Category(known), Column::Category(ids)) = (&known.columns[0], &unknown.columns[0]) else { panic!() };
    let hat = known[0];
    assert!(hat > 0);
    assert_eq!(*ids, [0, hat]);
    let Column::Sequence(lists) = &unknown.columns[2] else { panic!() };
    assert_eq!((lists.get(0).unwrap(), lists.get(1).unwrap()), (&[0, hat, 0][..], &[0][..]));
}

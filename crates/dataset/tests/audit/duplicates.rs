//! Rows that are the same.

use crate::shop::{
    Fault, Kind, Note, Numbers, Row, SCHEMA, Shop, Test, Train, Validation, Warning, flipped, only, short,
};

#[test]
fn test_rows_in_training_are_a_fault() {
    let mut shop = Shop::clean();
    shop.train.splice(5..5, shop.test[100..150].to_vec());
    // Times would give the copies away, too; here the rows have none.
    let audit = shop.audit_with(&SCHEMA.replace("time = \"time\"\n", ""), "");
    assert_eq!(short(&audit), [(Fault, Kind::DuplicatesAcrossSplits, vec![], vec![Train, Test])], "{audit}");
    let finding = &audit.findings[0];
    assert_eq!((finding.count, finding.share), (50, 50.0 / 600.0));
    let example = finding.example.as_ref().unwrap();
    assert_eq!((example.split, example.row, example.origin.as_deref()), (Test, 100, Some("test.csv, row 101")));
    assert!(finding.message.contains("Rows stand in train as well"), "{}", finding.message);
    assert!(finding.message.ends_with("Rows, in test: 50 of 600 (8.33 %)."), "{}", finding.message);
}

#[test]
fn a_handful_of_copies_is_no_fault() {
    let mut shop = Shop::clean();
    shop.train.splice(.., [shop.train.clone(), shop.validation[..2].to_vec()].concat());
    let schema = SCHEMA.replace("time = \"time\"\n", "");
    let found = [(Warning, Kind::DuplicatesAcrossSplits, vec![], vec![Train, Validation])];
    assert_eq!(short(&shop.audit_with(&schema, "")), found);
    let audit = shop.audit_with(&schema, "duplicates_warning = 0.004");
    assert_eq!(short(&audit), [(Note, Kind::DuplicatesAcrossSplits, vec![], vec![Train, Validation])]);
}

#[test]
fn the_same_row_with_the_other_label_is_told_apart() {
    let mut shop = Shop::clean();
    shop.train.extend(flipped(&shop.validation[..30]));
    let audit = shop.audit();
    assert_eq!(
        short(&audit),
        [(Warning, Kind::ContradictionsAcrossSplits, vec![], vec![Train, Validation])],
        "{audit}"
    );
    assert_eq!(audit.findings[0].count, 30);
}

#[test]
fn rows_repeated_within_a_split_are_a_note() {
    let mut shop = Shop::clean();
    let copies = [&shop.train[..20], &shop.train[..20]].concat();
    shop.train.extend(copies);
    shop.test.extend(flipped(&shop.test[..7]));
    let audit = shop.audit();
    let found = [
        (Note, Kind::DuplicatesWithinSplit, vec![], vec![Train]),
        (Note, Kind::ContradictionsWithinSplit, vec![], vec![Test]),
    ];
    assert_eq!(short(&audit), found, "{audit}");
    assert_eq!(audit.findings.iter().map(|finding| finding.count).collect::<Vec<_>>(), [40, 14]);
    assert_eq!(audit.findings[0].example.as_ref().unwrap().row, 2000);
}

#[test]
fn validation_equal_to_test_is_a_fault_in_any_order() {
    let mut shop = Shop::clean();
    shop.validation = shop.test.iter().rev().cloned().collect();
    let audit = shop.audit();
    assert_eq!(short(&audit), [(Fault, Kind::ValidationEqualsTest, vec![], vec![Validation, Test])], "{audit}");
    // Rows with unknown terms count here: equal files have equal unknown terms.
    shop.validation.iter_mut().chain(&mut shop.test).for_each(|row| row.colour = "new".to_owned());
    let audit = shop.audit();
    assert_eq!(only(&audit, Kind::ValidationEqualsTest).severity, Fault);
    // One row less, and they are duplicates.
    shop.validation.pop();
    let audit = shop.audit_with(&SCHEMA.replace("features.colour = { kind = \"category\" }\n", ""), "");
    assert_eq!(short(&audit), [(Fault, Kind::DuplicatesAcrossSplits, vec![], vec![Validation, Test])], "{audit}");
    assert_eq!(audit.findings[0].count, 599);
}

#[test]
fn rows_that_only_look_alike_are_not_accused() {
    let mut shop = Shop::clean();
    // Two hundred different new items on otherwise equal rows, which the encoders cannot tell apart.
    let row = shop.test[0].clone();
    for new in 0..200 {
        shop.test.push(Row { item: 10_000 + new, label: u8::from(new % 5 < 2), ..row.clone() });
    }
    let audit = shop.audit();
    assert_eq!(short(&audit), [(Warning, Kind::UnknownTerms, vec!["item"], vec![Test])], "{audit}");
    assert_eq!(audit.splits[2].compared, 600);
}

#[test]
fn rows_of_different_users_and_times_are_different() {
    let mut shop = Shop::clean();
    let mut copies = shop.test[..50].to_vec();
    for row in &mut copies {
        row.time -= 1_000_000;
        row.times.iter_mut().for_each(|time| *time -= 1_000_000);
    }
    shop.train.extend(copies);
    let without_times = SCHEMA.replace("features.times = { kind = \"times\", max_length = 8 }\n", "");
    let audit = shop.audit_with(&without_times, "");
    assert_eq!(audit.findings, [], "{audit}");
}

#[test]
fn a_sample_of_the_rows_shows_the_share() {
    let mut shop = Shop::clean();
    let mut numbers = Numbers(3);
    let copies: Vec<_> = shop.test.iter().filter(|_| numbers.below(2) == 0).cloned().collect();
    let share = copies.len() as f64 / 600.0;
    shop.train.splice(0..0, copies);
    let audit = shop.audit_with(&SCHEMA.replace("time = \"time\"\n", ""), "most_compared = 700");
    assert_eq!(short(&audit), [(Fault, Kind::DuplicatesAcrossSplits, vec![], vec![Train, Test])], "{audit}");
    let finding = &audit.findings[0];
    assert!(finding.count < 200, "{}", finding.count);
    assert!((finding.share - share).abs() < 0.12, "{} of {share}", finding.share);
    assert!(finding.message.ends_with("on one row in 4 drawn by hash."), "{}", finding.message);
    assert!(audit.splits.iter().all(|split| split.compared < 700));
}

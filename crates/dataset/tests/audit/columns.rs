//! Columns that know too much, or nothing.

use crate::shop::{Fault, Kind, Note, Numbers, SCHEMA, Shop, Test, Train, Validation, Warning, only, short};

#[test]
fn a_number_that_knows_the_label_is_a_fault() {
    let mut shop = Shop::clean();
    shop.each(|row| row.price += i32::from(row.label) * 900_000);
    let audit = shop.audit();
    let all = vec![Train, Validation, Test];
    assert_eq!(short(&audit), [(Fault, Kind::LabelLeakage, vec!["price"], all.clone())], "{audit}");
    assert!(audit.findings[0].auc.unwrap() > 0.98);
    // Backwards is as bad.
    shop.each(|row| row.price = -row.price);
    let backwards = shop.audit();
    assert_eq!(short(&backwards), [(Fault, Kind::LabelLeakage, vec!["price"], all)]);
    assert_eq!(backwards.findings[0].auc, audit.findings[0].auc);
}

#[test]
fn the_auc_is_that_of_the_column() {
    let mut shop = Shop::clean();
    shop.test.iter_mut().for_each(|row| row.price += i32::from(row.label) * 550_000);
    let audit = shop.audit();
    assert_eq!(short(&audit), [(Warning, Kind::LabelLeakage, vec!["price"], vec![Test])], "{audit}");
    let scores: Vec<f64> = shop.test.iter().map(|row| f64::from(row.price as f32)).collect();
    let labels: Vec<f32> = shop.test.iter().map(|row| f32::from(row.label)).collect();
    assert_eq!(audit.findings[0].auc, fain_metrics::auc(&scores, &labels).unwrap());
}

#[test]
fn a_category_that_knows_the_label_is_found_where_it_was_not_fitted() {
    let mut shop = Shop::clean();
    let mut numbers = Numbers(9);
    shop.each(|row| row.colour = format!("{}{}", ["no", "yes"][usize::from(row.label)], numbers.below(5)));
    let audit = shop.audit();
    assert_eq!(short(&audit), [(Fault, Kind::LabelLeakage, vec!["colour"], vec![Validation, Test])], "{audit}");
    assert_eq!(audit.findings[0].auc, Some(1.0));
}

#[test]
fn a_list_whose_length_knows_the_label_is_found() {
    let mut shop = Shop::clean();
    shop.validation.iter_mut().for_each(|row| {
        row.negatives.resize(if row.label == 1 { 5 } else { 6 }, 0);
        row.negatives.retain(|item| *item != row.item && !row.history.contains(item));
    });
    let audit = shop.audit();
    assert_eq!(only(&audit, Kind::LabelLeakage).features, ["negatives"]);
    assert_eq!(only(&audit, Kind::LabelLeakage).splits, [Validation]);
}

#[test]
fn the_share_of_the_candidate_in_its_history_is_a_column_too() {
    let mut shop = Shop::clean();
    // The candidate is in every history, so that its presence says nothing; of the positives it is all of it.
    shop.each(|row| {
        row.history = if row.label == 1 { vec![row.item; 2] } else { vec![row.item, row.negatives[0]] };
        row.negatives.remove(0);
        row.times = vec![row.time - 2, row.time - 1];
    });
    let audit = shop.audit_with(SCHEMA, "newest_warning = 1.0\nnewest_fault = 1.0");
    let all = vec![Train, Validation, Test];
    let found = [
        (Fault, Kind::LabelLeakage, vec!["item", "history"], all.clone()),
        (Note, Kind::RepeatedCandidate, vec!["item", "history"], all),
    ];
    assert_eq!(short(&audit), found, "{audit}");
}

#[test]
fn constant_columns_are_warnings() {
    let mut shop = Shop::clean();
    shop.each(|row| {
        row.price = 5;
        row.colour = "red".to_owned();
        row.negatives = vec![999];
        row.history.clear();
        row.times.clear();
    });
    let audit = shop.audit();
    let found = [
        (Warning, Kind::ConstantFeature, vec!["colour"], vec![Train]),
        (Warning, Kind::ConstantFeature, vec!["negatives"], vec![Train]),
        (Warning, Kind::ConstantFeature, vec!["price"], vec![Train]),
        (Warning, Kind::EmptySequence, vec!["history"], vec![Train]),
        (Warning, Kind::EmptySequence, vec!["times"], vec![Train]),
    ];
    assert_eq!(short(&audit), found, "{audit}");
}

#[test]
fn a_column_that_is_constant_only_in_the_test_is_a_warning() {
    let mut shop = Shop::clean();
    shop.test.iter_mut().for_each(|row| {
        row.price = 5;
        row.history.clear();
        row.times.clear();
    });
    let audit = shop.audit();
    let found = [
        (Warning, Kind::ConstantFeature, vec!["price"], vec![Test]),
        (Warning, Kind::EmptySequence, vec!["history"], vec![Test]),
        (Warning, Kind::EmptySequence, vec!["times"], vec![Test]),
    ];
    assert_eq!(short(&audit), found, "{audit}");
    assert!(audit.findings[0].message.contains("in training it has others"), "{audit}");
}

#[test]
fn a_column_that_hardly_varies_is_not_accused_of_being_constant() {
    let mut shop = Shop::clean();
    shop.each(|row| row.colour = "red".to_owned());
    shop.train[..20].iter_mut().for_each(|row| row.colour = "green".to_owned());
    shop.validation.truncate(400);
    shop.test.truncate(400);
    assert_eq!(shop.audit().findings, []);
}

#[test]
fn terms_that_training_does_not_teach_are_found() {
    let mut shop = Shop::clean();
    // The test file writes a third of its items otherwise, and one in ten of the validation file is new.
    shop.test.iter_mut().step_by(3).for_each(|row| row.item += 10_000);
    shop.validation.iter_mut().step_by(10).for_each(|row| row.item += 10_000);
    let audit = shop.audit();
    let found = [(Warning, Kind::UnknownTerms, vec!["item"], vec![Validation, Test])];
    assert_eq!(short(&audit), found, "{audit}");
    assert_eq!((audit.findings[0].count, audit.findings[0].share), (260, 260.0 / 1200.0));
    let shares: Vec<_> = audit.splits.iter().map(|split| Some(split.unknown[1].share)).collect();
    assert_eq!(shares, [Some(0.0), Some(0.1), Some(1.0 / 3.0)]);
}

#[test]
fn missing_terms_as_in_training_are_not_accused() {
    let mut shop = Shop::clean();
    shop.each(|row| {
        if row.price % 3 == 0 {
            row.colour.clear();
        }
    });
    let audit = shop.audit();
    assert_eq!(audit.findings, [], "{audit}");
    assert!(audit.splits.iter().all(|split| (split.unknown[4].share - 1.0 / 3.0).abs() < 0.06), "{audit}");
}

#[test]
fn a_vocabulary_of_rare_terms_is_a_note() {
    let mut shop = Shop::clean();
    let mut next = 0;
    shop.train.iter_mut().for_each(|row| {
        next += 1;
        row.colour = format!("c{}", if next % 2 == 0 { 0 } else { next });
    });
    shop.validation.iter_mut().chain(&mut shop.test).for_each(|row| row.colour = "c0".to_owned());
    let audit = shop.audit_with(SCHEMA, "unknown_note = 1.0\nunknown_warning = 1.0");
    let rare = only(&audit, Kind::RareTerms);
    assert_eq!((rare.severity, rare.features.as_slice()), (Note, &["colour".to_owned()][..]));
    assert_eq!((rare.count, rare.share), (1000, 1000.0 / 1001.0));
}

//! Classes and groups of the splits.

use crate::shop::{Fault, Kind, Note, SCHEMA, Shop, Test, Train, Validation, Warning, only, short};

#[test]
fn classes_in_other_shares_are_found() {
    let mut shop = Shop::clean();
    let mut kept = 0;
    shop.test.retain(|row| {
        kept += usize::from(row.label == 1);
        row.label == 0 || kept % 4 == 0
    });
    let audit = shop.audit();
    assert_eq!(short(&audit), [(Warning, Kind::ClassBalance, vec![], vec![Test])], "{audit}");
    assert_eq!(audit.findings[0].count, audit.splits[2].positives);
    let audit = shop.audit_with(SCHEMA, "balance_warning = 10");
    assert_eq!(short(&audit), [(Note, Kind::ClassBalance, vec![], vec![Test])]);
}

#[test]
fn one_class_is_a_fault_and_few_rows_are_a_note() {
    let mut shop = Shop::clean();
    shop.validation.retain(|row| row.label == 0);
    shop.test.truncate(40);
    let audit = shop.audit();
    let found = [(Fault, Kind::OneClass, vec![], vec![Validation]), (Note, Kind::TooFewRows, vec![], vec![Test])];
    assert_eq!(short(&audit), found, "{audit}");
    assert!(audit.findings[0].message.ends_with("validation: 340 rows, all 0."), "{}", audit.findings[0].message);
    assert_eq!(audit.findings[1].count, audit.splits[2].positives);
}

#[test]
fn a_split_of_one_row_is_accused_of_nothing_but_its_one_class() {
    let mut shop = Shop::clean();
    shop.test.truncate(1);
    shop.test[0].history.clear();
    shop.test[0].times.clear();
    let audit = shop.audit();
    assert_eq!(short(&audit), [(Fault, Kind::OneClass, vec![], vec![Test])], "{audit}");
    assert!(audit.splits[2].unknown.iter().all(|unknown| unknown.share == 0.0), "{audit}");
}

#[test]
fn users_that_training_does_not_have_are_told() {
    let mut shop = Shop::clean();
    let mut known = 0;
    shop.test.iter_mut().for_each(|row| {
        known += 1;
        if known % 5 == 0 {
            row.user = format!("new{}", known % 3);
        }
    });
    let audit = shop.audit();
    let found = [(Note, Kind::UnknownTerms, vec!["user"], vec![Test]), (Note, Kind::UnseenGroups, vec![], vec![Test])];
    assert_eq!(short(&audit_with_room(&shop)), found);
    let unseen = only(&audit, Kind::UnseenGroups);
    assert_eq!((unseen.count, unseen.share), (120, 0.2));
    assert_eq!(unseen.example.as_ref().unwrap().row, 4);
    assert!(unseen.message.ends_with("test: 120 of 600 (20.00 %), of 3 groups."), "{}", unseen.message);
    assert_eq!(audit.splits[2].unseen_groups, Some(0.2));
    assert_eq!(audit.splits[2].groups, Some(43));
    assert_eq!(audit.splits[0].split, Train);
}

fn audit_with_room(shop: &Shop) -> fain_dataset::Audit {
    shop.audit_with(SCHEMA, "unknown_warning = 0.5")
}

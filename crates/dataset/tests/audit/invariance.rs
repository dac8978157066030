//! The order of the rows changes no finding.

use fain_dataset::{Audit, Finding};
use proptest::prelude::*;

use crate::shop::{Numbers, SCHEMA, Shop, flipped};

/// Some of every kind that does not need a dataset of its own.
fn faulty() -> Shop {
    let mut shop = Shop::clean();
    shop.train.truncate(700);
    shop.validation.truncate(200);
    shop.test.truncate(200);
    shop.train.extend(shop.test[..40].to_vec());
    shop.train.extend(shop.train[..30].to_vec());
    shop.train.extend(flipped(&shop.validation[..20]));
    for (number, row) in shop.train.iter_mut().enumerate() {
        if number % 9 == 0 && !row.history.is_empty() {
            row.negatives[0] = row.history[0];
        }
        if number % 7 == 0 && row.label == 1 {
            row.history.push(row.item);
            row.times.push(row.time + 3);
        }
        row.price += 500_000 * i32::from(row.label);
    }
    shop.test.iter_mut().step_by(4).for_each(|row| row.item += 5000);
    shop.test.iter_mut().step_by(6).for_each(|row| row.user = "new".into());
    shop
}

/// What was found, without the example, which is the first row that shows it.
fn findings(audit: &Audit) -> Vec<Finding> {
    audit.findings.iter().map(|finding| Finding { example: None, ..finding.clone() }).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_order_of_rows_changes_no_finding(seed in any::<u64>(), few in any::<bool>()) {
        let shop = faulty();
        let mut shuffled = shop.clone();
        let mut numbers = Numbers(seed);
        for rows in shuffled.splits() {
            for last in (1..rows.len()).rev() {
                rows.swap(last, numbers.below(last as u64 + 1) as usize);
            }
        }
        let config = if few { "most_compared = 150" } else { "" };
        let (one, other) = (shop.audit_with(SCHEMA, config), shuffled.audit_with(SCHEMA, config));
        prop_assert!(one.findings.len() >= 8, "{}", one);
        prop_assert_eq!(findings(&one), findings(&other));
        prop_assert_eq!(&one.splits, &other.splits);
    }
}

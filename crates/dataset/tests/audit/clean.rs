//! A dataset without faults.

use fain_dataset::AuditMode;

use crate::shop::{SCHEMA, Shop, Test, Train, Validation};

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    let shop = Shop::clean();
    let audit = shop.audit();
    assert_eq!(audit.findings, [], "{audit}");
    assert!(!audit.forbids(AuditMode::Error));
    let splits: Vec<_> = audit.splits.iter().map(|split| (split.split, split.rows, split.groups)).collect();
    assert_eq!(splits, [(Train, 2000, Some(40)), (Validation, 600, Some(40)), (Test, 600, Some(40))]);
    let unseen: Vec<_> = audit.splits.iter().map(|split| split.unseen_groups).collect();
    assert_eq!(unseen, [None, Some(0.0), Some(0.0)]);
    for (split, rows) in audit.splits.iter().zip([&shop.train, &shop.validation, &shop.test]) {
        assert_eq!(split.positives, rows.iter().map(|row| u64::from(row.label)).sum::<u64>());
        assert_eq!(split.compared, split.rows);
        let unknown: Vec<_> = split.unknown.iter().map(|one| (one.feature.as_str(), one.share)).collect();
        let features = ["user", "item", "history", "negatives", "colour"];
        assert_eq!(unknown, features.map(|name| (name, 0.0)));
    }
}

#[test]
fn the_table_says_so() {
    let text = Shop::clean().audit_with(SCHEMA, "").to_string();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("split       rows  positives  groups  in unseen groups"));
    assert_eq!(lines.next().map(|line| &line[..16]), Some("train       2000"));
    assert_eq!(text.lines().last(), Some("nothing was found"));
    assert!(text.contains("\nhistory           0.00 %      0.00 %  0.00 %\n"), "{text}");
}

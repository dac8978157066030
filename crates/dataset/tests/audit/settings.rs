//! Settings, errors and forms of an audit.

use std::ops::ControlFlow;

use fain_dataset::{Audit, AuditConfig, AuditMode, AuditProgress, ErrorKind, audit};

use crate::shop::{SCHEMA, Shop};

fn refusal(config: &str) -> String {
    let (_folder, dataset) = Shop::clean().dataset(SCHEMA);
    let config: AuditConfig = toml::from_str(config).unwrap();
    let error = audit(&dataset, &config, &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    error.to_string()
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let cases = [
        ("auc_fault = 0.4", "data.audit.auc_fault = 0.4: must be from 0.5 to 1"),
        ("duplicates_fault = 1.5", "data.audit.duplicates_fault = 1.5: must be from 0 to 1"),
        ("one_sided = nan", "data.audit.one_sided = NaN: must be from 0 to 1"),
        ("newest_lift = 0.5", "data.audit.newest_lift = 0.5: must be 1 or more"),
        ("auc_warning = 0.99", "data.audit.auc_warning = 0.99: must be at most 0.95, the value of auc_fault"),
        ("balance_note = 3.0", "data.audit.balance_note = 3: must be at most 2, the value of balance_warning"),
        ("smallest_class = 0", "data.audit.smallest_class = 0: must be 1 or more"),
        ("most_compared = 0", "data.audit.most_compared = 0: must be 1 or more"),
        (
            "negatives = ['price']",
            "data.audit.negatives = \"price\": must be a sequence feature; there are: history, negatives",
        ),
        (
            "attributes = ['genres']",
            "data.audit.attributes = \"genres\": must be a sequence feature; there are: history, negatives",
        ),
    ];
    for (config, message) in cases {
        assert_eq!(refusal(config), message);
    }
}

#[test]
fn negatives_need_something_to_be_held_against() {
    let schema = SCHEMA.replace("max_length = 8, vocabulary = \"item\"", "max_length = 8");
    let (_folder, dataset) = Shop::clean().dataset(&schema);
    let config: AuditConfig = toml::from_str("negatives = ['negatives']").unwrap();
    let error = audit(&dataset, &config, &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert!(error.to_string().contains("must share its vocabulary with a category feature"), "{error}");
}

#[test]
fn misspelt_keys_are_refused() {
    let error = toml::from_str::<AuditConfig>("auc_falut = 1.0").unwrap_err();
    assert!(error.to_string().contains("unknown field `auc_falut`"), "{error}");
    assert!(toml::from_str::<AuditConfig>("mode = 'quiet'").is_err());
}

#[test]
fn settings_are_read_back_as_written() {
    let config: AuditConfig =
        toml::from_str("mode = 'off'\nnegatives = ['n']\nauc_fault = 0.99\nmost_compared = 5").unwrap();
    assert_eq!((config.mode, config.auc_fault, config.auc_warning), (AuditMode::Off, 0.99, 0.85));
    assert_eq!(toml::from_str::<AuditConfig>(&toml::to_string(&config).unwrap()).unwrap(), config);
    assert_eq!(toml::from_str::<AuditConfig>("").unwrap(), AuditConfig::default());
}

#[test]
fn an_audit_can_be_stopped_and_tells_how_far_it_came() {
    let (_folder, dataset) = Shop::clean().dataset(SCHEMA);
    let config = AuditConfig::default();
    let mut told = Vec::new();
    audit(&dataset, &config, &mut |progress| {
        told.push(*progress);
        ControlFlow::Continue(())
    })
    .unwrap();
    assert!(told.is_sorted_by(|a, b| a.rows_done < b.rows_done));
    assert_eq!(told.last(), Some(&AuditProgress { rows_done: 3200, rows_total: 3200 }));
    let error = audit(&dataset, &config, &mut |_| ControlFlow::Break(())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
}

#[test]
fn an_audit_is_json_and_text() {
    let mut shop = Shop::clean();
    shop.each(|row| row.price = i32::from(row.label));
    shop.train.extend(shop.test[..9].to_vec());
    let audit = shop.audit();
    let json = serde_json::to_string(&audit).unwrap();
    assert_eq!(serde_json::from_str::<Audit>(&json).unwrap(), audit);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["findings"][0]["kind"], "duplicates_across_splits");
    assert_eq!(value["findings"][0]["severity"], "fault");
    assert_eq!(value["findings"][0]["splits"], serde_json::json!(["train", "test"]));
    assert_eq!(value["findings"][1]["auc"], 1.0);
    let text = audit.to_string();
    assert!(text.contains("\nfault: duplicates_across_splits in train, test\n"), "{text}");
    assert!(text.contains("\n    for example row 0 of test: test.csv, row 1\n"), "{text}");
    assert!(text.contains("\nfault: label_leakage of price in train, validation, test\n"), "{text}");
    assert!(text.ends_with("\nfaults: 2, warnings: 0, notes: 1\n"), "{text}");
}

#[test]
fn only_faults_forbid_and_only_where_they_are_asked_to() {
    let mut shop = Shop::clean();
    shop.each(|row| row.colour = "red".to_owned());
    let warned = shop.audit();
    assert_eq!(warned.findings.len(), 1);
    assert!(!warned.forbids(AuditMode::Error));
    shop.each(|row| row.price = i32::from(row.label));
    let faulty = shop.audit();
    assert!(faulty.forbids(AuditMode::Error));
    assert!(!faulty.forbids(AuditMode::Warn));
    assert!(!faulty.forbids(AuditMode::Off));
}

//! Candidates in their histories, times, and negatives.

use crate::shop::{Fault, ITEMS, Kind, Note, Row, SCHEMA, Shop, Test, Train, Validation, Warning, only, short};

/// The event becomes the newest one, and an old one makes place.
fn append(row: &mut Row, event: u64) {
    row.history.push(event);
    row.times.push(row.time - 1);
    if row.history.len() > 8 {
        row.history.remove(0);
        row.times.remove(0);
    }
}

#[test]
fn a_history_that_reaches_its_own_positive_is_a_fault() {
    let mut shop = Shop::clean();
    shop.each(|row| {
        if row.label == 1 {
            append(row, row.item);
        }
    });
    let audit = shop.audit();
    let all = vec![Train, Validation, Test];
    let pair = vec!["item", "history"];
    assert_eq!(short(&audit), [(Fault, Kind::CandidateInHistory, pair, all)], "{audit}");
    let finding = &audit.findings[0];
    let positives = audit.splits.iter().map(|split| split.positives).sum::<u64>();
    assert_eq!((finding.count, finding.share), (positives, 1.0));
    assert!(finding.message.contains("train: 100.00 % with label 1, 0.00 % with label 0"), "{}", finding.message);
    assert_eq!(finding.example.as_ref().unwrap().split, Train);
}

#[test]
fn a_history_one_event_too_long_is_a_fault() {
    let mut shop = Shop::clean();
    shop.test.iter_mut().for_each(|row| append(row, row.item));
    let audit = shop.audit();
    let found = [(Fault, Kind::CandidateIsNewestEvent, vec!["item", "history"], vec![Test])];
    assert_eq!(short(&audit), found, "{audit}");
    assert_eq!((audit.findings[0].count, audit.findings[0].share), (600, 1.0));
    // The newest event stands first where the first ones are kept.
    let audit = shop.audit_with(&SCHEMA.replacen("max_length = 8", "max_length = 8, keep = \"first\"", 1), "");
    assert_eq!(short(&audit), [(Note, Kind::RepeatedCandidate, vec!["item", "history"], vec![Test])], "{audit}");
}

#[test]
fn negatives_that_are_never_repeated_give_a_repeated_positive_away() {
    let mut shop = Shop::clean();
    // One positive in twelve was bought before; no negative ever was.
    let mut positives = 0;
    shop.each(|row| {
        positives += usize::from(row.label == 1);
        if row.label == 1 && positives % 12 == 0 && !row.history.is_empty() {
            row.history[0] = row.item;
        }
    });
    let audit = shop.audit();
    assert_eq!(audit.findings.len(), 1, "{audit}");
    assert_eq!(only(&audit, Kind::CandidateInHistory).severity, Fault);
    let milder = shop.audit_with(SCHEMA, "history_fault = 0.2");
    assert_eq!(only(&milder, Kind::CandidateInHistory).severity, Warning);
}

#[test]
fn repeated_purchases_alone_are_a_note() {
    let mut shop = Shop::clean();
    shop.each(|row| {
        if row.price % 4 == 0 && row.history.len() > 1 {
            row.history[0] = row.item;
        }
    });
    let audit = shop.audit();
    let all = vec![Train, Validation, Test];
    assert_eq!(short(&audit), [(Note, Kind::RepeatedCandidate, vec!["item", "history"], all)], "{audit}");
}

#[test]
fn attributes_are_named_or_taken_mildly() {
    // A department and the departments of the history, coarser than items: positives are of the newest event's.
    let mut shop = Shop::clean();
    shop.each(|row| {
        let department = row.item / 10;
        row.history.iter_mut().for_each(|item| *item = 10_000 + (*item / 10 + 1) % 15);
        row.history.retain(|item| *item != 10_000 + department);
        row.times.truncate(row.history.len());
        row.negatives.clear();
        if row.label == 1 && !row.history.is_empty() {
            *row.history.last_mut().unwrap() = 10_000 + department;
        }
        row.colour = (10_000 + department).to_string();
    });
    let schema = "label = 'click'
        features.item = { kind = 'category' }
        features.past = { kind = 'sequence', column = 'negatives', max_length = 8, vocabulary = 'item' }
        features.negatives = { kind = 'sequence', max_length = 8, vocabulary = 'item' }
        features.department = { kind = 'category', column = 'colour' }
        features.history = { kind = 'sequence', max_length = 8, vocabulary = 'department' }
        features.price = { kind = 'numeric' }";
    let pair = "department history".to_owned();
    let histories = |config: &str| {
        let audit = shop.audit_with(schema, config);
        let found = short(&audit).into_iter().filter(|(_, kind, ..)| *kind == Kind::CandidateInHistory);
        found.map(|(severity, _, features, _)| (severity, features.join(" "))).collect::<Vec<_>>()
    };
    assert_eq!(histories(""), [(Warning, pair)]);
    assert_eq!(histories("attributes = ['history']"), []);
}

#[test]
fn an_event_after_its_sample_is_found() {
    let mut shop = Shop::clean();
    let row = shop.validation.iter_mut().rposition(|row| !row.times.is_empty()).unwrap();
    *shop.validation[row].times.last_mut().unwrap() = shop.validation[row].time + 1;
    let audit = shop.audit();
    assert_eq!(short(&audit), [(Fault, Kind::EventsAfterSample, vec!["times"], vec![Validation])], "{audit}");
    assert_eq!(audit.findings[0].count, 1);
    assert_eq!(audit.findings[0].example.as_ref().unwrap().row, row as u64);
    let audit = shop.audit_with(SCHEMA, "future_fault = 0.1");
    assert_eq!(short(&audit), [(Warning, Kind::EventsAfterSample, vec!["times"], vec![Validation])]);
    // An event of the same second is not later.
    *shop.validation[row].times.last_mut().unwrap() = shop.validation[row].time;
    assert_eq!(shop.audit().findings, []);
}

#[test]
fn training_after_the_test_is_a_note() {
    let mut shop = Shop::clean();
    let last = shop.train.len() - 1;
    for row in &mut shop.train[last - 99..] {
        row.time += 5000;
    }
    let audit = shop.audit();
    assert_eq!(short(&audit), [(Note, Kind::SplitsOverlapInTime, vec![], vec![Train, Test])], "{audit}");
    assert_eq!((audit.findings[0].count, audit.findings[0].share), (100, 0.05));
    assert_eq!(audit.findings[0].example.as_ref().unwrap().row, 1900);
}

#[test]
fn negatives_that_are_positives_are_found() {
    let mut shop = Shop::clean();
    for row in shop.train.iter_mut().filter(|row| row.label == 1).take(100) {
        row.negatives[2] = row.item;
    }
    for row in shop.test.iter_mut().filter(|row| !row.history.is_empty()).take(3) {
        row.negatives[0] = row.history[0];
    }
    let audit = shop.audit();
    let found = [
        (Fault, Kind::NegativesHoldCandidate, vec!["negatives", "item"], vec![Train]),
        (Warning, Kind::NegativesHoldHistory, vec!["negatives", "history"], vec![Test]),
    ];
    assert_eq!(short(&audit), found, "{audit}");
    assert_eq!(audit.findings.iter().map(|finding| finding.count).collect::<Vec<_>>(), [100, 3]);
    let first = shop.train.iter().position(|row| row.label == 1).unwrap();
    assert_eq!(audit.findings[0].example.as_ref().unwrap().row, first as u64);
}

#[test]
fn a_negative_candidate_and_unknown_terms_are_no_overlap() {
    let mut shop = Shop::clean();
    for row in &mut shop.test {
        row.history = vec![ITEMS + 1000; 3];
        row.times = vec![row.time - 1; 3];
        row.negatives = vec![ITEMS + 2000];
        if row.label == 0 {
            row.negatives.push(row.item);
        } else {
            row.item = ITEMS + 3000;
        }
    }
    let audit = shop.audit();
    let wrong = [Kind::NegativesHoldCandidate, Kind::NegativesHoldHistory, Kind::CandidateInHistory];
    assert!(audit.findings.iter().all(|finding| !wrong.contains(&finding.kind)), "{audit}");
}

//! What the configuration may not say.

use super::Written;

fn refusal(text: &str) -> String {
    Written::new(text).check().unwrap_err().to_string()
}

/// Rules that are fine but for the split.
fn split(rule: &str) -> String {
    format!("label = {{ column = 'r', equals = 1 }}\nhistory.max_length = 5\nsplit = {{ {rule} }}")
}

#[test]
fn exactly_one_split_is_given() {
    let message = |given: &str| format!("split = {{ {given} }}: must have exactly one of last, time, user and hash");
    assert_eq!(refusal(&split("")), message(""));
    let both = "last = { test = 1, validation = 1 }, user = { validation = 0.1, test = 0.1 }";
    assert_eq!(refusal(&split(both)), message("last, user"));
}

#[test]
fn every_part_has_rows() {
    for (rule, message) in [
        ("last = { test = 0, validation = 1 }", "split.last.test = 0: must be at least 1"),
        ("last = { test = 1, validation = 0 }", "split.last.validation = 0: must be at least 1"),
        (
            "last = { test = 1, validation = { share = 1.0 } }",
            "split.last.validation.share = 1: must be above 0 and below 1",
        ),
        ("user = { validation = 0.0, test = 0.1 }", "split.user.validation = 0: must be above 0 and below 1"),
        ("user = { validation = 0.1, test = nan }", "split.user.test = NaN: must be above 0 and below 1"),
        ("time = { validation = -0.1, test = 0.1 }", "split.time.validation = -0.1: must be above 0 and below 1"),
        (
            "hash = { of = ['a'], validation = 0.5, test = 0.5 }",
            "split.hash.test = 0.5: must leave rows for training beside validation = 0.5: together below 1",
        ),
        (
            "time = { validation_from = '2014-01-02', test_from = 1388620800 }",
            "split.time.test_from = 1388620800: must be later than split.time.validation_from = \"2014-01-02\"",
        ),
    ] {
        assert_eq!(refusal(&split(rule)), message);
    }
}

#[test]
fn columns_of_a_hash_are_named_once() {
    let shares = "validation = 0.1, test = 0.1";
    for (of, message) in [
        ("[]", "split.hash.of = []: must name at least one column"),
        ("['a', '']", "split.hash.of[1] = \"\": must be the name of a column"),
        ("['a', 'b', 'a']", "split.hash.of[2] = \"a\": must be another column than those before it"),
    ] {
        assert_eq!(refusal(&split(&format!("hash = {{ of = {of}, {shares} }}"))), message);
    }
}

#[test]
fn misspelt_keys_are_refused() {
    let unknown = |text: &str| toml::from_str::<Written>(text).unwrap_err().to_string();
    assert!(unknown(&split("lsat = { test = 1 }")).contains("unknown field `lsat`"));
    assert!(unknown(&split("user = { validation = 0.1, test = 0.1, sed = 2 }")).contains("unknown field `sed`"));
    assert!(unknown(&split("last = { test = 1 }")).contains("missing field `validation`"));
    let message = unknown(&split("last = { test = 1, validation = 0.1 }"));
    assert!(message.contains("a number of rows, or { share = SHARE OF THE USERS, seed = SEED }"), "{message}");
    let message = unknown(&split("time = { validation = 0.1, test_from = 5 }"));
    assert!(message.contains("{ validation_from, test_from } or { validation, test } is needed"), "{message}");
    let samples = "samples.per = 'events'\n";
    assert!(unknown(&format!("{samples}{}", split(""))).contains("unknown variant `events`"));
}

#[test]
fn rules_that_contradict_each_other_are_refused() {
    let candidates =
        "negatives.candidates = { per_positive = 1, distribution = 'uniform', exclude = 'past', draw = 'fixed' }";
    let last = split("last = { test = 1, validation = 1 }");
    assert_eq!(
        refusal(&format!("samples.per = 'last_event'\n{last}")),
        "split = { last }: goes with samples.per = \"event\" only: the last event of every user would be for the test"
    );
    assert_eq!(
        refusal(&format!("{last}\n{candidates}")),
        "samples.from = \"all\": must be \"positive\" with negatives.candidates: they are drawn beside positive samples"
    );
    assert_eq!(
        refusal(&format!("samples.from = 'positive'\n{last}")),
        "samples.from = \"positive\": needs negatives.candidates: only positive events become samples, and no sample \
         would have label 0"
    );
    assert_eq!(
        refusal("history.max_length = 5\nsplit.last = { test = 1, validation = 1 }"),
        "samples.from = \"all\": needs negatives.candidates: without [label] every event is positive, and no sample \
         would have label 0"
    );
    Written::new(&format!("samples.from = 'positive'\n{last}\n{candidates}")).check().unwrap();

    let written = Written::new(&split("time = { validation_from = 1, test_from = 2 }"));
    written.check().unwrap();
    let mut config = written.config();
    config.timed = false;
    assert_eq!(
        crate::rules::check(&config).unwrap_err().to_string(),
        "split = { time }: needs the times of the log, log.time; log.order has no unit"
    );
}

#[test]
fn shares_of_time_that_leave_a_part_empty_are_refused() {
    let written = Written::new(&split("time = { validation = 0.1, test = 0.2 }"));
    let refusal = |times: &[i64]| written.rules_for_times(times).unwrap_err().to_string();
    let value = "split.time = { validation = 0.1, test = 0.2 }: must leave rows for each part; the log";
    assert_eq!(refusal(&[]), format!("{value} has 0"));
    assert_eq!(refusal(&[1, 2, 3]), format!("{value} has 3"));
    assert_eq!(
        refusal(&[7, 7, 7, 7, 7, 7, 7, 8, 8, 8]),
        format!(
            "{value} begins at 7, validation would begin at 8 and the test at 8, and rows of the same time are not parted"
        )
    );
    assert_eq!(
        refusal(&[7, 7, 7, 7, 7, 7, 7, 7, 8, 8]),
        format!(
            "{value} begins at 7, validation would begin at 7 and the test at 8, and rows of the same time are not parted"
        )
    );
    written.rules_for_times(&[7, 7, 7, 7, 7, 7, 7, 8, 9, 9]).unwrap();
}

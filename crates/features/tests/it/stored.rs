//! Encoders as JSON.

use fain_features::Encoders;

use crate::files::TestFile;
use crate::fitted::{fit, schema};

const SCHEMA: &str = "\
label = 'y'
features.zip = { kind = 'category', min_count = 2 }
features.list = { kind = 'sequence', max_length = 3, vocabulary = 'zip' }
features.a = { kind = 'numeric' }
features.b = { kind = 'numeric', scale = 'quantile', quantiles = 3 }
";

/// Version 1 as it was first written; it must be read for ever.
const JSON: &str = concat!(
    r#"{"format":"fain-encoders","version":1,"schema":{"label":"y","features":{"#,
    r#""zip":{"kind":"category","min_count":2},"#,
    r#""list":{"kind":"sequence","max_length":3,"keep":"last","vocabulary":"zip"},"#,
    r#""a":{"kind":"numeric","scale":"standard"},"#,
    r#""b":{"kind":"numeric","scale":"quantile","quantiles":3}}},"#,
    r#""vocabularies":[{"feature":"zip","terms":["q\"x","é"]}],"#,
    r#""numbers":[{"feature":"a","mean":0.2,"scale":"standard","deviation":0.09999999999999998},"#,
    r#"{"feature":"b","mean":2.0,"scale":"quantile","quantiles":[1.0,3.0]}]}"#
);

fn fitted() -> Encoders {
    let file = TestFile::new("a.csv", "y,zip,list,a,b\n1,é,é|once,0.1,1\n0,\"q\"\"x\",\"q\"\"x\",0.3,3\n");
    fit(schema(SCHEMA), file.path()).unwrap()
}

fn error(json: &str) -> String {
    Encoders::from_json(json).unwrap_err().to_string()
}

/// The error of the JSON above with one part replaced.
fn changed(old: &str, new: &str) -> String {
    assert_eq!(JSON.matches(old).count(), 1, "{old}");
    error(&JSON.replace(old, new))
}

#[test]
fn the_format_is_pinned() {
    let encoders = fitted();
    assert_eq!(encoders.to_json().unwrap(), JSON);
    assert_eq!(encoders.digest(), "1046efde825dfc5a15b42efca9a7426b");
}

#[test]
fn what_is_read_is_what_was_written() {
    let encoders = fitted();
    let read = Encoders::from_json(JSON).unwrap();
    assert_eq!(read, encoders);
    assert_eq!(read.digest(), encoders.digest());
    // White space is not content.
    let spaced: serde_json::Value = serde_json::from_str(JSON).unwrap();
    assert_eq!(spaced["vocabularies"][0]["terms"][1], "é");
    assert_eq!(Encoders::from_json(&JSON.replace("},", "},\n  ")).unwrap().digest(), encoders.digest());
}

#[test]
fn a_change_changes_the_digest() {
    let other = Encoders::from_json(&JSON.replace("0.2", "0.25")).unwrap();
    assert_ne!(other.digest(), fitted().digest());
    assert_ne!(other, fitted());
}

#[test]
fn other_formats_and_versions_are_refused() {
    assert_eq!(
        changed("fain-encoders", "fain-manifest"),
        "encoders: the format is \"fain-manifest\"; \"fain-encoders\" is read"
    );
    assert_eq!(error("{}"), "encoders: the format is \"\"; \"fain-encoders\" is read");
    assert_eq!(changed("\"version\":1", "\"version\":3"), "encoders: the version is 3; the versions 1 to 2 are read");
    assert_eq!(changed("\"version\":1", "\"version\":0"), "encoders: the version is 0; the versions 1 to 2 are read");
    assert_eq!(
        error(r#"{"format":"fain-encoders","version":7,"new":true}"#),
        "encoders: the version is 7; the versions 1 to 2 are read"
    );
}

#[test]
fn text_that_is_not_this_json_is_refused() {
    assert_eq!(error(""), "encoders: EOF while parsing a value at line 1 column 0");
    assert_eq!(error(&JSON[..40]), "encoders: EOF while parsing a string at line 1 column 40");
    assert!(changed("\"vocabularies\"", "\"vocabulary\"").contains("unknown field `vocabulary`"));
    assert!(changed("\"terms\"", "\"words\"").contains("unknown field `words`"));
    assert!(changed("\"deviation\":0.09999999999999998", "\"deviation\":null").contains("invalid type: null"));
}

#[test]
fn content_that_contradicts_the_schema_is_refused() {
    assert_eq!(
        changed("\"max_length\":3", "\"max_length\":0"),
        "encoders: schema.features.list.max_length = 0: at least 1 is needed"
    );
    assert_eq!(
        changed("[\"q\\\"x\",\"é\"]", "[\"é\",\"a\"]"),
        "encoders: vocabularies, zip: \"a\" is empty, repeated or not in order"
    );
    assert_eq!(
        changed("{\"feature\":\"zip\",\"terms\":[\"q\\\"x\",\"é\"]}", ""),
        "encoders: vocabularies: found [], and the schema needs [zip]"
    );
    assert_eq!(
        changed("{\"feature\":\"a\",\"mean\"", "{\"feature\":\"c\",\"mean\""),
        "encoders: numbers: found [c, b], and the schema needs [a, b]"
    );
    assert_eq!(
        changed("\"scale\":\"standard\",\"deviation\":0.09999999999999998", "\"scale\":\"none\""),
        "encoders: numbers, a: what is stored was not fitted for the scale of the schema"
    );
    assert_eq!(changed("[1.0,3.0]", "[3.0,1.0]"), "encoders: numbers, b: the numbers are not in order");
    assert_eq!(
        changed("[1.0,3.0]", "[]"),
        "encoders: numbers, b: what is stored was not fitted for the scale of the schema"
    );
}

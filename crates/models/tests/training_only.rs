//! Which features a model reads in training only.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use fain_models::ModelConfig;

fn training_only(model: &str) -> Vec<String> {
    toml::from_str::<ModelConfig>(model).unwrap().training_only()
}

/// Two interests that share a negative, and settings beside them.
fn two_interests(more: &str) -> Vec<String> {
    training_only(&format!(
        r#"
        kind = "dien"
        auxiliary = {{}}
        interests = [
            {{ candidate = ["item"], history = ["clicked"], negative = ["not_clicked"] }},
            {{ candidate = ["item"], history = ["bought"], negative = ["not_clicked"] }},
        ]
        {more}
        "#
    ))
}

#[test]
fn negatives_are_read_in_training_only() {
    assert_eq!(two_interests(""), ["not_clicked"]);
    assert_eq!(two_interests(r#"blocks = [{ feature = "item" }, { interest = 0 }]"#), ["not_clicked"]);
}

#[test]
fn models_without_negatives_read_everything() {
    assert!(training_only("kind = \"base\"").is_empty());
    let interests = r#"interests = [{ candidate = ["item"], history = ["clicked"] }]"#;
    assert!(training_only(&format!("kind = \"din\"\n{interests}")).is_empty());
    assert!(training_only(&format!("kind = \"dien\"\n{interests}")).is_empty());
}

/// Scores would silently differ from the trained model's if these lists were left out.
#[test]
fn what_something_else_reads_is_scored_as_well() {
    assert!(two_interests(r#"blocks = [{ feature = "not_clicked" }]"#).is_empty());
    assert!(two_interests(r#"bias = ["item", "not_clicked"]"#).is_empty());
    let crossed = r#"
        kind = "dien"
        auxiliary = {}
        interests = [
            { candidate = ["item"], history = ["clicked"], negative = ["passed"] },
            { candidate = ["item"], history = ["passed"], negative = ["other"] },
        ]
    "#;
    assert_eq!(training_only(crossed), ["other"]);
}

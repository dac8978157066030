//! Published settings by name.

use toml::{Table, Value};

use crate::{ModelError, published};

/// Settings that hang on another one: when a file changes the choice, the preset's values for them fall away.
const DEPENDENT: [(&str, &[&str]); 2] = [
    ("scoring", &["inputs", "hidden", "activation", "batch_norm"]),
    ("scorer", &["hidden", "activation", "input_norm"]),
];

/// Completes a `[model]` table as written: what it leaves out comes from the preset it names, or from the defaults of
/// its kind. `preset` itself is gone afterwards.
///
/// ```
/// let mut model = toml::toml! {
///     kind = "din"
///     preset = "torch_rechub"
///     mlp.hidden = [64, 32]
/// };
/// fain_models::complete(&mut model)?;
/// assert_eq!(model["attention"]["activation"].as_str(), Some("dice_per_sample"));
/// assert_eq!(model["mlp"]["batch_norm"].as_bool(), Some(true));
/// assert_eq!(model["mlp"]["hidden"].as_array().map(Vec::len), Some(2));
/// # Ok::<(), fain_models::ModelError>(())
/// ```
///
/// # Errors
/// [`ModelError::Config`] when the kind has no preset of that name.
pub fn complete(model: &mut Table) -> Result<(), ModelError> {
    let Some(kind) = model.get("kind").and_then(Value::as_str).map(str::to_owned) else {
        return Ok(());
    };
    let preset = match model.remove("preset") {
        None => None,
        Some(Value::String(name)) => Some(name),
        Some(other) => return Err(unknown(&kind, &other.to_string())),
    };
    let base = match &preset {
        None => published::default_of(&kind),
        Some(name) => Some(published::settings(&kind, name).ok_or_else(|| unknown(&kind, &format!("`{name}`")))?),
    };
    // An unknown kind is refused where the table is read, with the kinds there are.
    let Some(base) = base else { return Ok(()) };
    let base =
        base.map_err(|error| ModelError::Parts { part: format!("preset of {kind}"), problem: error.to_string() })?;
    merge(model, base);
    Ok(())
}

fn unknown(kind: &str, value: &str) -> ModelError {
    let names = published::names(kind);
    let allowed =
        if names.is_empty() { "nothing, because this kind has no presets".to_owned() } else { names.join(", ") };
    ModelError::Config { key: "model.preset".to_owned(), value: value.to_owned(), allowed }
}

/// Adds to `written` what it lacks of `base`.
fn merge(written: &mut Table, mut base: Table) {
    for (choice, dependent) in DEPENDENT {
        if written.get(choice).is_some_and(|value| base.get(choice) != Some(value)) {
            base.retain(|key, _| !dependent.contains(&key));
        }
    }
    for (key, value) in base {
        match (written.get_mut(&key), value) {
            (None, value) => {
                written.insert(key, value);
            }
            (Some(Value::Table(written)), Value::Table(base)) => merge(written, base),
            (Some(_), _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use crate::{ModelConfig, published};

    #[test]
    fn every_preset_is_read_back() {
        for kind in ["base", "din", "dien", "wide_deep", "deepfm", "pnn", "dsin", "bst"] {
            for name in published::names(kind) {
                let mut table = Table::new();
                table.insert("kind".to_owned(), kind.into());
                table.insert("preset".to_owned(), name.into());
                complete(&mut table).unwrap();
                let config: ModelConfig = table.clone().try_into().unwrap();
                assert_eq!(config.name(), kind);
                assert_eq!(Table::try_from(&config).unwrap(), table, "{kind} {name}");
            }
        }
    }

    #[test]
    fn a_part_of_a_table_keeps_the_rest_of_the_defaults() {
        let attention = |text: &str| {
            let mut table: Table = toml::from_str(text).unwrap();
            complete(&mut table).unwrap();
            table["attention"].as_table().unwrap().clone()
        };
        let written = attention("kind = \"dien\"\nattention.scoring = \"mlp\"\nattention.hidden = [16, 8]");
        assert_eq!(written["normalization"].as_str(), Some("softmax"));
        let written = attention("kind = \"dien\"\npreset = \"notebook\"\nattention.scoring = \"bilinear\"");
        assert_eq!(written["normalization"].as_str(), Some("softmax"));
        assert!(written.get("hidden").is_none());
    }

    #[test]
    fn an_unknown_preset_is_refused_with_those_there_are() {
        let mut table: Table = toml::from_str("kind = \"din\"\npreset = \"papre\"").unwrap();
        let error = complete(&mut table).unwrap_err().to_string();
        assert!(error.starts_with("model.preset is `papre`; allowed: paper, authors, torch_rechub"), "{error}");
        let mut table: Table = toml::from_str("kind = \"base\"\npreset = \"paper\"").unwrap();
        let error = complete(&mut table).unwrap_err().to_string();
        assert_eq!(error, "model.preset is `paper`; allowed: nothing, because this kind has no presets");
    }
}

//! Schemas as written and their checks.
use fain_features::{
    CategoryConfig, CsvConfig, Encoding, Feature, FeatureConfig, FeatureKind, IdRule, Keep, Missing, Parts, Samples,
    Scaling, SchemaConfig,
};

const SHOP: &str = r#"
label = "click"
group = "user"
ceiling = { blind = "blind_probability", optimal = "true_probability" }

[features.item]
kind = "category"
min_count = 3

[features.history]
kind = "sequence"
column = "history_items"
max_length = 50
vocabulary = "item"

[features.words]
kind = "sequence"
separator = "::"
max_length = 5
keep = "first"

[features.price]
kind = "numeric"

[features.age]
kind = "numeric"
scale = "quantile"

[features.height]
kind = "numeric"
scale = "quantile"
quantiles = 2
"#;

fn parse(toml: &str) -> SchemaConfig {
    toml::from_str(toml).unwrap()
}

/// The error of a schema with these lines, which may replace its label.
fn error(lines: &str) -> String {
    let label = if lines.contains("label =") { "" } else { "label = 'click'\n" };
    parse(&format!("{label}{lines}")).check().unwrap_err().to_string()
}

#[test]
fn a_schema_is_resolved() {
    let schema = parse(SHOP).check().unwrap();
    assert_eq!(schema.label(), "click");
    assert_eq!(schema.group(), Some("user"));
    assert_eq!(schema.ceiling().unwrap().optimal, "true_probability");
    assert_eq!(schema.vocabularies(), ["item", "words"]);
    assert_eq!(schema.id_rules(), [IdRule::Terms { min_count: 3 }, IdRule::Terms { min_count: 1 }]);

    let feature = |name: &str, column: &str, kind| Feature { name: name.to_owned(), column: column.to_owned(), kind };
    let sequence = |vocabulary, separator: &str, max_length, keep| FeatureKind::Sequence {
        weight_separator: None,
        vocabulary,
        separator: separator.to_owned(),
        max_length,
        keep,
    };
    assert_eq!(
        schema.features(),
        [
            feature("item", "item", FeatureKind::Category { vocabulary: 0 }),
            feature("history", "history_items", sequence(0, "|", 50, Keep::Last)),
            feature("words", "words", sequence(1, "::", 5, Keep::First)),
            feature("price", "price", FeatureKind::Numeric { missing: Missing::Mean, scale: Scaling::Standard }),
            feature(
                "age",
                "age",
                FeatureKind::Numeric { missing: Missing::Mean, scale: Scaling::Quantile { quantiles: 1000 } }
            ),
            feature(
                "height",
                "height",
                FeatureKind::Numeric { missing: Missing::Mean, scale: Scaling::Quantile { quantiles: 2 } }
            ),
        ]
    );
    assert_eq!(schema.feature("words").map(|(index, _)| index), Some(2));
    assert_eq!(schema.feature("word"), None);
    assert_eq!(Parts::of(&schema), Parts { labels: true, groups: true, times: false, ceiling: true });
    assert_eq!(Samples::new(&schema, Parts::of(&schema)).parts(), Parts::of(&schema));
}

#[test]
fn a_schema_is_written_as_it_was_read() {
    let config = parse(SHOP);
    let written = toml::to_string(&config).unwrap();
    assert_eq!(parse(&written), config);
    assert_eq!(parse(&written).features.keys().collect::<Vec<_>>(), config.features.keys().collect::<Vec<_>>());
    assert!(!written.contains("keep = \"last\"\nvocabulary = \"words\""));
}

#[test]
fn two_features_may_read_one_column() {
    let lines = "[features.recent]\nkind = 'sequence'\ncolumn = 'history'\nmax_length = 5\n\
                 [features.all]\nkind = 'sequence'\ncolumn = 'history'\nmax_length = 500\nvocabulary = 'recent'";
    let schema = parse(&format!("label = 'click'\n{lines}")).check().unwrap();
    assert_eq!(schema.features()[0].column, schema.features()[1].column);
}

#[test]
fn an_owner_may_come_after_those_who_share() {
    let schema =
        parse("label = 'y'\nfeatures.a = { kind = 'category', vocabulary = 'b' }\nfeatures.b.kind = 'category'")
            .check()
            .unwrap();
    assert_eq!(schema.vocabularies(), ["b"]);
    assert_eq!(schema.features()[0].kind, FeatureKind::Category { vocabulary: 0 });
}

#[test]
fn unknown_keys_and_kinds_are_refused() {
    let refused = |toml: &str| toml::from_str::<SchemaConfig>(toml).unwrap_err().to_string();
    assert!(refused("label = 'y'\nlable = 'x'").contains("unknown field `lable`"));
    assert!(
        refused("label = 'y'\nfeatures.a = { kind = 'category', max_length = 3 }")
            .contains("unknown field `max_length`, expected one of `column`, `vocabulary`, `min_count`")
    );
    assert!(
        refused("label = 'y'\nfeatures.a = { kind = 'text' }")
            .contains("unknown variant `text`, expected one of `category`, `sequence`, `numeric`")
    );
    assert!(refused("label = 'y'\nfeatures.a = { kind = 'sequence' }").contains("missing field `max_length`"));
    assert!(refused("label = 'y'\nfeatures.a.kind = 'numeric'\nfeatures.a.kind = 'numeric'").contains("duplicate key"));
}

#[test]
fn vocabularies_that_cannot_be_shared() {
    assert_eq!(
        error("features.a.kind = 'category'\nfeatures.b = { kind = 'category', vocabulary = 'x' }"),
        "schema.features.b.vocabulary = \"x\": no such feature; features with a vocabulary of their own: a"
    );
    assert_eq!(
        error(
            "features.a.kind = 'category'\nfeatures.b = { kind = 'category', vocabulary = 'a' }\n\
             features.c = { kind = 'sequence', max_length = 2, vocabulary = 'b' }"
        ),
        "schema.features.c.vocabulary = \"b\": that feature itself shares a vocabulary; name the one that owns it; \
         features with a vocabulary of their own: a"
    );
    assert_eq!(
        error("features.a.kind = 'numeric'\nfeatures.b = { kind = 'category', vocabulary = 'a' }"),
        "schema.features.b.vocabulary = \"a\": a numeric feature has no vocabulary; \
         features with a vocabulary of their own: none"
    );
    assert_eq!(
        error("features.a = { kind = 'category', vocabulary = 'a' }"),
        "schema.features.a.vocabulary = \"a\": a feature does not name itself; leave the key out for a vocabulary of \
         its own; features with a vocabulary of their own: none"
    );
    assert_eq!(
        error("features.a.kind = 'category'\nfeatures.b = { kind = 'category', vocabulary = 'a', min_count = 2 }"),
        "schema.features.b.min_count = 2: only where the vocabulary is the feature's own; set it on \"a\""
    );
}

#[test]
fn numbers_out_of_range() {
    assert_eq!(
        error("features.a = { kind = 'category', min_count = 0 }"),
        "schema.features.a.min_count = 0: at least 1 is needed"
    );
    assert_eq!(
        error("features.a = { kind = 'sequence', max_length = 0 }"),
        "schema.features.a.max_length = 0: at least 1 is needed"
    );
    assert_eq!(
        error("features.a = { kind = 'numeric', scale = 'quantile', quantiles = 1 }"),
        "schema.features.a.quantiles = 1: at least 2 are needed"
    );
    assert_eq!(
        error("features.a = { kind = 'numeric', scale = 'min_max', quantiles = 10 }"),
        "schema.features.a.quantiles = 10: only with scale = \"quantile\""
    );
}

#[test]
fn names_that_cannot_be() {
    let feature = "features.a.kind = 'category'";
    assert_eq!(error(""), "schema.features = {}: at least one feature is needed");
    assert_eq!(error(&format!("label = ''\n{feature}")), "schema.label = \"\": the name of a column is needed");
    assert_eq!(error(&format!("group = ''\n{feature}")), "schema.group = \"\": the name of a column is needed");
    assert_eq!(
        error("features.a = { kind = 'category', column = '' }"),
        "schema.features.a.column = \"\": the name of a column is needed"
    );
    assert_eq!(
        error(&format!("ceiling = {{ blind = 'p', optimal = '' }}\n{feature}")),
        "schema.ceiling.optimal = \"\": the name of a column is needed"
    );
    assert_eq!(
        error("features.a = { kind = 'sequence', max_length = 1, separator = '' }"),
        "schema.features.a.separator = \"\": at least one character is needed"
    );
    let allowed = "a feature's name has at least one character, and neither dots nor control characters";
    assert_eq!(error("features.'' = { kind = 'category' }"), format!("schema.features = \"\": {allowed}"));
    assert_eq!(error("features.'a.b' = { kind = 'category' }"), format!("schema.features = \"a.b\": {allowed}"));
    assert_eq!(error("features.\"a\\n\" = { kind = 'category' }"), format!("schema.features = \"a\\n\": {allowed}"));
}

#[test]
fn a_feature_cannot_read_the_answer() {
    let allowed = "a feature cannot read the column of schema.label or of schema.ceiling";
    assert_eq!(
        error("features.a = { kind = 'category', column = 'click' }"),
        format!("schema.features.a.column = \"click\": {allowed}")
    );
    assert_eq!(
        error("ceiling = { blind = 'b', optimal = 'p' }\nfeatures.p.kind = 'numeric'"),
        format!("schema.features.p.column = \"p\": {allowed}")
    );
    let feature = "features.a.kind = 'category'";
    assert_eq!(
        error(&format!("group = 'click'\n{feature}")),
        "schema.group = \"click\": a column other than the label is needed"
    );
    assert_eq!(
        error(&format!("ceiling = {{ blind = 'click', optimal = 'p' }}\n{feature}")),
        "schema.ceiling.blind = \"click\": a column other than the label is needed"
    );
}

#[test]
fn a_schema_can_be_built_in_code() {
    let config = SchemaConfig {
        label: "click".to_owned(),
        group: None,
        time: None,
        ceiling: None,
        features: [("item".to_owned(), FeatureConfig::Category(CategoryConfig::default()))].into_iter().collect(),
    };
    assert_eq!(config, parse("label = 'click'\nfeatures.item.kind = 'category'"));
}

#[test]
fn csv_settings() {
    let parse = |toml: &str| toml::from_str::<CsvConfig>(toml);
    assert_eq!(parse("").unwrap(), CsvConfig { separator: ',', quote: '"', encoding: Encoding::Utf8 });
    assert_eq!(
        parse("separator = \"\\t\"\nquote = \"'\"\nencoding = 'latin1'").unwrap(),
        CsvConfig { separator: '\t', quote: '\'', encoding: Encoding::Latin1 }
    );
    assert!(parse("separator = '::'").unwrap_err().to_string().contains("expected a character"));
    assert!(parse("delimiter = ';'").unwrap_err().to_string().contains("unknown field `delimiter`"));

    let error = |toml: &str| parse(toml).unwrap().check().unwrap_err().to_string();
    let allowed = "one ASCII character other than a line break is needed";
    assert_eq!(error("separator = '→'"), format!("data.csv.separator = \"→\": {allowed}"));
    assert_eq!(error("separator = \"\\n\""), format!("data.csv.separator = \"\\n\": {allowed}"));
    assert_eq!(error("quote = '“'"), format!("data.csv.quote = \"“\": {allowed}"));
    assert_eq!(
        error("separator = '\"'"),
        "data.csv.quote = \"\\\"\": a character other than data.csv.separator is needed"
    );
}

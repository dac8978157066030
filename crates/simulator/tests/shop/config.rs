//! What a configuration may say.

use fain_simulator::{RelevanceConfig, ShopConfig};

fn refusal(toml: &str) -> String {
    toml::from_str::<ShopConfig>(toml).unwrap().check().unwrap_err().to_string()
}

#[test]
fn sizes_follow_from_the_impressions() {
    let sizes = |impressions| {
        let shop = ShopConfig { impressions, ..ShopConfig::default() }.check().unwrap();
        (shop.users(), shop.items(), shop.categories(), shop.departments())
    };
    assert_eq!(sizes(10_000), (250, 220, 22, 3));
    assert_eq!(sizes(300_000), (7_500, 4_000, 67, 9));
    assert_eq!(sizes(100_000_000), (2_500_000, 1_333_333, 464, 66));
}

#[test]
fn given_sizes_are_kept() {
    let config: ShopConfig = toml::from_str("impressions = 20_000\nusers = 400\nitems = 900\ncategories = 40").unwrap();
    let shop = config.check().unwrap();
    assert_eq!((shop.users(), shop.items(), shop.categories(), shop.departments()), (400, 900, 40, 5));
}

#[test]
fn a_value_out_of_bounds_is_named_with_what_is_allowed() {
    for (toml, message) in [
        ("impressions = 9_999", "impressions = 9999: allowed is 10000 to 100000000"),
        ("impressions = 100_000_001", "impressions = 100000001: allowed is 10000 to 100000000"),
        ("history_length = 0", "history_length = 0: allowed is 1 to 500"),
        ("history_length = 501", "history_length = 501: allowed is 1 to 500"),
        ("test_per_user = 0", "test_per_user = 0: allowed is 1 to 20"),
        ("test_per_user = 21", "test_per_user = 21: allowed is 1 to 20"),
        ("categories = 9", "categories = 9: allowed is 10 to 2000"),
        ("categories = 2001", "categories = 2001: allowed is 10 to 2000"),
        ("items = 133", "items = 133: allowed is 134 to 5000000"),
        ("items = 5_000_001", "items = 5000001: allowed is 134 to 5000000"),
        ("users = 299", "users = 299: allowed is 300 to 60000"),
        ("users = 60_001", "users = 60001: allowed is 300 to 60000"),
        ("test_per_user = 1\nusers = 150_001", "users = 150001: allowed is 300 to 150000"),
        ("relevance.gain = -0.5", "relevance.gain = -0.5: allowed is 0 to 10"),
        ("relevance.gain = nan", "relevance.gain = NaN: allowed is 0 to 10"),
        ("relevance.half_life = 0.4", "relevance.half_life = 0.4: allowed is 0.5 to 1000"),
        ("relevance.half_life = inf", "relevance.half_life = inf: allowed is 0.5 to 1000"),
        ("relevance.related = 1.5", "relevance.related = 1.5: allowed is 0 to 1"),
    ] {
        assert_eq!(refusal(toml), message);
    }
}

#[test]
fn an_unknown_key_is_refused() {
    let message = |text| toml::from_str::<ShopConfig>(text).unwrap_err().to_string();
    assert!(message("impresions = 20_000").contains("unknown field `impresions`"));
    assert!(message("[relevance]\nhalflife = 3.0").contains("unknown field `halflife`"));
}

#[test]
fn a_configuration_survives_toml() {
    let config = ShopConfig {
        users: Some(500),
        relevance: RelevanceConfig { half_life: 2.5, ..RelevanceConfig::default() },
        ..ShopConfig::default()
    };
    let text = toml::to_string(&config).unwrap();
    assert_eq!(toml::from_str::<ShopConfig>(&text).unwrap(), config);
    assert_eq!(toml::from_str::<ShopConfig>("").unwrap(), ShopConfig::default());
}

#[test]
fn the_shops_of_the_repository_are_right() {
    let read = |name: &str| -> ShopConfig {
        let file = format!("{}/../../datasets/shop/{name}", env!("CARGO_MANIFEST_DIR"));
        toml::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
    };
    let users = |config: &ShopConfig| config.check().unwrap().users();
    let (demo, large) = (read("demo.toml"), read("large.toml"));
    assert_eq!((demo.impressions, demo.history_length, users(&demo)), (300_000, 30, 7_500));
    assert_eq!((large.impressions, large.history_length, users(&large)), (50_000_000, 50, 1_250_000));
}

//! What users and items are is taken of the log's own rows.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::ControlFlow;

use fain_prepare::{PrepareConfig, Prepared, prepare};
use fain_samples::{Field, StoredColumn, TermTable};
use proptest::prelude::*;

const CONFIG: &str = r#"
    log = { files = "log-*.csv", user = "user", item = "item", time = "time", only = [{ column = "time", at_least = 0 }] }
    users = { columns = { age = "number" } }
    items = { columns = { kinds = { terms = "|" }, kind = { first = "|", of = "kinds" }, shop = "term" } }
    label = { column = "stars", at_least = 4 }
    history = { max_length = 5 }
    split = { time = { validation_from = 3, test_from = 6 } }
"#;

/// User, item, time, age, kinds, shop.
type Row = (u8, u8, i64, Option<u8>, Vec<&'static str>, &'static str);

fn row() -> impl Strategy<Value = Row> {
    let kinds = prop::collection::vec(prop_oneof![Just("red"), Just("blue")], 0..3);
    let shop = prop_oneof![Just(""), Just("here"), Just("there")];
    (0_u8..4, 0_u8..5, -1_i64..9, prop::option::of(20_u8..22), kinds, shop)
}

fn run(rows: &[Row], cut: usize) -> (tempfile::TempDir, Prepared) {
    let place = tempfile::tempdir().unwrap();
    for (number, rows) in [&rows[..cut], &rows[cut..]].into_iter().enumerate() {
        let mut text = "user,item,time,stars,age,kinds,shop\n".to_owned();
        for (user, item, time, age, kinds, shop) in rows {
            let age = age.map_or_else(String::new, |age| age.to_string());
            writeln!(text, "u{user},i{item},{time},5,{age},{},{shop}", kinds.join("|")).unwrap();
        }
        std::fs::write(place.path().join(format!("log-{number}.csv")), text).unwrap();
    }
    let config = PrepareConfig { root: place.path().to_owned(), ..toml::from_str(CONFIG).unwrap() };
    let prepared = prepare(&config, &place.path().join("samples"), &mut |_| ControlFlow::Continue(())).unwrap();
    (place, prepared)
}

/// The first value of those that are there, and whether there is another one.
fn first<T: PartialEq + Clone>(values: impl IntoIterator<Item = Option<T>>) -> (Option<T>, bool) {
    let there: Vec<T> = values.into_iter().flatten().collect();
    (there.first().cloned(), there.iter().any(|value| *value != there[0]))
}

/// The values of a column of items, as texts.
fn texts(prepared: &Prepared, column: usize) -> Vec<Vec<String>> {
    let samples = &prepared.samples;
    let terms = samples.terms(TermTable::Item(Field::Column(column))).unwrap();
    let text = |code: &u32| terms.get(u64::from(*code)).unwrap().to_owned();
    let texts: Vec<Vec<String>> = match &samples.items().columns[column] {
        StoredColumn::Term(codes) => codes.slices().flatten().map(|code| vec![text(code)]).collect(),
        StoredColumn::Terms(lists) => {
            (0..samples.items().rows).map(|row| lists.list(row).iter().map(text).collect()).collect()
        }
        StoredColumn::Number(_) => unreachable!("items have no number"),
    };
    // Texts are numbered as they come, and there are no others.
    let mut seen: Vec<&String> = Vec::new();
    for text in texts.iter().flatten() {
        if !seen.contains(&text) {
            seen.push(text);
        }
    }
    assert!(seen.into_iter().eq(terms.iter()));
    texts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_first_row_that_has_a_value_decides(
        rows in prop::collection::vec(row(), 1..40),
        cut in any::<prop::sample::Index>(),
    ) {
        // A row that always counts, so that there is a sample.
        let rows = [vec![(9, 9, 1, None, Vec::new(), "")], rows].concat();
        let (_place, prepared) = run(&rows, cut.index(rows.len()));
        let mut items: BTreeMap<u8, Vec<&Row>> = BTreeMap::new();
        let mut users: BTreeMap<u8, Vec<&Row>> = BTreeMap::new();
        let (mut item_order, mut user_order) = (Vec::new(), Vec::new());
        for row in rows.iter().filter(|row| row.2 >= 0) {
            if !user_order.contains(&row.0) {
                user_order.push(row.0);
            }
            if !item_order.contains(&row.1) {
                item_order.push(row.1);
            }
            users.entry(row.0).or_default().push(row);
            items.entry(row.1).or_default().push(row);
        }
        let [mut kinds, mut kind, mut shops] = [const { Vec::new() }; 3];
        let mut contradicted = 0;
        for item in &item_order {
            let rows = &items[item];
            let lists = first(rows.iter().map(|row| Some(row.4.clone()).filter(|kinds| !kinds.is_empty())));
            let ones = first(rows.iter().map(|row| row.4.first().copied()));
            let shop = first(rows.iter().map(|row| Some(row.5).filter(|shop| !shop.is_empty())));
            contradicted += u64::from(lists.1 || ones.1 || shop.1);
            let owned = |text: &str| text.to_owned();
            kinds.push(lists.0.unwrap_or_default().into_iter().map(owned).collect::<Vec<String>>());
            kind.push(vec![ones.0.unwrap_or_default().to_owned()]);
            shops.push(vec![shop.0.unwrap_or_default().to_owned()]);
        }
        prop_assert_eq!([texts(&prepared, 0), texts(&prepared, 1), texts(&prepared, 2)], [kinds, kind, shops]);
        let ages: Vec<_> = user_order.iter().map(|user| first(users[user].iter().map(|row| row.3))).collect();
        let StoredColumn::Number(found) = &prepared.samples.users().columns[0] else { unreachable!("a number") };
        let found: Vec<Option<u8>> =
            found.slices().flatten().map(|age| Some(*age as u8).filter(|_| !age.is_nan())).collect();
        prop_assert_eq!(found, ages.iter().map(|age| age.0).collect::<Vec<_>>());
        let summary = prepared.summary;
        let several = ages.iter().filter(|age| age.1).count() as u64;
        prop_assert_eq!((summary.contradicted_users, summary.contradicted_items), (several, contradicted));
        prop_assert_eq!((summary.undescribed_users, summary.undescribed_items), (0, 0));
    }
}

//! One user read once, and many candidates: the logits are those of a batch that repeats the user.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use fain_features::Column;
use fain_models::{
    Candidates, Model, ModelError, ModelGraph, ModelInput, Output, UserState, candidate_logits, complete, user_state,
};
use proptest::prelude::*;
use tch::Device;

use super::support::{MODELS, Row, build, lists, row, samples, scores, settings, some_rows, space};

/// Settings of models that read histories, in the words of a configuration file.
const READERS: [&str; 19] = [
    "kind = \"base\"\nbias = [\"user\", \"item\", \"price\", \"words\"]",
    "kind = \"base\"\nbias = [\"user\"]\npooling = \"max\"\nnumbers = { width = 3 }",
    "kind = \"din\"",
    "kind = \"din\"\npreset = \"paper\"",
    "kind = \"din\"\npreset = \"authors\"",
    "kind = \"din\"\npreset = \"torch_rechub\"",
    "kind = \"din\"\npreset = \"keras\"",
    "kind = \"din\"\npreset = \"pair\"",
    "kind = \"din\"\npreset = \"pair_gru\"\nstates = [{ candidate = [\"shop\"], history = [\"shops\"] }]",
    "kind = \"din\"\norder = \"evolution\"\nprojection = \"normalized_dense\"",
    "kind = \"dien\"",
    "kind = \"dien\"\npreset = \"paper\"",
    "kind = \"dien\"\npreset = \"authors\"",
    "kind = \"dien\"\npreset = \"notebook\"",
    "kind = \"dien\"\nevolution = \"gru\"\nhidden = 5",
    "kind = \"dien\"\nevolution = \"agru\"",
    "kind = \"dsin\"\nlimits = { sessions = 2, events = 2 }\ntransformer = { heads = 2 }",
    "kind = \"bst\"\npreset = \"paper\"\ntransformer = { heads = 2 }\npositions = { concatenate = { width = 2 } }",
    "kind = \"wide_deep\"\nwide = [\"user\"]\ncrosses = [{ features = [\"user\", \"shop\"], buckets = 7 }]",
];

/// Completes settings by their preset, with small tables and the interest of the schema; no auxiliary loss, which needs
/// negatives.
fn reader(text: &str) -> String {
    let mut table: toml::Table = toml::from_str(text).unwrap();
    complete(&mut table).unwrap();
    table.remove("auxiliary");
    let interest = "interests = [{ candidate = [\"item\", \"shop\"], history = [\"items\", \"shops\"] }]";
    if table.get("kind").is_some_and(|kind| ["din", "dien", "dsin", "bst"].contains(&kind.as_str().unwrap())) {
        table.extend(toml::from_str::<toml::Table>(interest).unwrap());
    }
    table.extend(toml::from_str::<toml::Table>("embedding = { dim = 3, std = 0.5 }").unwrap());
    toml::to_string(&table).unwrap()
}

fn models() -> Vec<(String, Box<dyn Model>)> {
    let relatives = MODELS.iter().map(|(name, _)| ((*name).to_owned(), build(&settings(name)).0));
    relatives.chain(READERS.iter().map(|text| ((*text).to_owned(), build(&reader(text)).0))).collect()
}

/// The candidates' features.
fn candidates(rows: &[(u32, u32, f32)]) -> Candidates {
    let columns = vec![
        ("item", Column::Category(rows.iter().map(|row| row.0).collect())),
        ("shop", Column::Category(rows.iter().map(|row| row.1).collect())),
        ("price", Column::Numeric(rows.iter().map(|row| row.2).collect())),
    ];
    Candidates::new(&space(), columns, Device::Cpu).unwrap()
}

/// The user's features beside each candidate.
fn batch(user: &Row, candidates: &[(u32, u32, f32)]) -> Vec<Row> {
    candidates.iter().map(|&(item, shop, price)| Row { item, shop, price, ..user.clone() }).collect()
}

fn state(model: &dyn Model, user: &Row) -> UserState {
    user_state(model, &samples(std::slice::from_ref(user)), Device::Cpu).unwrap()
}

fn check(name: &str, got: &[f32], expected: &[f32]) {
    assert_eq!(got.len(), expected.len(), "{name}");
    for (got, expected) in got.iter().zip(expected) {
        assert!((got - expected).abs() < 1e-6 * expected.abs().max(1.0), "{name}: {got} is not {expected}");
    }
}

/// A few users, one without history and one without any list, before one candidate and before several.
#[test]
fn every_model_and_preset_scores_as_it_does_a_batch_of_the_user_repeated() {
    let many = [(3, 1, 0.5), (8, 0, -1.0), (3, 1, 0.5), (0, 3, 2.0), (5, 2, 0.0)];
    for (name, model) in models() {
        for user in some_rows() {
            let state = state(model.as_ref(), &user);
            for chosen in [&many[..], &many[3..4]] {
                let got = candidate_logits(model.as_ref(), &state, &candidates(chosen)).unwrap();
                check(&name, &got, &scores(model.as_ref(), &batch(&user, chosen)));
            }
            assert!(candidate_logits(model.as_ref(), &state, &candidates(&[])).unwrap().is_empty());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_user_and_candidates_score_alike(
        user in row(),
        chosen in prop::collection::vec((0u32..9, 0u32..4, -2.0f32..2.0), 1..7),
    ) {
        for text in ["kind = \"din\"", "kind = \"dien\"\npreset = \"notebook\"", "kind = \"dien\"\nevolution = \"gru\""] {
            let (model, _) = build(&reader(text));
            let got = candidate_logits(model.as_ref(), &state(model.as_ref(), &user), &candidates(&chosen)).unwrap();
            check(text, &got, &scores(model.as_ref(), &batch(&user, &chosen)));
        }
    }
}

/// More events than are scored at once: the candidates are cut into pieces, of which the last is the shortest.
#[test]
fn many_candidates_score_as_one_batch_of_them() {
    let events: Vec<(u32, u32)> = (0..50).map(|event| (event % 9, event % 4)).collect();
    let user = Row { events, ..some_rows().swap_remove(0) };
    let chosen: Vec<(u32, u32, f32)> =
        (0..701u16).map(|i| (u32::from(i % 9), u32::from(i % 4), f32::from(i) * 1e-3)).collect();
    for text in ["kind = \"din\"", "kind = \"dien\""] {
        let (model, _) = build(&reader(text));
        let (state, candidates) = (state(model.as_ref(), &user), candidates(&chosen));
        let got = candidate_logits(model.as_ref(), &state, &candidates).unwrap();
        let batch = model.forward(&state.beside(&candidates).unwrap(), fain_layers::Mode::Evaluation).unwrap();
        check(text, &got, &Vec::<f32>::try_from(batch.logits.detach()).unwrap());
        let rows = self::batch(&user, &chosen);
        check(text, &got, &scores(model.as_ref(), &rows));
    }
}

/// The tags of an item are its own; a history that hangs on the candidate is no one's state.
#[test]
fn candidates_may_have_lists_and_even_histories() {
    let user = &some_rows()[0];
    let items = vec![vec![2, 4], vec![], vec![8]];
    let shops = vec![vec![1, 1], vec![], vec![0]];
    let words = vec![vec![5], vec![1, 2, 3], vec![]];
    let list = |of: &[Vec<u32>]| lists(of.iter().cloned());
    let item = || ("item", Column::Category(vec![1, 2, 3]));
    let candidates = |columns| Candidates::new(&space(), columns, Device::Cpu).unwrap();
    for (name, model) in models() {
        let state = state(model.as_ref(), user);
        let row = |index: usize, histories: bool| {
            let own = || items[index].iter().copied().zip(shops[index].iter().copied()).collect();
            let events = if histories { own() } else { user.events.clone() };
            Row { item: index as u32 + 1, words: words[index].clone(), events, ..user.clone() }
        };
        let rows = |histories: bool| -> Vec<Row> { (0..3).map(|index| row(index, histories)).collect() };
        let tagged = candidates(vec![item(), ("words", list(&words))]);
        check(
            &name,
            &candidate_logits(model.as_ref(), &state, &tagged).unwrap(),
            &scores(model.as_ref(), &rows(false)),
        );
        let all = vec![item(), ("words", list(&words)), ("items", list(&items)), ("shops", list(&shops))];
        let got = candidate_logits(model.as_ref(), &state, &candidates(all)).unwrap();
        check(&name, &got, &scores(model.as_ref(), &rows(true)));
    }
}

/// Says nothing of users: what the trait gives is used.
#[derive(Debug)]
struct Whole(Box<dyn Model>);

impl Model for Whole {
    fn forward(&self, input: &ModelInput, mode: fain_layers::Mode) -> Result<Output, ModelError> {
        self.0.forward(input, mode)
    }

    fn graph(&self) -> ModelGraph {
        self.0.graph()
    }
}

#[test]
fn a_model_that_says_nothing_of_users_repeats_them() {
    let (user, chosen) = (&some_rows()[0], [(3, 1, 0.5), (8, 0, -1.0)]);
    for (name, model) in models() {
        let model = Whole(model);
        let state = state(&model, user);
        let repeated = state.beside(&candidates(&chosen)).unwrap();
        assert_eq!((repeated.rows, repeated.columns.len()), (2, 7));
        let got = candidate_logits(&model, &state, &candidates(&chosen)).unwrap();
        check(&name, &got, &scores(&model, &batch(user, &chosen)));
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let candidates = |columns| Candidates::new(&space(), columns, Device::Cpu).map(|candidates| candidates.rows());
    let item = || ("item", Column::Category(vec![1, 2]));
    for (columns, problem) in [
        (vec![("itme", Column::Category(vec![1]))], "feature itme of the candidates: the schema has none of this name"),
        (vec![item(), item()], "feature item of the candidates: it is named twice"),
        (
            vec![("item", Column::Numeric(vec![1.0]))],
            "feature item of the candidates: the column does not hold a category",
        ),
        (
            vec![item(), ("shop", Column::Category(vec![1]))],
            "feature shop of the candidates: 1 rows; the first column has 2",
        ),
    ] {
        assert_eq!(candidates(columns).unwrap_err().to_string(), problem);
    }
    assert_eq!(candidates(Vec::new()).unwrap(), 0);

    let (din, _) = build(&reader("kind = \"din\""));
    let (base, _) = build(&reader("kind = \"base\""));
    for rows in [&some_rows()[..2], &[]] {
        let error = user_state(din.as_ref(), &samples(rows), Device::Cpu).unwrap_err().to_string();
        assert!(error.contains(if rows.is_empty() { "offsets" } else { "2 rows; a state is of one user" }), "{error}");
    }
    let state = state(base.as_ref(), &some_rows()[0]);
    let two = Candidates::new(&space(), vec![item()], Device::Cpu).unwrap();
    let error = din.score_candidates(&state, &two).unwrap_err().to_string();
    assert_eq!(error, "user: 0 histories were read by another model; this one has 1");
    let none = Candidates::new(&space(), Vec::new(), Device::Cpu).unwrap();
    assert_eq!(base.score_candidates(&state, &none).unwrap_err().to_string(), "candidates: there is none");
    assert!(state.beside(&none).is_err());
}

/// Nothing but the candidates' features is looked at: the user's own item changes no score.
#[test]
fn what_the_user_has_for_the_candidates_features_is_not_looked_at() {
    let chosen = candidates(&[(3, 1, 0.5), (8, 0, -1.0)]);
    let [user, ..] = &some_rows()[..] else { unreachable!("there are rows") };
    let other = Row { item: 0, shop: 0, price: 0.0, ..user.clone() };
    for (name, model) in models() {
        let of = |user| candidate_logits(model.as_ref(), &state(model.as_ref(), user), &chosen).unwrap();
        assert_eq!(of(user), of(&other), "{name}");
    }
}

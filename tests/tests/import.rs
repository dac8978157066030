//! Weights of published programs in models that a plain configuration builds.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::Path;

use fain_features::{Column, Samples, SchemaConfig, Sequences};
use fain_layers::Mode;
use fain_models::{
    FeatureSpace, ImportError, ImportProblem, ImportReport, Model, ModelConfig, ModelInput, WeightMapping, complete,
    import_weights, named_tensors, serialize_tensors,
};
use fain_tests::{Case, Fixture, Tolerance};
use serde::Deserialize;
use tch::{Device, Kind, Tensor, nn};

/// A published program: its weights and its scores in the golden values, and our configuration of it.
struct Program {
    fixture: &'static str,
    case: &'static str,
    /// Where its parameters and buffers stand.
    sections: [&'static str; 2],
    /// What it gives for them in evaluation.
    scores: &'static str,
    /// Whether these are probabilities instead of logits.
    probabilities: bool,
    mapping: &'static str,
    /// Features with their inputs of the same name.
    schema: &'static str,
    /// Sizes of the vocabularies, by the feature that each belongs to.
    sizes: &'static [usize],
    model: &'static str,
    lengths: Lengths,
}

/// How long the lists are.
#[derive(Clone, Copy)]
enum Lengths {
    /// As they have ids other than 0.
    Ids,
    /// As this input says.
    Input(&'static str),
    /// All of them as long as they are padded.
    Full,
}

const DIEN: Program = Program {
    fixture: "train_trajectory_dien_bnvalid",
    case: "t0_AUGRU_neg_1pair",
    sections: ["final/param/", "final/buffer/"],
    scores: "final/logit",
    probabilities: false,
    mapping: "dien",
    schema: r#"
        label = "label"
        features.age = { kind = "numeric" }
        features.gender = { kind = "category" }
        features.movieId = { kind = "category" }
        features.occupation = { kind = "category" }
        features.cateId = { kind = "category" }
        features.genres = { kind = "sequence", max_length = 3 }
        features.hist = { kind = "sequence", vocabulary = "movieId", max_length = 8 }
        features.neg = { kind = "sequence", vocabulary = "movieId", max_length = 8 }
    "#,
    sizes: &[3, 40, 6, 8, 6],
    model: r#"
        kind = "dien"
        preset = "notebook"
        pooling = { padded_max = 3 }
        embedding = { dim = 8 }
        interests = [{ candidate = ["movieId"], history = ["hist"], negative = ["neg"] }]
    "#,
    lengths: Lengths::Ids,
};

const DIN: Program = Program {
    fixture: "din_001",
    case: "c0_mixed_b6",
    sections: ["param/", "buffer/"],
    scores: "masked_eval/out/prob",
    probabilities: true,
    mapping: "din_001",
    schema: r#"
        label = "label"
        features.user_id = { kind = "category" }
        features.user_gender = { kind = "category" }
        features.item_id = { kind = "category" }
        features.item_category = { kind = "category" }
        features.user_age = { kind = "numeric" }
        features.item_price = { kind = "numeric" }
        features.target_item_id = { kind = "category", vocabulary = "item_id" }
        features.history_item_ids = { kind = "sequence", vocabulary = "item_id", max_length = 5 }
    "#,
    sizes: &[12, 2, 20, 6],
    model: r#"
        kind = "din"
        preset = "pair"
        interests = [{ candidate = ["target_item_id"], history = ["history_item_ids"] }]
        blocks = [
            { feature = "user_id" }, { feature = "user_gender" }, { feature = "item_id" }, { feature = "item_category" },
            "numbers", { interest = 0 },
        ]
    "#,
    lengths: Lengths::Input("history_length"),
};

const RECHUB: Program = Program {
    fixture: "din_rechub",
    case: "c0_raw_mixed_padNone_b5",
    sections: ["param/", "buffer/"],
    scores: "eval/out/prob",
    probabilities: true,
    mapping: "din_rechub",
    schema: r#"
        label = "label"
        features.target_item_id = { kind = "category" }
        features.target_cate_id = { kind = "category" }
        features.user_id = { kind = "category" }
        features.hist_item_id = { kind = "sequence", vocabulary = "target_item_id", max_length = 6 }
        features.hist_cate_id = { kind = "sequence", vocabulary = "target_cate_id", max_length = 6 }
    "#,
    sizes: &[15, 7, 9],
    model: r#"
        kind = "din"
        preset = "torch_rechub"
        embedding = { dim = 4 }
        attention = { hidden = [6, 3] }
        mlp = { hidden = [8, 5] }
        interests = [
            { candidate = ["target_item_id"], history = ["hist_item_id"] },
            { candidate = ["target_cate_id"], history = ["hist_cate_id"] },
        ]
        order = "standard"
        blocks = [
            { interest = 0 }, { interest = 1 },
            { feature = "target_item_id" }, { feature = "target_cate_id" }, { feature = "user_id" },
            { feature = "target_item_id" }, { feature = "target_cate_id" }, { feature = "user_id" },
        ]
    "#,
    lengths: Lengths::Full,
};

impl Program {
    fn fixture(&self) -> Fixture {
        Fixture::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("golden"), self.fixture).unwrap()
    }

    fn build(&self) -> (nn::VarStore, Box<dyn Model>) {
        let space = FeatureSpace::new(&self.schema().check().unwrap(), self.sizes);
        let mut model: toml::Table = toml::from_str(self.model).unwrap();
        complete(&mut model).unwrap();
        let store = nn::VarStore::new(Device::Cpu);
        let model = ModelConfig::deserialize(model).unwrap().build(&store.root(), &space).unwrap();
        (store, model)
    }

    fn schema(&self) -> SchemaConfig {
        toml::from_str(self.schema).unwrap()
    }

    fn mapping(&self) -> WeightMapping {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings");
        WeightMapping::read(&folder.join(format!("{}.toml", self.mapping))).unwrap()
    }

    /// The program's state dict.
    fn state(&self, case: &Case) -> BTreeMap<String, Tensor> {
        let tensors = self.sections.iter().flat_map(|section| case.tensors(section));
        tensors.map(|(name, tensor)| (name.to_owned(), tensor.shallow_clone())).collect()
    }

    fn samples(&self, case: &Case) -> Samples {
        let columns = self.schema().features.keys().map(|name| self.column(case, name)).collect::<Vec<_>>();
        let rows = case.tensor(self.scores).unwrap().size1().unwrap() as usize;
        Samples { rows, columns, ..Samples::default() }
    }

    fn column(&self, case: &Case, name: &str) -> Column {
        let input = |name: &str| case.tensor(&format!("in/{name}")).unwrap();
        let tensor = input(name);
        if tensor.is_floating_point() {
            return Column::Numeric(Vec::try_from(tensor.reshape([-1])).unwrap());
        }
        let ids = |tensor: &Tensor| Vec::<i64>::try_from(tensor).unwrap().into_iter().map(|id| id as u32);
        if tensor.dim() == 1 {
            return Column::Category(ids(tensor).collect());
        }
        let mut lists = Sequences::default();
        for (row, longest) in (0..tensor.size()[0]).zip(std::iter::repeat(tensor.size()[1])) {
            let list = tensor.get(row);
            let length = match self.lengths {
                Lengths::Ids => ids(&list).filter(|&id| id != 0).count() as i64,
                Lengths::Input(name) => input(name).int64_value(&[row]),
                Lengths::Full => longest,
            };
            lists.values.extend(ids(&list).take(length as usize));
            lists.offsets.push(lists.values.len() as u32);
        }
        Column::Sequence(lists)
    }

    /// Holds what the model gives in evaluation to what the program gives.
    fn check_scores(&self, model: &dyn Model, case: &Case) {
        let input = ModelInput::new(&self.samples(case), Device::Cpu).unwrap();
        let logits = tch::no_grad(|| model.forward(&input, Mode::Evaluation).unwrap().logits);
        let scores = if self.probabilities { logits.sigmoid() } else { logits };
        let scores = Vec::<f64>::try_from(scores.to_kind(Kind::Double)).unwrap();
        let golden = Vec::<f64>::try_from(case.tensor(self.scores).unwrap().to_kind(Kind::Double)).unwrap();
        assert_eq!(scores.len(), golden.len());
        let tolerance = Tolerance { absolute: 2e-6, relative: 1e-5 };
        for (row, (&score, &golden)) in scores.iter().zip(&golden).enumerate() {
            assert!(tolerance.share(score, golden) <= 1.0, "{} row {row}: {score}, {golden}", self.fixture);
        }
    }
}

/// Writes a state dict as a PyTorch program does, and reads it into a model.
fn import(
    store: &nn::VarStore,
    state: &BTreeMap<String, Tensor>,
    mapping: &WeightMapping,
) -> Result<ImportReport, ImportError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("weights.safetensors");
    let tensors: Vec<(String, Tensor)> =
        state.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect();
    std::fs::write(&file, serialize_tensors(&tensors, None).unwrap()).unwrap();
    import_weights(store, &file, mapping)
}

fn case<'a>(program: &Program, fixture: &'a Fixture) -> &'a Case {
    fixture.cases().iter().find(|case| case.id() == program.case).unwrap()
}

#[test]
fn imported_weights_give_the_scores_of_their_program() {
    for program in [DIEN, DIN, RECHUB] {
        let fixture = program.fixture();
        let case = case(&program, &fixture);
        let (store, model) = program.build();
        let state = program.state(case);
        let report = import(&store, &state, &program.mapping()).unwrap();
        assert_eq!(report.tensors.len() + report.ignored.len(), state.len());
        assert!(report.ignored.iter().all(|name| name.ends_with(".num_batches_tracked")), "{:?}", report.ignored);
        program.check_scores(model.as_ref(), case);
    }
}

/// The program reads every feature twice; a model that reads it once takes the sum of both weights.
#[test]
fn columns_that_are_read_twice_can_be_read_once() {
    let once = Program {
        model: r#"
            kind = "din"
            preset = "torch_rechub"
            embedding = { dim = 4 }
            attention = { hidden = [6, 3] }
            mlp = { hidden = [8, 5] }
            interests = [
                { candidate = ["target_item_id"], history = ["hist_item_id"] },
                { candidate = ["target_cate_id"], history = ["hist_cate_id"] },
            ]
            order = "standard"
        "#,
        ..RECHUB
    };
    let fixture = once.fixture();
    let case = case(&once, &fixture);
    let mut mapping = once.mapping();
    let columns = r#"
        [operations]
        "mlp.dense0.weight" = { columns = { widths = [4, 4, 4, 4, 4, 4, 4, 4], order = [[2, 5], [3, 6], [4, 7], 0, 1] } }
    "#;
    mapping.operations = WeightMapping::parse(columns, "columns").unwrap().operations;
    let (store, model) = once.build();
    import(&store, &once.state(case), &mapping).unwrap();
    once.check_scores(model.as_ref(), case);
}

/// The one problem of an import, which leaves the model as it is.
fn problem(program: &Program, state: &BTreeMap<String, Tensor>) -> (ImportProblem, String) {
    let (store, _) = program.build();
    let before: Vec<Tensor> = named_tensors(&store).iter().map(|(_, tensor)| tensor.copy()).collect();
    let error = import(&store, state, &program.mapping()).unwrap_err();
    let message = error.to_string();
    for ((name, after), before) in named_tensors(&store).iter().zip(&before) {
        assert_eq!(after, before, "{name}");
    }
    match error {
        ImportError::Mismatch { problems, .. } => match &problems[..] {
            [problem] => (problem.clone(), message),
            problems => panic!("{problems:?}"),
        },
        error => panic!("{error}"),
    }
}

#[test]
fn a_tensor_that_is_missing_extra_or_misshapen_is_named() {
    for (program, ours, theirs) in [
        (DIEN, "interest0.evolution.weight_hh", "attention_pooling:group1.interest_evolution.rnn.weight_hh"),
        (DIN, "embedding.item_category.weight", "category_embedding.weight"),
        (RECHUB, "interest1.score.activation1.alpha", "attention_layers.1.attention.mlp.6.alpha"),
    ] {
        let fixture = program.fixture();
        let whole = || program.state(case(&program, &fixture));

        let mut state = whole();
        let tensor = state.remove(theirs).unwrap();
        let (problem_of, message) = problem(&program, &state);
        let missing = ImportProblem::Missing { ours: ours.to_owned(), theirs: theirs.to_owned() };
        assert_eq!(problem_of, missing);
        assert!(message.contains(ours) && message.contains(theirs), "{message}");

        let mut state = whole();
        state.insert("teacher.weight".to_owned(), tensor.copy());
        let (problem_of, message) = problem(&program, &state);
        assert_eq!(problem_of, ImportProblem::Extra { theirs: "teacher.weight".to_owned() });
        assert!(message.contains("teacher.weight"), "{message}");

        let mut state = whole();
        let needed = tensor.size();
        let longer = Tensor::cat(&[&tensor, &tensor], 0);
        state.insert(theirs.to_owned(), longer.copy());
        let (problem_of, message) = problem(&program, &state);
        let (ours, theirs) = (ours.to_owned(), theirs.to_owned());
        let got = longer.size();
        assert!(message.contains(&ours) && message.contains(&theirs), "{message}");
        assert_eq!(problem_of, ImportProblem::Shape { ours, theirs, prepared: got.clone(), got, needed });
    }
}

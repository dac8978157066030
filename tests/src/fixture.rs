//! A golden file: cases, their configuration and their tensors.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use fain_layers::Mode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tch::Tensor;

use crate::sidecar::{CaseEntry, Recommendation, Sidecar};
use crate::{Bounds, GoldenError, Tolerance};

/// One way a case is run: training or evaluation, as published or as a named variant.
#[derive(Debug)]
pub struct Section {
    name: String,
    mode: Mode,
    bounds: Option<Bounds>,
}

impl Section {
    /// `train`, `eval`, `bnvalid_train`, …
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the layer is told.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The tolerances in float32; `None` where no value exists and an error is expected.
    pub fn bounds(&self) -> Option<&Bounds> {
        self.bounds.as_ref()
    }
}

/// One configuration of a layer with its inputs and its golden values.
#[derive(Debug)]
pub struct Case {
    place: String,
    id: String,
    config: serde_json::Value,
    sections: Vec<Section>,
    recommended: serde_json::Value,
    others: BTreeMap<String, serde_json::Value>,
    tensors: BTreeMap<String, Tensor>,
}

impl Case {
    /// The case's name in its file.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Reads the configuration.
    ///
    /// # Errors
    /// [`GoldenError::Form`] when it has another form than `T`.
    pub fn config<T: DeserializeOwned>(&self) -> Result<T, GoldenError> {
        T::deserialize(&self.config).map_err(|source| GoldenError::Form { place: self.place.clone(), source })
    }

    /// The tolerance in float32 of a case without sections.
    ///
    /// # Errors
    /// [`GoldenError::Form`] when the fixture gives none, or one in another form.
    pub fn tolerance(&self) -> Result<Tolerance, GoldenError> {
        let recommended = Recommendation::deserialize(&self.recommended)
            .map_err(|source| GoldenError::Form { place: self.place.clone(), source })?;
        Ok(recommended.into())
    }

    /// A golden number that stands in the sidecar itself, as `auc64`.
    ///
    /// # Errors
    /// [`GoldenError::Fixture`] when there is no such number.
    pub fn number(&self, name: &str) -> Result<f64, GoldenError> {
        let number = self.others.get(name).and_then(serde_json::Value::as_f64);
        number.ok_or_else(|| self.problem(format!("there is no number {name}")))
    }

    /// The ways this case is run. Where there are none, the reader accounts for the tensors by itself.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// The tensor `name`, without the case's own name in front.
    ///
    /// # Errors
    /// [`GoldenError::Fixture`] when there is none.
    pub fn tensor(&self, name: &str) -> Result<&Tensor, GoldenError> {
        self.tensors.get(name).ok_or_else(|| self.problem(format!("there is no tensor {name}")))
    }

    /// The tensors whose name starts with `prefix`, with the rest of their names, in order.
    pub fn tensors<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a Tensor)> {
        self.tensors.iter().filter_map(move |(name, tensor)| Some((name.strip_prefix(prefix)?, tensor)))
    }

    /// An error that names this case.
    pub fn problem(&self, problem: String) -> GoldenError {
        GoldenError::Fixture { place: self.place.clone(), problem }
    }

    fn new(file: &str, entry: CaseEntry, tensors: BTreeMap<String, Tensor>) -> Result<Self, GoldenError> {
        let mut case = Self {
            place: format!("{file} {}", entry.id),
            id: entry.id,
            config: entry.config,
            sections: Vec::new(),
            recommended: entry.recommended,
            others: entry.others,
            tensors,
        };
        let Some(modes) = entry.modes else { return Ok(case) };
        for (name, entry) in modes {
            let mode = match name.rsplit('_').next() {
                Some("train") => Mode::Training,
                Some("eval") => Mode::Evaluation,
                _ => return Err(case.problem(format!("{name:?} ends in neither train nor eval"))),
            };
            let bounds = if entry.source == "none" {
                None
            } else {
                let bounds = entry.bounds();
                Some(bounds.ok_or_else(|| case.problem(format!("{name} has no tolerance")))?)
            };
            case.sections.push(Section { name, mode, bounds });
        }
        case.check_tensors()?;
        Ok(case)
    }

    /// A tensor outside the known sections would never be compared, so it must not exist.
    fn check_tensors(&self) -> Result<(), GoldenError> {
        let mut used = BTreeSet::new();
        for name in self.tensors.keys() {
            let section = name.split('/').next().unwrap_or_default();
            let single = section.strip_suffix("64").unwrap_or(section);
            used.insert(single);
            let known = self.sections.iter().any(|known| known.bounds.is_some() && known.name == single);
            if !known && !["param", "buffer", "in", "w"].contains(&section) {
                return Err(self.problem(format!("no section is declared for tensor {name}")));
            }
        }
        if self.sections.is_empty() {
            return Err(self.problem("there is no section".to_owned()));
        }
        for section in &self.sections {
            if section.bounds.is_some() && !used.contains(section.name.as_str()) {
                return Err(self.problem(format!("section {} has no tensors", section.name)));
            }
        }
        Ok(())
    }
}

/// A layer's golden values: `NAME.json` and `NAME.safetensors`.
#[derive(Debug)]
pub struct Fixture {
    name: String,
    cases: Vec<Case>,
}

impl Fixture {
    /// Reads both files of `name` in `folder`.
    ///
    /// # Errors
    /// [`GoldenError::File`], [`GoldenError::Form`] or [`GoldenError::Torch`] when a file cannot be read;
    /// [`GoldenError::Fixture`] when the two do not agree.
    pub fn read(folder: &Path, name: &str) -> Result<Self, GoldenError> {
        let path = folder.join(format!("{name}.json"));
        let place = path.display().to_string();
        let text = std::fs::read(&path).map_err(|source| GoldenError::File { file: place.clone(), source })?;
        let sidecar: Sidecar = serde_json::from_slice(&text).map_err(|source| GoldenError::Form { place, source })?;
        let tensors = Tensor::read_safetensors(folder.join(format!("{name}.safetensors")))?;
        Self::new(name, sidecar, tensors)
    }

    fn new(name: &str, sidecar: Sidecar, tensors: Vec<(String, Tensor)>) -> Result<Self, GoldenError> {
        let problem = |problem: String| GoldenError::Fixture { place: name.to_owned(), problem };
        let mut declared: BTreeSet<String> = sidecar.tensors.into_keys().collect();
        let mut by_case: BTreeMap<String, BTreeMap<String, Tensor>> = BTreeMap::new();
        for (full, tensor) in tensors {
            if !declared.remove(&full) {
                return Err(problem(format!("the sidecar does not list tensor {full}")));
            }
            let (case, rest) = full.split_once('/').ok_or_else(|| problem(format!("tensor {full} names no case")))?;
            by_case.entry(case.to_owned()).or_default().insert(rest.to_owned(), tensor);
        }
        if let Some(missing) = declared.first() {
            return Err(problem(format!("tensor {missing} is listed but absent")));
        }
        let mut cases = Vec::with_capacity(sidecar.cases.len());
        for entry in sidecar.cases {
            let tensors = by_case.remove(&entry.id).unwrap_or_default();
            cases.push(Case::new(name, entry, tensors)?);
        }
        if let Some(case) = by_case.keys().next() {
            return Err(problem(format!("case {case} has tensors but no entry")));
        }
        Ok(Self { name: name.to_owned(), cases })
    }

    /// The name of the files, without ending.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The cases, in the order of the sidecar.
    pub fn cases(&self) -> &[Case] {
        &self.cases
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
    use super::*;

    /// A fixture with one case `c0` in the given mode, whose files hold the given tensors.
    fn fixture(mode: &str, listed: &[&str], present: &[&str]) -> Result<Fixture, GoldenError> {
        let listed: BTreeMap<&str, &str> = listed.iter().map(|&name| (name, "float64[1]")).collect();
        let text = format!(
            r#"{{"cases": [{{"id": "c0", "config": {{"size": 3}}, "modes": {mode}}}], "tensors": {}, "notes": ""}}"#,
            serde_json::to_string(&listed).unwrap()
        );
        let tensors = present.iter().map(|&name| (name.to_owned(), Tensor::from_slice(&[1.0]))).collect();
        Fixture::new("layer", serde_json::from_str(&text).unwrap(), tensors)
    }

    const TRAIN: &str = r#"{"train": {"source": "reference",
        "recommended": {"out": {"atol": 3e-6, "rtol": 1e-5}, "grad_in": "not comparable"},
        "f32_f64": {"out": {"max_abs": 1.0}, "grad_in": {"max_abs": 1e-9}, "grad": {"max_abs": 1e-6},
            "buffer": {"max_abs": 0.0}}}}"#;

    fn problem(result: Result<Fixture, GoldenError>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn tolerances_are_recommended_or_made_by_the_same_rule() {
        let names = ["c0/in/x", "c0/train64/out/y"];
        let fixture = fixture(TRAIN, &names, &names).unwrap();
        let [case] = fixture.cases() else { panic!("one case") };
        let [section] = case.sections() else { panic!("one section") };
        assert_eq!((section.name(), section.mode()), ("train", Mode::Training));
        let tolerance = |absolute| Tolerance { absolute, relative: 1e-5 };
        let expected =
            Bounds { out: tolerance(3e-6), grad_in: tolerance(2e-6), grad: tolerance(8e-6), buffer: tolerance(2e-6) };
        assert_eq!(section.bounds(), Some(&expected));
        assert!(case.tensors("train64/").map(|(name, _)| name).eq(["out/y"]));
        assert_eq!(case.tensor("out/y").unwrap_err().to_string(), "layer c0: there is no tensor out/y");
    }

    #[test]
    fn a_config_of_another_form_names_the_case_and_the_key() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Other {
            #[serde(rename = "width")]
            _width: i64,
        }
        let names = ["c0/train64/out/y"];
        let fixture = fixture(TRAIN, &names, &names).unwrap();
        let error = fixture.cases()[0].config::<Other>().unwrap_err().to_string();
        assert_eq!(error, "layer c0: unknown field `size`, expected `width`");
    }

    #[test]
    fn a_section_without_a_source_expects_an_error() {
        let fixture = fixture(r#"{"bnvalid_eval": {"source": "none"}}"#, &[], &[]).unwrap();
        let [section] = fixture.cases()[0].sections() else { panic!("one section") };
        assert_eq!((section.mode(), section.bounds()), (Mode::Evaluation, None));
    }

    #[test]
    fn a_case_without_sections_has_its_own_tolerance() {
        for (recommended, expected) in [
            (r#"{"atol": 3e-6, "rtol": 1e-5}"#, Ok(Tolerance { absolute: 3e-6, relative: 1e-5 })),
            (r#""as tight as can be""#, Err("invalid type: string")),
            ("null", Err("invalid type: null")),
        ] {
            let text = format!(
                r#"{{"cases": [{{"id": "c0", "config": {{}}, "recommended": {recommended}, "auc64": 0.75}}], "tensors": {{}}}}"#
            );
            let fixture = Fixture::new("rule", serde_json::from_str(&text).unwrap(), Vec::new()).unwrap();
            let case = &fixture.cases()[0];
            assert!(case.sections().is_empty());
            assert!(case.number("auc64").is_ok_and(|number| (number - 0.75).abs() < 1e-12));
            assert_eq!(case.number("auc").unwrap_err().to_string(), "rule c0: there is no number auc");
            match (case.tolerance(), expected) {
                (Ok(tolerance), Ok(expected)) => assert_eq!(tolerance, expected),
                (Err(error), Err(expected)) => {
                    let error = error.to_string();
                    assert!(error.starts_with("rule c0: ") && error.contains(expected), "{error}");
                }
                (tolerance, expected) => panic!("{tolerance:?}, expected {expected:?}"),
            }
        }
    }

    #[test]
    fn files_that_contradict_each_other_are_refused() {
        let good = "c0/train64/out/y";
        for (mode, listed, present, expected) in [
            (TRAIN, vec![good], vec![good, "c0/in/x"], "layer: the sidecar does not list tensor c0/in/x"),
            (TRAIN, vec![good, "c0/in/x"], vec![good], "layer: tensor c0/in/x is listed but absent"),
            (TRAIN, vec![good, "x"], vec![good, "x"], "layer: tensor x names no case"),
            (TRAIN, vec![good, "c1/in/x"], vec![good, "c1/in/x"], "layer: case c1 has tensors but no entry"),
            (TRAIN, vec![], vec![], "layer c0: section train has no tensors"),
            ("{}", vec![], vec![], "layer c0: there is no section"),
            (
                TRAIN,
                vec![good, "c0/eval64/out/y"],
                vec![good, "c0/eval64/out/y"],
                "layer c0: no section is declared for tensor eval64/out/y",
            ),
            (
                r#"{"test": {"source": "reference"}}"#,
                vec![],
                vec![],
                "layer c0: \"test\" ends in neither train nor eval",
            ),
            (r#"{"train": {"source": "reference"}}"#, vec![], vec![], "layer c0: train has no tolerance"),
            (&TRAIN.replace("not comparable", "large"), vec![], vec![], "layer c0: train has no tolerance"),
        ] {
            assert_eq!(problem(fixture(mode, &listed, &present)), expected);
        }
    }
}

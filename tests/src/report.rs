//! What a comparison found.

use std::collections::BTreeMap;
use std::fmt;

use tch::{Kind, Tensor};

use crate::{GoldenError, Precision, Tolerance};

/// Something in the fixtures that a layer is not held to.
#[derive(Debug, PartialEq, Eq)]
pub struct Exclusion {
    /// A short name.
    pub name: &'static str,
    /// Why.
    pub reason: &'static str,
}

/// Where numbers are compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The fixture.
    pub layer: String,
    /// The case in it.
    pub case: String,
    /// The section of the case.
    pub section: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.layer, self.case, self.section)
    }
}

/// What an exclusion kept out at one place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeptOut {
    /// Tensors that were not held to their golden values.
    pub tensors: usize,
    /// Those of them that would have failed. An exclusion without any is no longer needed.
    pub differing: usize,
}

/// Counts and failures of the comparisons so far.
#[derive(Debug, Default)]
pub struct Report {
    layers: BTreeMap<String, Layer>,
    kept_out: BTreeMap<(&'static str, Place), KeptOut>,
    failures: Vec<String>,
}

#[derive(Debug, Default)]
struct Layer {
    cases: usize,
    refusals: usize,
    tensors: BTreeMap<Precision, usize>,
    /// The largest share of a tolerance that was used.
    worst: BTreeMap<Precision, f64>,
}

impl Report {
    /// What did not agree, one line each.
    pub fn failures(&self) -> &[String] {
        &self.failures
    }

    /// Tensors that were held to golden values.
    pub fn compared(&self) -> usize {
        let layers = self.layers.values();
        layers.flat_map(|layer| layer.tensors.values()).sum()
    }

    /// What each exclusion, by name, kept out at each place.
    pub fn kept_out(&self) -> &BTreeMap<(&'static str, Place), KeptOut> {
        &self.kept_out
    }

    /// Records a failure.
    pub fn fail(&mut self, problem: String) {
        self.failures.push(problem);
    }

    /// Counts a case of a fixture.
    pub fn count_case(&mut self, layer: &str) {
        self.layers.entry(layer.to_owned()).or_default().cases += 1;
    }

    pub(crate) fn count_refusal(&mut self, layer: &str) {
        self.layers.entry(layer.to_owned()).or_default().refusals += 1;
    }

    /// Records that `exclusion` kept a tensor out, and whether it would have differed.
    pub fn keep_out(&mut self, exclusion: &'static Exclusion, place: &Place, differs: bool) {
        let key = (exclusion.name, place.clone());
        let entry = self.kept_out.entry(key).or_default();
        entry.tensors += 1;
        entry.differing += usize::from(differs);
    }

    /// Holds `got` to `expected`, unless an exclusion keeps it out.
    ///
    /// # Errors
    /// [`GoldenError::Torch`] when a tensor has no numbers to read.
    pub fn compare(&mut self, what: &Comparison<'_>, got: &Tensor, expected: &Tensor) -> Result<(), GoldenError> {
        let (share, problem) = difference(got, expected, what.tolerance)?;
        if let Some(exclusion) = what.exclusion {
            self.keep_out(exclusion, what.place, problem.is_some());
            return Ok(());
        }
        let layer = self.layers.entry(what.place.layer.clone()).or_default();
        *layer.tensors.entry(what.precision).or_default() += 1;
        let worst = layer.worst.entry(what.precision).or_default();
        *worst = worst.max(share);
        if let Some(problem) = problem {
            let Comparison { place, tensor, .. } = what;
            let precision = what.precision;
            self.fail(format!("{place} {tensor} ({precision:?}): {problem}"));
        }
        Ok(())
    }
}

/// One tensor to compare.
#[derive(Debug, Clone, Copy)]
pub struct Comparison<'a> {
    /// Where it is.
    pub place: &'a Place,
    /// Its name there.
    pub tensor: &'a str,
    /// What was computed in.
    pub precision: Precision,
    /// How far it may lie from the golden value.
    pub tolerance: Tolerance,
    /// Why it is not held to it, if it is not.
    pub exclusion: Option<&'static Exclusion>,
}

impl fmt::Display for Report {
    /// One line for each layer, then one for each exclusion of a layer.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, layer) in &self.layers {
            let of = |precision| layer.tensors.get(&precision).copied().unwrap_or(0);
            let used = |precision| layer.worst.get(&precision).copied().unwrap_or(0.0);
            writeln!(
                f,
                "{name}: {} cases; {} tensors in float32 (at most {:.2} of the tolerance used), {} in float64 (at most {:.1e}); {} refusals",
                layer.cases,
                of(Precision::Single),
                used(Precision::Single),
                of(Precision::Double),
                used(Precision::Double),
                layer.refusals,
            )?;
        }
        let mut totals: BTreeMap<(&str, &str), (usize, usize)> = BTreeMap::new();
        for ((name, place), kept) in &self.kept_out {
            let (places, tensors) = totals.entry((name, &place.layer)).or_default();
            *places += 1;
            *tensors += kept.tensors;
        }
        for ((name, layer), (places, tensors)) in totals {
            writeln!(f, "kept out of {layer}: {tensors} tensors in {places} sections, for {name}")?;
        }
        Ok(())
    }
}

/// The largest share of the tolerance used, and the entry that exceeds it most.
fn difference(got: &Tensor, expected: &Tensor, tolerance: Tolerance) -> Result<(f64, Option<String>), GoldenError> {
    if got.size() != expected.size() {
        let problem = format!("shape {:?}, expected {:?}", got.size(), expected.size());
        return Ok((f64::INFINITY, Some(problem)));
    }
    let numbers = |tensor: &Tensor| -> Result<Vec<f64>, GoldenError> {
        let flat = tensor.f_detach()?.f_to_kind(Kind::Double)?.f_reshape([-1])?;
        Ok(Vec::try_from(flat)?)
    };
    let (mut worst, mut problem) = (0.0, None);
    for (index, (got, expected)) in numbers(got)?.iter().zip(numbers(expected)?).enumerate() {
        let share = tolerance.share(*got, expected);
        if share > worst {
            worst = share;
            let allowed = tolerance.allowed(expected);
            problem =
                (share > 1.0).then(|| format!("entry {index} is {got}, expected {expected} within {allowed:.1e}"));
        }
    }
    Ok((worst, problem))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    static KNOWN: Exclusion = Exclusion { name: "known", reason: "for the test" };

    fn place() -> Place {
        Place { layer: "layer".to_owned(), case: "c0".to_owned(), section: "train".to_owned() }
    }

    fn compare(report: &mut Report, got: &[f64], exclusion: Option<&'static Exclusion>) {
        let what = Comparison {
            place: &place(),
            tensor: "out/y",
            precision: Precision::Double,
            tolerance: Tolerance::both(1e-9),
            exclusion,
        };
        let expected = Tensor::from_slice(&[1.0, 2.0]);
        report.compare(&what, &Tensor::from_slice(got), &expected).unwrap();
    }

    #[test]
    fn a_failure_names_place_tensor_entry_and_bound() {
        let mut report = Report::default();
        compare(&mut report, &[1.0, 2.0], None);
        assert!(report.failures().is_empty());
        compare(&mut report, &[1.0, 2.5], None);
        compare(&mut report, &[f64::NAN, 2.0], None);
        compare(&mut report, &[1.0, 2.0, 3.0], None);
        assert_eq!(
            report.failures(),
            [
                "layer c0 train out/y (Double): entry 1 is 2.5, expected 2 within 3.0e-9",
                "layer c0 train out/y (Double): entry 0 is NaN, expected 1 within 2.0e-9",
                "layer c0 train out/y (Double): shape [3], expected [2]",
            ]
        );
        assert_eq!(report.compared(), 4);
    }

    #[test]
    fn what_is_kept_out_is_counted_and_compared_all_the_same() {
        let mut report = Report::default();
        compare(&mut report, &[1.0, 2.0], Some(&KNOWN));
        compare(&mut report, &[1.0, 2.5], Some(&KNOWN));
        assert!(report.failures().is_empty());
        assert_eq!(report.compared(), 0);
        let kept = KeptOut { tensors: 2, differing: 1 };
        assert_eq!(report.kept_out()[&("known", place())], kept);
    }
}

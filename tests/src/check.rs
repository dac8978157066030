//! Holds a layer to a fixture.

use fain_layers::Mode;
use tch::{Device, Kind, Tensor, nn};

use crate::inputs::gradient;
use crate::report::Comparison;
use crate::variables::{Variables, align, is_batch_count};
use crate::{
    BATCH_COUNT, Bounds, Case, Fixture, GoldenError, Inputs, Place, Precision, Report, Section, Subject, Tolerance,
};

/// Runs `subject` on every section of every case, in float32 and in float64, and records what differs.
///
/// Compared with the float64 values: outputs, the loss `Σ out · w`, gradients with respect to inputs and parameters,
/// and buffers after a training pass. Besides, buffers must stay as they are in evaluation and when the layer refuses,
/// and the gradient of padding must be exactly zero.
pub fn check(subject: &dyn Subject, fixture: &Fixture, report: &mut Report) {
    let layer = match subject.variant() {
        Some(variant) => format!("{} ({variant})", fixture.name()),
        None => fixture.name().to_owned(),
    };
    for case in fixture.cases() {
        report.count_case(&layer);
        for section in case.sections() {
            let place = Place { layer: layer.clone(), case: case.id().to_owned(), section: section.name().to_owned() };
            for precision in Precision::ALL {
                let run = Run { subject, case, section, place: &place, precision };
                if let Err(error) = run.go(report) {
                    report.fail(format!("{place} ({precision:?}): {error}"));
                }
            }
        }
    }
}

struct Run<'a> {
    subject: &'a dyn Subject,
    case: &'a Case,
    section: &'a Section,
    place: &'a Place,
    precision: Precision,
}

impl Run<'_> {
    fn go(&self, report: &mut Report) -> Result<(), GoldenError> {
        let mut store = nn::VarStore::new(Device::Cpu);
        let forward = self.subject.build_for(&store.root(), self.case, self.section)?;
        if self.precision == Precision::Double {
            store.double();
        }
        let variables = Variables::load(&store, self.case, self.subject)?;
        let inputs = Inputs::new(self.case, self.precision)?;
        let outputs = forward(&inputs, self.section.mode());
        if self.section.mode() == Mode::Evaluation || self.section.bounds().is_none() {
            self.check_buffers_stay(&variables, report)?;
        }
        let Some(single) = self.section.bounds() else {
            return self.check_refusal(outputs, report);
        };
        let outputs = outputs?;
        let bounds = match self.precision {
            Precision::Single => *single,
            Precision::Double => Bounds::all(self.subject.double(self.case)),
        };
        let loss = self.loss(&outputs)?;
        // Where no event is left, an output may depend on nothing; every gradient is zero then.
        if loss.requires_grad() {
            loss.f_backward()?;
        }
        for (name, _) in &outputs {
            self.case.tensor(&self.golden(&format!("out/{name}")))?;
        }
        self.check_unlisted_gradients(&variables, report)?;
        self.check_padding(&inputs, report)?;
        for (name, expected) in self.case.tensors(&self.golden("")) {
            let (part, variable) = name.split_once('/').unwrap_or((name, ""));
            let found;
            let (got, tolerance) = match part {
                "loss" => {
                    found = loss.f_reshape([1])?;
                    (Some(&found), self.loss_tolerance(&bounds)?)
                }
                "out" => {
                    let output = outputs.iter().find(|(name, _)| *name == variable);
                    (output.map(|(_, tensor)| tensor), bounds.of(part)?)
                }
                "grad_in" => {
                    found = gradient(inputs.tensor(variable)?)?;
                    (Some(&found), bounds.of(part)?)
                }
                "grad" => match variables.get(variable) {
                    Some(tensor) => {
                        let exported = self.subject.export(self.case, variable, &gradient(tensor)?)?;
                        found = align(variable, &exported, &expected.size())?;
                        (Some(&found), bounds.of(part)?)
                    }
                    None => (None, bounds.of(part)?),
                },
                _ => match variables.get(variable) {
                    Some(tensor) => {
                        found = self.subject.export(self.case, variable, tensor)?;
                        (Some(&found), bounds.of(part)?)
                    }
                    None => (None, bounds.of(part)?),
                },
            };
            self.compare(name, got, expected, tolerance, report)?;
        }
        Ok(())
    }

    fn compare(
        &self,
        name: &str,
        got: Option<&Tensor>,
        expected: &Tensor,
        tolerance: Tolerance,
        report: &mut Report,
    ) -> Result<(), GoldenError> {
        let Some(got) = got else {
            if is_batch_count(name) {
                report.keep_out(&BATCH_COUNT, self.place, true);
                return Ok(());
            }
            return Err(self.case.problem(format!("the layer has no {name}")));
        };
        let what = Comparison {
            place: self.place,
            tensor: name,
            precision: self.precision,
            tolerance,
            exclusion: self.subject.excluded(self.case, self.section, name)?,
        };
        report.compare(&what, got, expected)
    }

    /// The full name of a golden value: all comparisons are with the float64 section.
    fn golden(&self, name: &str) -> String {
        format!("{}64/{name}", self.section.name())
    }

    fn loss(&self, outputs: &[(&'static str, Tensor)]) -> Result<Tensor, GoldenError> {
        let mut loss = Tensor::f_zeros([], (self.precision.kind(), Device::Cpu))?;
        for (name, output) in outputs {
            let weight = self.case.tensor(&format!("w/{name}"))?;
            let weight = weight.f_to_kind(self.precision.kind())?;
            if weight.size() != output.size() {
                let (got, needed) = (output.size(), weight.size());
                let problem = format!("output {name} has shape {got:?}, {needed:?} is golden");
                return Err(self.case.problem(problem));
            }
            let part = output.f_mul(&weight)?.f_sum(self.precision.kind())?;
            loss = loss.f_add(&part)?;
        }
        Ok(loss)
    }

    /// What the tolerance of the outputs allows the loss.
    fn loss_tolerance(&self, bounds: &Bounds) -> Result<Tolerance, GoldenError> {
        let mut absolute = 0.0;
        let prefix = self.golden("out/");
        for (name, expected) in self.case.tensors(&prefix) {
            let weight = self.case.tensor(&format!("w/{name}"))?;
            let allowed = expected.f_abs()?.f_mul_scalar(bounds.out.relative)?.f_add_scalar(bounds.out.absolute)?;
            let total = allowed.f_mul(&weight.f_abs()?)?.f_sum(Kind::Double)?;
            absolute += f64::try_from(total)?;
        }
        Ok(Tolerance { absolute, relative: 0.0 })
    }

    fn check_refusal(
        &self,
        outputs: Result<Vec<(&'static str, Tensor)>, GoldenError>,
        report: &mut Report,
    ) -> Result<(), GoldenError> {
        let (place, precision) = (self.place, self.precision);
        let exclusion = self.subject.excluded(self.case, self.section, "refusal")?;
        match outputs {
            Err(error) if self.subject.is_expected(&error) => match exclusion {
                Some(exclusion) => report.keep_out(exclusion, place, false),
                None => report.count_refusal(&place.layer),
            },
            Err(error) => report.fail(format!("{place} ({precision:?}): refused for the wrong reason: {error}")),
            Ok(_) => match exclusion {
                Some(exclusion) => report.keep_out(exclusion, place, true),
                None => report.fail(format!("{place} ({precision:?}): an error is expected")),
            },
        }
        Ok(())
    }

    /// Evaluation, and a pass that is refused, leave the buffers to the last bit.
    fn check_buffers_stay(&self, variables: &Variables, report: &mut Report) -> Result<(), GoldenError> {
        for (name, before) in self.case.tensors("buffer/") {
            let Some(after) = variables.get(name) else {
                report.keep_out(&BATCH_COUNT, self.place, true);
                continue;
            };
            let before = self.subject.import(self.case, name, before)?;
            if !align(name, &before, &after.size())?.f_to_kind(after.kind())?.f_equal(after)? {
                let (place, precision) = (self.place, self.precision);
                report.fail(format!("{place} ({precision:?}): buffer {name} has changed"));
            }
        }
        Ok(())
    }

    /// A parameter without a golden gradient never receives one.
    fn check_unlisted_gradients(&self, variables: &Variables, report: &mut Report) -> Result<(), GoldenError> {
        for name in variables.references() {
            let Some(variable) = variables.get(name).filter(|tensor| tensor.requires_grad()) else {
                continue;
            };
            let golden = self.golden(&format!("grad/{name}"));
            if self.case.tensor(&golden).is_err() && !is_zero(&gradient(variable)?)? {
                let (place, precision) = (self.place, self.precision);
                report.fail(format!("{place} ({precision:?}): {name} has a gradient but no golden one"));
            }
        }
        Ok(())
    }

    fn check_padding(&self, inputs: &Inputs, report: &mut Report) -> Result<(), GoldenError> {
        for (name, tensor) in inputs.sequences(self.subject.sequences()) {
            let padding = inputs.padding(name)?;
            if !is_zero(&padding.padding_of(&gradient(tensor)?)?)? {
                let (place, precision) = (self.place, self.precision);
                report.fail(format!("{place} ({precision:?}): the padding of {name} has a gradient"));
            }
        }
        Ok(())
    }
}

/// Whether every entry is exactly zero.
fn is_zero(tensor: &Tensor) -> Result<bool, GoldenError> {
    Ok(tensor.f_equal(&tensor.f_zeros_like()?)?)
}

//! The harness finds what is wrong: layers that are broken on purpose fail, each for its own reason.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;

use fain_layers::{AttentionalGru, AttentionalGruConfig, Dice, DiceVariant, Jagged, JaggedLayout, Mode, Recurrence};
use fain_tests::{Case, Exclusion, Fixture, Forward, GoldenError, Report, Section, Subject, check};
use tch::{Device, Kind, nn};

fn fixture(name: &str) -> Fixture {
    Fixture::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("golden"), name).unwrap()
}

/// The failures of a layer, without the numbers.
fn failures(subject: &dyn Subject, name: &str) -> Vec<String> {
    let mut report = Report::default();
    check(subject, &fixture(name), &mut report);
    report.failures().to_vec()
}

fn assert_any(failures: &[String], expected: &str) {
    assert!(failures.iter().any(|failure| failure.contains(expected)), "no {expected:?} in {failures:#?}");
}

/// Sum pooling whatever the case asks for, a millionth too large.
struct InexactSum;

impl Subject for InexactSum {
    fn build(&self, _: &nn::Path<'_>, _: &Case) -> Result<Forward, GoldenError> {
        Ok(Box::new(|inputs, _| {
            let list = inputs.tensor("x")?;
            Ok(vec![("y", list.f_sum_dim_intlist([1].as_slice(), false, list.kind())?.f_mul_scalar(1.000_001)?)])
        }))
    }
}

#[test]
fn wrong_numbers_are_found() {
    let failures = failures(&InexactSum, "pooling");
    for tensor in ["loss", "out/y", "grad_in/x"] {
        assert_any(&failures, &format!("pooling c0_max train {tensor} (Single): entry "));
    }
    // An error of a millionth is within the bounds of float32, and far outside those of float64.
    assert!(!failures.iter().any(|failure| failure.starts_with("pooling c1_sum") && failure.contains("(Single)")));
    for tensor in ["loss", "out/y", "grad_in/x"] {
        assert_any(&failures, &format!("pooling c1_sum eval {tensor} (Double): entry "));
    }
}

/// Dice that is wrong in a way of choice.
enum WrongDice {
    /// Lacks the scale and shift of the fixture.
    WithoutScale,
    /// Looks one variable up under the name of another.
    Misnamed,
    /// Takes batch statistics in evaluation, and running ones in training.
    ModesSwapped,
    /// Drops the gradient of its parameters.
    Detached,
    /// Answers under another name.
    OtherOutput,
}

impl Subject for WrongDice {
    fn build(&self, variables: &nn::Path<'_>, case: &Case) -> Result<Forward, GoldenError> {
        let variant = if matches!(self, Self::WithoutScale) { DiceVariant::Paper } else { DiceVariant::Affine };
        let dice = Dice::new(variables, case.tensor("param/alpha")?.size()[0], variant)?;
        let name = if matches!(self, Self::OtherOutput) { "z" } else { "y" };
        let (swapped, detached) = (matches!(self, Self::ModesSwapped), matches!(self, Self::Detached));
        Ok(Box::new(move |inputs, mode| {
            let mode = match (swapped, mode) {
                (true, Mode::Training) => Mode::Evaluation,
                (true, Mode::Evaluation) => Mode::Training,
                (false, mode) => mode,
            };
            let output = dice.forward(inputs.tensor("x")?, mode)?;
            let output = if detached { output.f_detach()? } else { output };
            Ok(vec![(name, output)])
        }))
    }

    fn rename(&self, reference: &str) -> String {
        if matches!(self, Self::Misnamed) {
            return reference.replace("running_var", "running_mean");
        }
        reference.to_owned()
    }
}

#[test]
fn a_variable_that_one_side_lacks_is_found() {
    let wrong = failures(&WrongDice::WithoutScale, "dice_2d");
    assert_any(&wrong, "dice_2d c0_plain eval (Single): variable bn.bias: the layer has no variable bn.bias");
    let wrong = failures(&WrongDice::Misnamed, "dice_2d");
    assert_any(&wrong, "variable bn.running_var: bn.running_mean was given a value before");
}

#[test]
fn swapped_modes_are_found() {
    let wrong = failures(&WrongDice::ModesSwapped, "dice_2d");
    assert_any(&wrong, "dice_2d c0_plain eval (Double): buffer bn.running_mean has changed");
    assert_any(&wrong, "dice_2d c0_plain train buffer/bn.running_var (Double): entry ");
    assert_any(&wrong, "dice_2d c3_batch1 train (Single): an error is expected");
    assert_any(&wrong, "dice_2d c3_batch1 eval (Single): batch normalisation takes statistics");
}

/// Dice that refuses nothing.
struct LenientDice {
    excluded: bool,
}

static LENIENT: Exclusion = Exclusion { name: "lenient", reason: "for the test" };

impl Subject for LenientDice {
    fn build(&self, variables: &nn::Path<'_>, case: &Case) -> Result<Forward, GoldenError> {
        let dice = Dice::new(variables, case.tensor("param/alpha")?.size()[0], DiceVariant::Affine)?;
        Ok(Box::new(move |inputs, mode| {
            let input = inputs.tensor("x")?;
            let mode = if input.size()[0] == 1 { Mode::Evaluation } else { mode };
            Ok(vec![("y", dice.forward(input, mode)?)])
        }))
    }

    fn excluded(
        &self,
        _case: &Case,
        _section: &Section,
        tensor: &str,
    ) -> Result<Option<&'static Exclusion>, GoldenError> {
        Ok((self.excluded && tensor == "refusal").then_some(&LENIENT))
    }
}

#[test]
fn a_refusal_that_is_kept_out_is_counted() {
    let failed = failures(&LenientDice { excluded: false }, "dice_2d");
    let message = |precision: &str| format!("dice_2d c3_batch1 train ({precision}): an error is expected");
    assert_eq!(failed, [message("Single"), message("Double")]);
    let mut report = Report::default();
    check(&LenientDice { excluded: true }, &fixture("dice_2d"), &mut report);
    assert!(report.failures().is_empty(), "{:?}", report.failures());
    let lenient: Vec<_> = report.kept_out().iter().filter(|((name, _), _)| *name == LENIENT.name).collect();
    let [((_, place), kept)] = lenient[..] else { panic!("{lenient:?}") };
    assert_eq!(place.to_string(), "dice_2d c3_batch1 train");
    assert_eq!((kept.tensors, kept.differing), (2, 2));
}

#[test]
fn missing_gradients_are_found() {
    let wrong = failures(&WrongDice::Detached, "dice_2d");
    for tensor in ["grad_in/x", "grad/alpha", "grad/bn.weight"] {
        assert_any(&wrong, &format!("dice_2d c0_plain train {tensor} (Double): entry "));
    }
    assert!(!wrong.iter().any(|failure| failure.contains(" out/y ")), "{wrong:#?}");
}

#[test]
fn an_output_without_golden_values_is_found() {
    let wrong = failures(&WrongDice::OtherOutput, "dice_2d");
    assert_any(&wrong, "dice_2d c0_plain train (Single): dice_2d c0_plain: there is no tensor w/z");
}

/// Sums keys, padding and all.
struct SumOfPadding;

impl Subject for SumOfPadding {
    fn build(&self, variables: &nn::Path<'_>, case: &Case) -> Result<Forward, GoldenError> {
        // The fixture's parameters, so that loading succeeds; none of them is used.
        for (name, value) in case.tensors("param/") {
            let (scope, leaf) = name.rsplit_once('.').unwrap();
            let path = scope.split('.').fold(variables.clone(), |path, part| path / part);
            let _unused = path.f_zeros(leaf, &value.size())?;
        }
        Ok(Box::new(|inputs, _| {
            let keys = inputs.tensor("keys")?;
            Ok(vec![("y", keys.f_sum_dim_intlist([1].as_slice(), false, keys.kind())?)])
        }))
    }
}

#[test]
fn a_gradient_of_padding_is_found() {
    let wrong = failures(&SumOfPadding, "attention_din");
    assert_any(&wrong, "attention_din c9_relu_nobn_zero_all_garbage eval (Double): the padding of keys has a gradient");
    assert_any(&wrong, "attention_din c9_relu_nobn_zero_all_garbage eval out/y (Double): entry ");
}

/// The scores' sum, padding and all.
struct SumOfScores {
    /// Whether the harness is told that the scores are a sequence.
    told: bool,
}

impl Subject for SumOfScores {
    fn build(&self, variables: &nn::Path<'_>, case: &Case) -> Result<Forward, GoldenError> {
        for (name, value) in case.tensors("param/") {
            let _unused = variables.f_zeros(name, &value.size())?;
        }
        Ok(Box::new(|inputs, _| {
            let scores = inputs.tensor("scores")?;
            let sums = scores.f_sum_dim_intlist([1].as_slice(), true, scores.kind())?;
            Ok(vec![("last", sums.f_expand([-1, 4], false)?)])
        }))
    }

    fn sequences(&self) -> &[&str] {
        if self.told { &["scores"] } else { &[] }
    }

    fn variant(&self) -> Option<&'static str> {
        Some("wrong")
    }
}

#[test]
fn shared_lengths_say_what_is_padding() {
    let padding = "aigru (wrong) c4_zero_one_garbage eval (Double): the padding of scores has a gradient";
    assert_any(&failures(&SumOfScores { told: true }, "aigru"), padding);
    // A matrix may be anything, a state for example.
    let wrong = failures(&SumOfScores { told: false }, "aigru");
    assert!(!wrong.iter().any(|failure| failure.contains("the padding of")), "{wrong:#?}");
    assert_any(&wrong, "aigru (wrong) c4_zero_one_garbage eval out/last (Double): entry ");
}

/// An AUGRU cell that takes the stack of the fixture for its own.
struct UnorderedGates;

impl Subject for UnorderedGates {
    fn build(&self, variables: &nn::Path<'_>, case: &Case) -> Result<Forward, GoldenError> {
        let hidden = case.tensor("param/weight_hh")?.size()[1];
        let inputs = case.tensor("param/weight_ih")?.size()[1];
        let bias = case.tensor("param/bias_ih").is_ok();
        let config = AttentionalGruConfig { hidden, bias, ..AttentionalGruConfig::default() };
        let augru = AttentionalGru::new(variables, inputs, config)?;
        Ok(Box::new(move |inputs, _| {
            let events = inputs.tensor("x")?;
            let offsets: Vec<u32> = (0..=events.size()[0] as u32).collect();
            let events = Jagged::new(events.shallow_clone(), JaggedLayout::new(&offsets, Device::Cpu)?)?;
            let scores = inputs.tensor("att_score")?.f_unsqueeze(1)?;
            let states = augru.forward(&events, &scores, Some(inputs.tensor("hx")?))?;
            Ok(vec![("h", states.values().shallow_clone())])
        }))
    }
}

#[test]
fn a_stack_in_another_order_is_found() {
    let wrong = failures(&UnorderedGates, "augru_cell");
    assert_any(&wrong, "augru_cell c6_order_run eval out/h (Double): entry ");
    assert_any(&wrong, "augru_cell c6_order_run eval grad/weight_ih (Double): entry ");
    assert!(wrong.iter().all(|failure| failure.starts_with("augru_cell c6_order_run")), "{wrong:#?}");
}

#[test]
fn an_absent_file_is_named() {
    let error = Fixture::read(Path::new("nowhere"), "dice_2d").unwrap_err().to_string();
    assert!(error.starts_with("nowhere/dice_2d.json: "), "{error}");
}

#[test]
fn inputs_are_checked() {
    struct Asking;
    impl Subject for Asking {
        fn build(&self, _: &nn::Path<'_>, _: &Case) -> Result<Forward, GoldenError> {
            Ok(Box::new(|inputs, _| {
                let lists = inputs.padding("x")?.pack(inputs.tensor("x")?)?;
                Ok(vec![("y", inputs.tensor("keys")?.f_add(&lists.values().f_sum(Kind::Float)?)?)])
            }))
        }
    }
    assert_any(&failures(&Asking, "pooling"), "pooling c0_max eval (Single): inputs: there is no input keys");
}

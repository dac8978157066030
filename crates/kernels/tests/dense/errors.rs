//! Wrong input is an error that names it.

use fain_kernels::{
    KernelError, Normalization, NormalizationGradients, Pool, Serial, column_statistics, normalize_backward,
    normalize_forward, row_dice_backward, row_dice_forward,
};

const NORM: Normalization<'_, f32> =
    Normalization { mean: &[0.0; 3], variance: &[1.0; 3], epsilon: 0.0, scale: None, shift: None, alpha: None };

fn message(result: Result<(), KernelError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn lengths_are_checked() {
    let input = [1.0f32; 6];
    let forward = |width: usize, norm: &Normalization<'_, f32>, output: usize| {
        message(normalize_forward(width, &input, norm, &mut vec![0.0; output], &Serial))
    };
    assert_eq!(forward(0, &NORM, 6), "width is 0: at least 1 is needed");
    assert_eq!(forward(4, &NORM, 6), "input has 6 numbers: 4 are needed");
    assert_eq!(forward(2, &NORM, 6), "mean has 3 numbers: 2 are needed");
    assert_eq!(forward(3, &NORM, 5), "output has 5 numbers: 6 are needed");
    for (norm, name) in [
        (Normalization { variance: &[1.0], ..NORM }, "variance"),
        (Normalization { scale: Some(&[1.0]), ..NORM }, "scale"),
        (Normalization { shift: Some(&[1.0]), ..NORM }, "shift"),
        (Normalization { alpha: Some(&[1.0]), ..NORM }, "alpha"),
    ] {
        assert_eq!(forward(3, &norm, 6), format!("{name} has 1 numbers: 3 are needed"));
    }
}

#[test]
fn lengths_of_gradients_and_statistics_are_checked() {
    let input = [1.0f32; 6];
    let backward = |gradient: usize, by_input: usize, mut gradients: NormalizationGradients<'_, f32>| {
        let (gradient, mut by_input) = (vec![0.0; gradient], vec![0.0; by_input]);
        message(normalize_backward(3, &input, &NORM, true, &gradient, &mut by_input, &mut gradients, &Serial))
    };
    assert_eq!(backward(5, 6, NormalizationGradients::default()), "gradient has 5 numbers: 6 are needed");
    assert_eq!(backward(6, 7, NormalizationGradients::default()), "input gradient has 7 numbers: 6 are needed");
    let mut short = [0.0; 2];
    let gradients = NormalizationGradients { shift: Some(&mut short), ..NormalizationGradients::default() };
    assert_eq!(backward(6, 6, gradients), "shift has 2 numbers: 3 are needed");
    let statistics = message(column_statistics(3, &input, &mut [0.0; 3], &mut [0.0; 2], &Serial));
    assert_eq!(statistics, "variance has 2 numbers: 3 are needed");
    let rows = message(row_dice_forward(3, &input, 0.0, 0.0, &mut [0.0; 5], &Serial));
    assert_eq!(rows, "output has 5 numbers: 6 are needed");
    let rows = row_dice_backward(3, &input, 0.0, 0.0, &[0.0; 5], &mut [0.0; 6], &Serial).map(drop);
    assert_eq!(message(rows), "gradient has 5 numbers: 6 are needed");
}

/// Does nothing.
struct Idle;

impl Pool for Idle {
    fn run(&self, _tasks: usize, _task: &(dyn Fn(usize) + Sync)) {}
}

#[test]
fn a_pool_that_leaves_tasks_undone_is_an_error() {
    let error = message(normalize_forward(3, &[1.0f32; 6], &NORM, &mut [0.0; 6], &Idle));
    assert_eq!(error, "the pool ran 0 of 1 tasks");
}

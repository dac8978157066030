//! Wrong input is an error that names it.

use fain_kernels::{
    Cell, Gradients, InstructionSet, KernelError, Pool, Sequences, Serial, StateGradient, Weights, recurrence_backward,
    recurrence_forward,
};

use crate::case::Case;

const CELL: Cell = Cell::Agru;
const WIDTH: usize = 3;
const HIDDEN: usize = 2;

/// Buffers of a call in which everything fits: two samples, three events, a cell of two gates.
struct Buffers {
    offsets: Vec<u32>,
    inputs: Vec<f32>,
    scores: Option<Vec<f32>>,
    initial: Vec<f32>,
    input: Vec<f32>,
    hidden: Vec<f32>,
    bias: Vec<f32>,
    states: Vec<f32>,
    saved: Vec<f32>,
}

impl Buffers {
    fn new() -> Self {
        Self {
            offsets: vec![0, 1, 3],
            inputs: vec![0.1; 9],
            scores: Some(vec![0.5; 3]),
            initial: vec![0.0; 4],
            input: vec![0.1; 12],
            hidden: vec![0.1; 8],
            bias: vec![0.0; 4],
            states: vec![0.0; 6],
            saved: vec![0.0; 18],
        }
    }

    fn call(&mut self, cell: Cell, (width, hidden): (usize, usize), pool: &dyn Pool) -> Result<(), KernelError> {
        let sequences = Sequences {
            offsets: &self.offsets,
            inputs: &self.inputs,
            scores: self.scores.as_deref(),
            initial: Some(&self.initial),
        };
        let weights = Weights {
            input: &self.input,
            hidden: &self.hidden,
            input_bias: Some(&self.bias),
            hidden_bias: Some(&self.bias),
        };
        let saved = Some(&mut self.saved[..]);
        recurrence_forward(cell, width, hidden, &sequences, &weights, &mut self.states, saved, pool)
    }
}

fn refused(change: impl FnOnce(&mut Buffers)) -> String {
    let mut buffers = Buffers::new();
    change(&mut buffers);
    let states = buffers.states.clone();
    let error = buffers.call(CELL, (WIDTH, HIDDEN), &Serial).unwrap_err();
    assert_eq!(buffers.states, states, "nothing is written");
    error.to_string()
}

#[test]
fn the_buffers_of_these_tests_fit() {
    Buffers::new().call(CELL, (WIDTH, HIDDEN), &Serial).unwrap();
}

#[test]
fn a_wrong_length_is_named() {
    assert_eq!(refused(|it| it.inputs.truncate(8)), "inputs has 8 numbers: 9 are needed");
    assert_eq!(refused(|it| it.scores = Some(vec![0.5; 4])), "scores has 4 numbers: 3 are needed");
    assert_eq!(refused(|it| it.initial.truncate(3)), "initial has 3 numbers: 4 are needed");
    assert_eq!(refused(|it| it.input.push(0.0)), "input has 13 numbers: 12 are needed");
    assert_eq!(refused(|it| it.hidden.truncate(7)), "hidden has 7 numbers: 8 are needed");
    assert_eq!(refused(|it| it.bias.truncate(3)), "input_bias has 3 numbers: 4 are needed");
    assert_eq!(refused(|it| it.states.truncate(5)), "states has 5 numbers: 6 are needed");
    assert_eq!(refused(|it| it.saved.truncate(12)), "saved has 12 numbers: 18 are needed");
}

#[test]
fn wrong_offsets_are_named() {
    assert_eq!(refused(|it| it.offsets.clear()), "offsets is empty: one number more than there are samples is needed");
    assert_eq!(refused(|it| it.offsets[0] = 1), "offsets[0] is 1: 0 is needed");
    assert_eq!(refused(|it| it.offsets = vec![0, 4, 3]), "offsets[2] is 3: at least 4 is needed");
    assert_eq!(refused(|it| it.offsets = vec![0, 1, u32::MAX]), "inputs has 9 numbers: 12884901885 are needed");
}

#[test]
fn widths_must_be_positive_and_too_large_ones_do_not_wrap_around() {
    for (sizes, name) in [((0, HIDDEN), "width"), ((WIDTH, 0), "hidden")] {
        assert_eq!(Buffers::new().call(CELL, sizes, &Serial).unwrap_err(), KernelError::Zero { name });
    }
    let error = Buffers::new().call(CELL, (WIDTH, usize::MAX / 2 + 1), &Serial).unwrap_err();
    assert_eq!(error, KernelError::Length { buffer: "initial", length: 4, needed: usize::MAX });
}

#[test]
fn scores_belong_to_the_cells_that_take_them() {
    let mut buffers = Buffers::new();
    buffers.scores = None;
    let error = buffers.call(CELL, (WIDTH, HIDDEN), &Serial).unwrap_err();
    assert_eq!(error, KernelError::MissingScores { cell: CELL });
    let error = Buffers::new().call(Cell::Gru, (WIDTH, HIDDEN), &Serial).unwrap_err();
    assert_eq!(error, KernelError::UnexpectedScores { cell: Cell::Gru });
}

#[test]
fn wrong_lengths_of_the_backward_pass_are_named() {
    let numbers = [0.1f32; 64];
    let sequences = Sequences { offsets: &[0, 2], inputs: &numbers[..6], scores: None, initial: None };
    let weights = Weights { input: &numbers[..18], hidden: &numbers[..12], input_bias: None, hidden_bias: None };
    let call = |lengths: [usize; 10]| {
        let mut room = [[0.0f32; 64]; 6];
        let [inputs, initial, input_weight, hidden_weight, input_bias, hidden_bias] = &mut room;
        let mut scores = [0.0f32; 2];
        let mut gradients = Gradients {
            inputs: Some(&mut inputs[..lengths[3]]),
            scores: (lengths[9] > 0).then_some(&mut scores),
            initial: Some(&mut initial[..lengths[4]]),
            input_weight: Some(&mut input_weight[..lengths[5]]),
            hidden_weight: Some(&mut hidden_weight[..lengths[6]]),
            input_bias: Some(&mut input_bias[..lengths[7]]),
            hidden_bias: Some(&mut hidden_bias[..lengths[8]]),
        };
        let [states, saved, gradient] = [0, 1, 2].map(|index| &numbers[..lengths[index]]);
        recurrence_backward(
            Cell::Gru,
            3,
            2,
            &sequences,
            &weights,
            states,
            saved,
            StateGradient::Events(gradient),
            &mut gradients,
            &Serial,
        )
    };
    let fit = [4, 16, 4, 6, 2, 18, 12, 6, 6, 0];
    call(fit).unwrap();
    let names = [
        "states",
        "saved",
        "gradient",
        "gradient of inputs",
        "gradient of initial",
        "gradient of input_weight",
        "gradient of hidden_weight",
        "gradient of input_bias",
        "gradient of hidden_bias",
    ];
    for (index, buffer) in names.into_iter().enumerate() {
        let mut lengths = fit;
        lengths[index] -= 1;
        let (length, needed) = (lengths[index], fit[index]);
        assert_eq!(call(lengths).unwrap_err(), KernelError::Length { buffer, length, needed });
    }
    let (last, mut inputs) = ([0.1; 3], [0.0; 6]);
    let mut gradients = Gradients { inputs: Some(&mut inputs), ..Gradients::default() };
    let (states, saved, gradient) = (&numbers[..4], &numbers[..16], StateGradient::Last(&last));
    let error =
        recurrence_backward(Cell::Gru, 3, 2, &sequences, &weights, states, saved, gradient, &mut gradients, &Serial);
    assert_eq!(error.unwrap_err(), KernelError::Length { buffer: "gradient", length: 3, needed: 2 });
    let mut lengths = fit;
    lengths[9] = 2;
    assert_eq!(call(lengths).unwrap_err(), KernelError::UnexpectedScores { cell: Cell::Gru });
}

/// Runs all tasks but the last one.
struct Lazy;

impl Pool for Lazy {
    fn run(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        Serial.run(tasks - 1, task);
    }
}

/// Runs all tasks twice, and asks for some that do not exist.
struct Eager;

impl Pool for Eager {
    fn run(&self, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        Serial.run(tasks + 3, task);
        Serial.run(tasks, task);
    }
}

#[test]
fn a_pool_that_leaves_tasks_is_an_error_and_one_that_repeats_them_is_not() {
    let error = Buffers::new().call(CELL, (WIDTH, HIDDEN), &Lazy).unwrap_err();
    assert_eq!(error, KernelError::Pool { tasks: 1, done: 0 });
    let case = Case::new(CELL, (WIDTH, HIDDEN), &[20; 100], (true, true), 1);
    let set = InstructionSet::best();
    let (eager, serial) = (case.run::<f32>(set, &Eager).unwrap(), case.run::<f32>(set, &Serial).unwrap());
    assert_eq!(eager.gradients.hidden_weight, serial.gradients.hidden_weight);
    assert_eq!(eager.states, serial.states);
}

#[test]
fn an_instruction_set_runs_where_it_is_available_and_is_refused_elsewhere() {
    assert!(InstructionSet::Portable.is_available());
    assert!(InstructionSet::best().is_available());
    let case = Case::new(CELL, (WIDTH, HIDDEN), &[2, 1], (false, false), 2);
    for set in InstructionSet::ALL {
        let error = case.run::<f32>(set, &Serial).err();
        assert_eq!(error, (!set.is_available()).then_some(KernelError::Unavailable { set }));
    }
}

/// Without a buffer for what the backward pass needs, the states are the same.
#[test]
fn saving_is_optional() {
    let mut buffers = Buffers::new();
    buffers.call(CELL, (WIDTH, HIDDEN), &Serial).unwrap();
    let sequences = Sequences {
        offsets: &buffers.offsets,
        inputs: &buffers.inputs,
        scores: buffers.scores.as_deref(),
        initial: Some(&buffers.initial),
    };
    let weights = Weights {
        input: &buffers.input,
        hidden: &buffers.hidden,
        input_bias: Some(&buffers.bias),
        hidden_bias: Some(&buffers.bias),
    };
    let mut states = vec![f32::NAN; 6];
    recurrence_forward(CELL, WIDTH, HIDDEN, &sequences, &weights, &mut states, None, &Serial).unwrap();
    assert_eq!(states, buffers.states);
}

//! What a graph owns, and when it lets go.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fain_autograd::{Context, Function, apply};
use tch::{TchError, Tensor};

use crate::closures::{Gradients, Tensors, gradient, leaf, square, values};

/// How many functions were made and dropped.
#[derive(Default)]
struct Counts {
    created: AtomicUsize,
    dropped: AtomicUsize,
}

impl Counts {
    /// Made, dropped.
    fn seen(&self) -> (usize, usize) {
        (self.created.load(Ordering::SeqCst), self.dropped.load(Ordering::SeqCst))
    }
}

/// `eˣ`, with input and output saved.
struct Counted {
    counts: Arc<Counts>,
    fails: bool,
}

impl Counted {
    fn new(counts: &Arc<Counts>, fails: bool) -> Self {
        counts.created.fetch_add(1, Ordering::SeqCst);
        Self { counts: Arc::clone(counts), fails }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.counts.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

impl Function for Counted {
    type Error = TchError;

    fn forward(&mut self, context: &mut Context<'_>, inputs: &[Tensor]) -> Result<Tensors, TchError> {
        let output = inputs[0].f_exp()?;
        context.save_for_backward(&[&inputs[0], &output]);
        if self.fails { Err(TchError::Convert("asked to".to_owned())) } else { Ok(vec![output]) }
    }

    fn backward(&mut self, saved: &[Tensor], gradients: &[Option<Tensor>]) -> Result<Gradients, TchError> {
        Ok(vec![gradients[0].as_ref().map(|gradient| gradient * &saved[1])])
    }
}

#[test]
fn nothing_leaks() {
    const CALLS: usize = 10_000;
    let counts = Arc::new(Counts::default());
    let x = leaf(&[0.0, 1.0]);
    for call in 0..CALLS {
        let outputs = apply(Counted::new(&counts, false), &[&x]).unwrap();
        // Every other graph is dropped without a backward pass.
        if call % 2 == 0 {
            outputs[0].sum(None).backward();
        }
    }
    assert_eq!(counts.seen(), (CALLS, CALLS));
    for _ in 0..CALLS {
        assert!(apply(Counted::new(&counts, true), &[&x]).is_err());
    }
    assert_eq!(counts.seen(), (2 * CALLS, 2 * CALLS));
    tch::no_grad(|| {
        for _ in 0..100 {
            apply(Counted::new(&counts, false), &[&x]).unwrap();
        }
    });
    assert_eq!(counts.seen(), (2 * CALLS + 100, 2 * CALLS + 100));
    let expected = [1.0, 1.0_f64.exp()].map(|gradient| gradient * (CALLS / 2) as f64);
    for (found, expected) in values(&x.grad()).iter().zip(expected) {
        assert!((found / expected - 1.0).abs() < 1e-9, "{found} is not {expected}");
    }
}

#[test]
fn a_function_lives_as_long_as_its_graph_is_needed() {
    let counts = Arc::new(Counts::default());
    let x = leaf(&[0.0]);
    let outputs = apply(Counted::new(&counts, false), &[&x]).unwrap();
    let loss = outputs[0].sum(None);
    assert_eq!(gradient(&loss, &x), [1.0]);
    assert_eq!(counts.seen(), (1, 0), "the graph was kept");
    loss.backward();
    assert_eq!(counts.seen(), (1, 1), "the graph was used up, although its output is still there");
}

/// One destructor inside another, for each function of a long chain, would overflow the stack.
#[test]
fn a_deep_graph_is_freed() {
    const DEPTH: usize = 50_000;
    let counts = Arc::new(Counts::default());
    let mut output = leaf(&[0.0]);
    for _ in 0..DEPTH {
        output = apply(Counted::new(&counts, false), &[&(output - 1.0)]).unwrap().remove(0);
    }
    assert_eq!(counts.seen(), (DEPTH, 0));
    drop(output);
    assert_eq!(counts.seen(), (DEPTH, DEPTH));
}

#[test]
fn a_backward_pass_that_panics_leaks_nothing() {
    struct Panics(#[expect(dead_code, reason = "it is there to be dropped")] Counted);
    impl Function for Panics {
        type Error = TchError;

        fn forward(&mut self, _: &mut Context<'_>, inputs: &[Tensor]) -> Result<Tensors, TchError> {
            Ok(vec![inputs[0].f_exp()?])
        }

        fn backward(&mut self, _: &[Tensor], _: &[Option<Tensor>]) -> Result<Gradients, TchError> {
            panic!("no gradient")
        }
    }
    let counts = Arc::new(Counts::default());
    let x = leaf(&[0.0]);
    for _ in 0..3 {
        assert!(apply(Panics(Counted::new(&counts, false)), &[&x]).unwrap()[0].f_backward().is_err());
    }
    assert_eq!(counts.seen(), (3, 3));
}

#[test]
fn a_destructor_that_panics_stops_there() {
    struct Falls(Arc<Counts>);
    impl Drop for Falls {
        fn drop(&mut self) {
            self.0.dropped.fetch_add(1, Ordering::SeqCst);
            panic!("falls when dropped");
        }
    }
    impl Function for Falls {
        type Error = TchError;

        fn forward(&mut self, _: &mut Context<'_>, inputs: &[Tensor]) -> Result<Tensors, TchError> {
            Ok(vec![inputs[0].f_exp()?])
        }

        fn backward(&mut self, _: &[Tensor], gradients: &[Option<Tensor>]) -> Result<Gradients, TchError> {
            Ok(vec![gradients[0].as_ref().map(Tensor::shallow_clone)])
        }
    }
    let counts = Arc::new(Counts::default());
    let x = leaf(&[0.0]);
    apply(Falls(Arc::clone(&counts)), &[&x]).unwrap()[0].backward();
    assert_eq!(values(&x.grad()), [1.0]);
    assert_eq!(counts.seen(), (0, 1));
}

#[test]
fn a_saved_tensor_that_was_changed_is_refused() {
    let x = leaf(&[2.0]);
    let doubled = &x * 2.0;
    let output = apply(square(), &[&doubled]).unwrap()[0].sum(None);
    let _changed = doubled.detach().fill_(9.0);
    let error = output.f_backward().unwrap_err().to_string();
    assert!(error.contains("has been modified by an inplace operation"), "{error}");
}

#[test]
fn a_graph_that_is_used_up_is_refused() {
    let x = leaf(&[2.0]);
    let output = apply(square(), &[&x]).unwrap()[0].sum(None);
    output.backward();
    let error = output.f_backward().unwrap_err().to_string();
    assert!(error.contains("Trying to backward through the graph a second time"), "{error}");
    assert_eq!(values(&x.grad()), [4.0]);
}

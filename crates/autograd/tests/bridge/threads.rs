//! Several Rust threads at once.

use std::sync::Barrier;

use fain_autograd::apply;
use tch::Tensor;

use crate::closures::{gradient, leaf, square, values};

#[test]
fn threads_have_graphs_of_their_own() {
    let start = Barrier::new(2);
    let run = |factor: f64| {
        let x = leaf(&[factor]);
        start.wait();
        for _ in 0..200 {
            let output = apply(square(), &[&x]).unwrap().remove(0);
            assert_eq!(gradient(&output, &x), [2.0 * factor]);
        }
        values(&x)
    };
    std::thread::scope(|scope| {
        let threads = [3.0, 5.0].map(|factor| scope.spawn(move || run(factor)));
        assert_eq!(threads.map(|thread| thread.join().unwrap()), [[3.0], [5.0]]);
    });
}

#[test]
fn a_graph_made_on_one_thread_is_used_on_another() {
    let x = leaf(&[3.0]);
    let (here, there) = (x.shallow_clone(), x.shallow_clone());
    let output = std::thread::spawn(move || apply(square(), &[&there]).unwrap().remove(0)).join().unwrap();
    assert_eq!(gradient(&output, &here), [6.0]);
}

#[test]
fn two_threads_go_back_through_one_graph() {
    let x = leaf(&[3.0]);
    let output = apply(square(), &[&x]).unwrap()[0].sum(None);
    let start = Barrier::new(2);
    let run = |output: Tensor, x: Tensor| {
        start.wait();
        (0..200).all(|_| gradient(&output, &x) == [6.0])
    };
    std::thread::scope(|scope| {
        let threads = [(); 2].map(|()| {
            let (output, x, run) = (output.shallow_clone(), x.shallow_clone(), &run);
            scope.spawn(move || run(output, x))
        });
        assert!(threads.into_iter().all(|thread| thread.join().unwrap()));
    });
}

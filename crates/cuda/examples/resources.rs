//! What the kernels take of a processor: compiles them, which needs NVRTC and no GPU, and prints the compiler's report.
//!
//! `cargo run --release -p fain-cuda --example resources -- [FILE OF LIBNVRTC] [ARCHITECTURE]…`

#![allow(clippy::print_stdout, reason = "an example that prints")]

use std::error::Error;

use fain_cuda::{Compiler, Limits, Pass, Plan};
use fain_kernels::{AugruGate, Cell};

/// Shared memory and multiprocessors of the largest processor of an architecture.
fn limits(architecture: &str) -> Limits {
    let (multiprocessors, kilobytes, threads) = match architecture {
        "sm_75" => (72, 64, 1024),
        "sm_80" => (108, 163, 2048),
        "sm_86" | "sm_89" => (128, 99, 1536),
        _ => (132, 227, 2048),
    };
    let block_memory = kilobytes * 1024;
    Limits { multiprocessors, block_memory, memory: block_memory + 1024, threads }
}

/// The lines of the report that are about one kernel.
fn about<'a>(log: &'a str, entry: &str) -> Vec<&'a str> {
    let after = log.lines().skip_while(|line| !(line.contains("Compiling entry function") && line.contains(entry)));
    after.skip(1).take_while(|line| !line.contains("Compiling entry function")).collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let compiler = if arguments.first().is_some_and(|first| first.contains("nvrtc")) {
        Compiler::at(arguments.remove(0).as_ref())?
    } else {
        Compiler::find()?
    };
    if arguments.is_empty() {
        arguments = vec!["sm_80".to_owned(), "sm_90".to_owned()];
    }
    for architecture in &arguments {
        for cell in [Cell::Gru, Cell::Agru, Cell::Augru(AugruGate::Paper), Cell::Augru(AugruGate::Official)] {
            for (hidden, samples) in [(1, 1024), (16, 1024), (36, 1024), (36, 8192), (128, 1024), (1024, 1024)] {
                for (pass, entry) in [(Pass::Forward, "recurrence_forward"), (Pass::Backward, "recurrence_backward")] {
                    let plan = Plan::new(pass, cell, hidden, samples, &limits(architecture))?;
                    let start = std::time::Instant::now();
                    let kernels = compiler.compile(&plan.variant.source(), architecture, true)?;
                    println!(
                        "{architecture} {cell:?} H {hidden} B {samples} {pass:?}: {} blocks of {} threads, {} bytes of \
                         shared memory, compiled in {:.2} s",
                        plan.blocks,
                        plan.threads,
                        plan.memory,
                        start.elapsed().as_secs_f64()
                    );
                    for line in about(&kernels.log, entry) {
                        println!("    {line}");
                    }
                }
            }
        }
    }
    Ok(())
}

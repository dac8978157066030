//! Ctrl-C: the first one asks the work to stop, the second one ends the program.

use std::fs;
use std::ops::ControlFlow;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;

use crate::exit::INTERRUPTED;

/// Whether the user asked to stop; clones see the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens to SIGINT, SIGTERM and SIGHUP from now on.
    ///
    /// Started by `nohup`, the program listens to none of them: a handler is for all three, and a run that must
    /// outlive its terminal would stop when the terminal is closed.
    pub(crate) fn listen() -> anyhow::Result<Self> {
        let interrupt = Self::default();
        if fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores_hangup(&status)) {
            return Ok(interrupt);
        }
        let asked = Arc::clone(&interrupt.0);
        let handler = move || {
            if asked.swap(true, Ordering::Relaxed) {
                process::exit(i32::from(INTERRUPTED));
            }
        };
        ctrlc::set_handler(handler).context("cannot listen to Ctrl-C")?;
        Ok(interrupt)
    }

    /// What a library's progress callback answers.
    pub(crate) fn flow(&self) -> ControlFlow<()> {
        if self.0.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Whether a process ignores SIGHUP, the first signal of the mask `SigIgn` in its status.
fn ignores_hangup(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::ignores_hangup;

    #[test]
    fn the_mask_of_ignored_signals_is_read() {
        for (status, ignored) in [
            ("Name:\tfain\nSigBlk:\t0000000000000001\nSigIgn:\t0000000000001000\n", false),
            ("SigIgn:\t0000000000001001\nSigCgt:\t0000000000000000\n", true),
            ("SigIgn:\tx\n", false),
            ("", false),
        ] {
            assert_eq!(ignores_hangup(status), ignored, "{status}");
        }
    }
}

//! What the user sees on standard error while the program works.

use std::io::{IsTerminal, Write, stderr};
use std::time::Duration;

use indicatif::{HumanBytes, ProgressBar, ProgressState, ProgressStyle};

use crate::text::count;

/// Before this time a rate says more about the clock than about the work.
const SETTLED: Duration = Duration::from_millis(200);

/// What a bar counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Bytes of a file.
    Bytes,
    /// Rows of a log.
    Rows,
    /// Samples.
    Samples,
}

impl Unit {
    fn template(self) -> &'static str {
        match self {
            Self::Bytes => "{msg:32!} {bar:30} {bytes}/{total_bytes}{rate}, {eta} left",
            Self::Rows | Self::Samples => "{msg:32!} {bar:30} {human_pos}/{human_len}{rate}, {eta} left",
        }
    }

    fn rate(self, per_second: f64) -> String {
        match self {
            Self::Bytes => format!(", {}/s", HumanBytes(per_second as u64)),
            Self::Rows => format!(", {} rows/s", count(per_second as u64)),
            Self::Samples => format!(", {} samples/s", count(per_second as u64)),
        }
    }

    /// A bar whose rate counts from `done` on, where the work begins.
    fn style(self, done: u64) -> ProgressStyle {
        let rate = move |state: &ProgressState, text: &mut dyn std::fmt::Write| {
            if state.elapsed() >= SETTLED {
                let gained = state.pos().saturating_sub(done) as f64;
                // The bar takes whatever is written to it.
                let _ = text.write_str(&self.rate(gained / state.elapsed().as_secs_f64()));
            }
        };
        let style = ProgressStyle::with_template(self.template()).unwrap_or_else(|_| ProgressStyle::default_bar());
        style.with_key("rate", rate)
    }
}

/// Bars where standard error is a terminal, plain lines where it is not.
#[derive(Debug)]
pub(crate) struct Console {
    terminal: bool,
    bar: Option<ProgressBar>,
}

impl Console {
    pub(crate) fn new() -> Self {
        Self { terminal: stderr().is_terminal(), bar: None }
    }

    /// Writes a line. A standard error that is closed is no reason to stop the work.
    pub(crate) fn say(&self, line: &str) {
        let write = || {
            let _ = writeln!(stderr().lock(), "{line}");
        };
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// Begins a piece of work, of which `done` may be done already. Without a terminal, its name is a line.
    pub(crate) fn begin(&mut self, what: &str, unit: Unit, done: u64, total: u64) {
        self.clear();
        if self.terminal {
            let bar = ProgressBar::new(total).with_style(unit.style(done)).with_message(what.to_owned());
            self.bar = Some(bar.with_position(done));
        } else {
            self.say(what);
        }
    }

    /// Says how much of the work is done, of the total that [`Console::begin`] was given.
    pub(crate) fn at(&self, done: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
        }
    }

    /// Removes the bar.
    pub(crate) fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::Unit;

    #[test]
    fn rates_are_in_the_unit_of_the_work() {
        assert_eq!(Unit::Samples.rate(12_345.6), ", 12,345 samples/s");
        assert_eq!(Unit::Bytes.rate(2_097_152.0), ", 2.00 MiB/s");
    }
}

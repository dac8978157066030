//! Memory beside the table, each time in a process of its own: in one that measured something else, what that left
//! behind would count.

use std::env;
use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::{BATCHES, Draw, Network, Steps};
use crate::console;
use crate::figures::{Figure, Row, Unit};

/// Memory beside the table and what is remembered of it, for one table after the other; no row where the system does
/// not tell.
pub(super) fn measure(vocabularies: &[u32], threads: u16) -> Result<Vec<Row>> {
    let program = env::current_exe().context("the path of this program")?;
    let mut rows = Vec::new();
    for &vocabulary in vocabularies {
        let arguments =
            ["--table-memory".to_owned(), vocabulary.to_string(), "--threads".to_owned(), threads.to_string()];
        let output = Command::new(&program)
            .args(arguments)
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("start {}", program.display()))?;
        ensure!(output.status.success(), "the process of {vocabulary} rows: {}", output.status);
        if let Some(beside) = parsed(&String::from_utf8_lossy(&output.stdout))? {
            let beside = beside as f64 / f64::from(1 << 20);
            rows.push(Row::new(format!("memory, {vocabulary} rows"), Unit::Mebibytes, Figure::single(beside)));
        }
    }
    Ok(rows)
}

/// What [`report`] printed.
fn parsed(text: &str) -> Result<Option<u64>> {
    match text.trim() {
        "" => Ok(None),
        bytes => Ok(Some(bytes.parse().with_context(|| format!("the process answered {bytes:?}"))?)),
    }
}

/// The other side of the line's measurement: some steps, then the bytes beside the table on stdout; nothing there where
/// the system does not tell.
///
/// # Errors
/// A step fails.
pub(crate) fn report(vocabulary: u32, threads: u16) -> Result<()> {
    tch::set_num_threads(i32::from(threads));
    let mut steps = Steps::new(Network::Din, vocabulary)?;
    for _ in 0..BATCHES {
        steps.step(Draw::Even)?;
    }
    if let Some(most) = most_memory() {
        console::print(most.saturating_sub(steps.bytes));
    }
    Ok(())
}

/// The most memory that this process had, in bytes; `None` where there is no such file.
fn most_memory() -> Option<usize> {
    most(&fs::read_to_string("/proc/self/status").ok()?)
}

/// The bytes of Linux' line of the most memory.
fn most(status: &str) -> Option<usize> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()? << 10)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn the_most_memory_is_a_line_of_the_status() {
        assert_eq!(most("VmPeak:\t    9 kB\nVmHWM:\t  1234 kB\nVmRSS:\t 1 kB\n"), Some(1234 << 10));
        assert_eq!(most("VmPeak:\t    9 kB\n"), None);
        assert_eq!(most("VmHWM:\t  1234 pages\n"), None);
    }

    #[test]
    fn a_process_answers_bytes_nothing_or_what_is_refused() {
        assert_eq!(parsed("1048576\n").unwrap(), Some(1 << 20));
        assert_eq!(parsed("\n").unwrap(), None);
        assert!(parsed("much").unwrap_err().to_string().contains("\"much\""));
    }
}

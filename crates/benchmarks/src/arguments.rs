//! The command line.

use std::path::PathBuf;

use clap::Parser;
use fain_autograd::DeviceChoice;

use crate::lines::Line;

/// Measures fain, other programs at the same work, and the machine, and prints one table.
///
/// With no LINE the whole table is measured; if peers are there and nothing failed, the marked part of
/// docs/performance.md is written anew. `cargo xtask bench kernels` runs the criterion benchmarks instead.
#[derive(Debug, Clone, Parser)]
#[command(name = "cargo xtask bench", disable_version_flag = true)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct Arguments {
    /// Lines to measure; all of them by default.
    #[arg(value_enum, value_name = "LINE")]
    pub(crate) lines: Vec<Line>,

    /// Folder with `train_small.csv.gz` and `test.csv.gz` of `ml1m_ctr`; without it, rows of the simulator.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data: Option<PathBuf>,

    /// Measure the Python programs too: with this Python, or, without a value, with a virtual environment in `.peers`
    /// that is made at the first call (about 3 GB to fetch, 5 GB on disk).
    #[arg(long, value_name = "PYTHON", num_args = 0..=1, require_equals = true, default_missing_value = "",
        value_parser = Peers::parse)]
    pub(crate) peers: Option<Peers>,

    /// How often each side is measured, alternating; medians are told.
    #[arg(long, value_name = "COUNT", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) rounds: u16,

    /// Threads of both sides.
    #[arg(long, value_name = "COUNT", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: u16,

    /// Where models and recurrences are trained: cpu, cuda or cuda:N. On a GPU there are the lines of trainings and
    /// recurrences, with batches of 1,024 and 8,192.
    #[arg(long, value_name = "DEVICE", default_value_t)]
    pub(crate) device: DeviceChoice,

    /// Measure the Python programs through torch.compile, too.
    #[arg(long)]
    pub(crate) compiled: bool,

    /// Measure trainings and recurrences in bfloat16, too, in rows of their own: ours by `training.precision`, the Python
    /// programs under torch.autocast.
    #[arg(long)]
    pub(crate) bfloat16: bool,

    /// First hold the fused kernels of the device to plain operations on it; a difference ends the call.
    #[arg(long)]
    pub(crate) check: bool,

    /// Short rounds, small sizes and no comparison of quality: to see that it works, not to quote.
    #[arg(long)]
    pub(crate) quick: bool,

    /// Where the figures go as JSON; target/benchmarks/results.json of the repository by default.
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Prints the bytes that steps with a table of so many rows take beside it, and does nothing else: what the line of
    /// vocabularies starts as processes of their own.
    #[arg(long, value_name = "ROWS", hide = true, conflicts_with = "lines",
        value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) table_memory: Option<u32>,
}

/// Which Python measures the other programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Peers {
    /// The virtual environment of the repository.
    OfRepository,
    /// An installed one.
    Installed(PathBuf),
}

impl Peers {
    /// `--peers` without a value is the empty text.
    #[allow(clippy::unnecessary_wraps, reason = "clap wants a result")]
    fn parse(text: &str) -> Result<Self, std::convert::Infallible> {
        Ok(if text.is_empty() { Self::OfRepository } else { Self::Installed(text.into()) })
    }
}

impl Arguments {
    /// The lines to measure, in the order of the table, each once.
    pub(crate) fn chosen(&self) -> Vec<Line> {
        let wanted = |line: &Line| match self.device {
            _ if !self.lines.is_empty() => self.lines.contains(line),
            DeviceChoice::Cpu => true,
            DeviceChoice::Cuda(_) => line.is_on_gpus(),
        };
        Line::ALL.into_iter().filter(wanted).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn parsed(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(["bench"].into_iter().chain(line.split_whitespace()))
    }

    #[test]
    fn without_names_every_line_is_meant_and_names_choose_in_the_tables_order() {
        assert_eq!(parsed("").unwrap().chosen(), Line::ALL);
        let chosen = parsed("augru din-training augru").unwrap().chosen();
        assert_eq!(chosen, [Line::DinTraining, Line::Augru]);
    }

    #[test]
    fn on_a_gpu_the_lines_are_those_that_it_computes() {
        let arguments = parsed("--device cuda:1 --compiled --bfloat16").unwrap();
        assert!(arguments.compiled && arguments.bfloat16 && !parsed("").unwrap().bfloat16);
        assert_eq!(arguments.device, DeviceChoice::Cuda(1));
        assert_eq!(arguments.chosen(), [Line::DinTraining, Line::DienTraining, Line::Augru, Line::Gru]);
        assert_eq!(parsed("--device cpu").unwrap().chosen(), Line::ALL);
        assert_eq!(parsed("--device cuda auc").unwrap().chosen(), [Line::Auc]);
    }

    #[test]
    fn peers_are_left_out_made_or_given() {
        assert_eq!(parsed("").unwrap().peers, None);
        assert_eq!(parsed("--peers auc").unwrap().peers, Some(Peers::OfRepository));
        assert_eq!(parsed("--peers auc").unwrap().lines, [Line::Auc]);
        assert_eq!(
            parsed("--peers=/usr/bin/python3").unwrap().peers,
            Some(Peers::Installed("/usr/bin/python3".into()))
        );
    }

    #[test]
    fn what_is_unknown_or_out_of_bounds_is_refused() {
        for line in [
            "agru",
            "--table-memory 0",
            "--table-memory 9 auc",
            "--rounds 0",
            "--threads 0",
            "--threads 1025",
            "--speed",
            "--device gpu",
        ] {
            assert!(parsed(line).is_err(), "{line}");
        }
        let error = parsed("agru").unwrap_err().to_string();
        assert!(error.contains("din-training"), "the lines are listed: {error}");
    }
}

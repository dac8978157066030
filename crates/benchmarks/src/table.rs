//! The table as Markdown.

use std::fmt::Write;

use crate::figures::{Row, Unit};
use crate::machine::Machine;
use crate::results::{Results, Section};

impl Unit {
    /// The unit behind a number.
    fn name(self) -> &'static str {
        match self {
            Self::Samples => "samples/s",
            Self::Gigaflops => "GFLOP/s",
            Self::MillionRows => "million rows/s",
            Self::Users => "users/s",
            Self::Milliseconds => "ms",
            Self::Mebibytes => "MiB",
            Self::TestAuc => "test AUC",
        }
    }

    fn number(self, value: f64) -> String {
        match self {
            Self::Samples | Self::Users | Self::Mebibytes => thousands(value),
            Self::Gigaflops => format!("{value:.1}"),
            Self::MillionRows | Self::Milliseconds => format!("{value:.2}"),
            Self::TestAuc => format!("{value:.4}"),
        }
    }

    fn comparison(self, value: f64) -> String {
        match self {
            Self::TestAuc => format!("{value:+.4}"),
            _ if value >= 10.0 => format!("{value:.0}×"),
            _ => format!("{value:.1}×"),
        }
    }
}

/// A whole number with its thousands apart.
fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What stands above the table: the machine, the rows, and how it was measured.
pub(crate) fn head(results: &Results) -> String {
    format!("{}\nRows: {}. {}\n", machine(&results.machine), results.rows, rounds(results))
}

/// The results as Markdown.
pub(crate) fn markdown(results: &Results) -> String {
    let mut text = head(results);
    for part in &results.sections {
        text.push('\n');
        text.push_str(&section(part));
    }
    text
}

fn machine(machine: &Machine) -> String {
    let gpu = machine.gpu.as_ref().map_or(String::new(), |gpu| {
        format!(
            "GPU: {}. Products of float32 matrices on it: {:.0} GFLOP/s. Copying within it: {:.0} GB/s read and written.\n",
            gpu.name, gpu.gigaflops, gpu.copy_gigabytes
        )
    });
    format!(
        "Machine: {}, {} cores, threads of both sides: {}. Products of float32 matrices: {:.0} GFLOP/s on one thread, {:.0} on {}. \
         Copying: {:.1} GB/s read and written.\n{gpu}",
        machine.processor,
        machine.cores,
        machine.threads,
        machine.gigaflops_of_one,
        machine.gigaflops,
        machine.threads,
        machine.copy_gigabytes
    )
}

fn rounds(results: &Results) -> String {
    let peers = if results.peers { "other programs in the same rounds" } else { "no other programs" };
    let quick = if results.quick { "; short rounds, not to be quoted" } else { "" };
    let rounds = if results.rounds == 1 { "one round".to_owned() } else { format!("{} rounds", results.rounds) };
    format!("Medians of {rounds}; {peers}{quick}. Limits by the matrix products of the same rounds.")
}

/// One line of the table: what it is, and its pieces of work.
pub(crate) fn section(section: &Section) -> String {
    let mut text = format!("**{}.** {}\n\n", section.line, section.about);
    text.push_str("| work | ours | other program | its figure | ours to it | limit | share of it |\n");
    text.push_str("|---|---|---|---|---|---|---|\n");
    for row in &section.rows {
        of_row(&mut text, row);
    }
    text
}

fn of_row(text: &mut String, row: &Row) {
    let unit = row.unit;
    let figure = |value: f64| format!("{} {}", unit.number(value), unit.name());
    let limit = row.limit.map_or(String::new(), |limit| unit.number(limit));
    let share = row.share().map_or(String::new(), |share| format!("{:.0} %", 100.0 * share));
    let ours = format!("{} | {}", row.work, figure(row.ours.median));
    let bound = format!("{limit} | {share}");
    if row.peers.is_empty() {
        let _ = writeln!(text, "| {ours} | | | | {bound} |");
    }
    for (index, peer) in row.peers.iter().enumerate() {
        // Said once: the lines below are of the same work.
        let (ours, bound) = if index == 0 { (ours.as_str(), bound.as_str()) } else { (" | ", " | ") };
        let (theirs, ratio) = (unit.number(peer.figure.median), unit.comparison(row.compared(peer)));
        let _ = writeln!(text, "| {ours} | {} | {theirs} | {ratio} | {bound} |", peer.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::{Figure, Peer};
    use crate::machine::Gpu;

    fn results() -> Results {
        let peer = |name: &str, value| Peer { name: name.to_owned(), figure: Figure::single(value) };
        let speed = Row {
            peers: vec![peer("library", 9_800.4), peer("loop", 3_000.0)],
            limit: Some(125_000.0),
            ..Row::new("batch 1024", Unit::Samples, Figure::single(50_000.0))
        };
        let quality =
            Row { peers: vec![peer("library", 0.765)], ..Row::new("3 epochs", Unit::TestAuc, Figure::single(0.7661)) };
        let alone = Row { limit: Some(1.0), ..Row::new("one user", Unit::Milliseconds, Figure::single(4.0)) };
        Results {
            machine: Machine {
                processor: "CPU".to_owned(),
                cores: 2,
                threads: 2,
                gigaflops_of_one: 70.4,
                gigaflops: 139.6,
                copy_gigabytes: 11.04,
                gpu: None,
            },
            rows: "train_small".to_owned(),
            rounds: 5,
            peers: true,
            quick: false,
            sections: vec![Section {
                line: "din-training".to_owned(),
                about: "Training.".to_owned(),
                rows: vec![speed, quality, alone],
            }],
        }
    }

    #[test]
    fn a_peer_has_a_line_and_what_is_ours_is_said_once() {
        let text = markdown(&results());
        let expected = "\
Machine: CPU, 2 cores, threads of both sides: 2. Products of float32 matrices: 70 GFLOP/s on one thread, 140 on 2. Copying: 11.0 \
GB/s read and written.

Rows: train_small. Medians of 5 rounds; other programs in the same rounds. Limits by the matrix products of the same \
rounds.

**din-training.** Training.

| work | ours | other program | its figure | ours to it | limit | share of it |
|---|---|---|---|---|---|---|
| batch 1024 | 50,000 samples/s | library | 9,800 | 5.1× | 125,000 | 40 % |
|  |  | loop | 3,000 | 17× |  |  |
| 3 epochs | 0.7661 test AUC | library | 0.7650 | +0.0011 |  |  |
| one user | 4.00 ms | | | | 1.00 | 25 % |
";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_gpu_is_named_behind_the_machine() {
        let mut results = results();
        let gpu = Gpu { name: "Some GPU".to_owned(), gigaflops: 50_000.4, copy_gigabytes: 3000.2 };
        results.machine.gpu = Some(gpu);
        let line = "\nGPU: Some GPU. Products of float32 matrices on it: 50000 GFLOP/s. Copying within it: 3000 GB/s read and \
                    written.\n";
        assert!(head(&results).contains(line), "{}", head(&results));
    }

    #[test]
    fn a_quick_call_without_peers_says_so() {
        let text = markdown(&Results { quick: true, peers: false, rounds: 1, ..results() });
        assert!(
            text.contains("Medians of one round; no other programs; short rounds, not to be quoted. Limits"),
            "{text}"
        );
    }

    #[test]
    fn thousands_are_apart() {
        for (value, text) in [(0.0, "0"), (999.4, "999"), (1000.0, "1,000"), (12_345_678.0, "12,345,678")] {
            assert_eq!(thousands(value), text);
        }
    }
}

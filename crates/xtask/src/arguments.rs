//! The command line: which task, with which arguments.

use std::ffi::OsString;
use std::str::FromStr;

/// One parsed call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Print this text.
    Help(&'static str),
    /// Provide libtorch; `cpu` asks for the public wheel even where a PyTorch is linked.
    Setup { cpu: bool },
    /// Run the demo with these arguments of `fain demo`.
    Demo(Vec<OsString>),
    /// Run the tests with these arguments of `cargo test`.
    Test(Vec<OsString>),
    /// Measure the table of benchmarks with these arguments of `fain-benchmarks`.
    Bench(Vec<OsString>),
    /// Run the benchmarks of single parts with these arguments of `cargo bench`.
    Kernels(Vec<OsString>),
    /// Measure how fast samples are encoded.
    BenchEncoding(Encoding),
    /// Read files with wrong bytes, in this many cases for each kind.
    Fuzz { cases: u64 },
    /// Fill a folder that runs on a machine with a GPU; `target/cuda` when none is named.
    CudaFolder { output: Option<OsString> },
    /// Run the checks of a change; `test` says whether the tests are among them.
    Ci { test: bool },
}

/// What is encoded, and beside whom.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Encoding {
    /// A file of `MovieLens` samples; one is generated when there is none.
    pub(crate) data: Option<OsString>,
    /// A Python with pandas and scikit-learn.
    pub(crate) peer: Option<OsString>,
    /// How often, at least once.
    pub(crate) rounds: u32,
}

const OVERVIEW: &str = "\
Tasks of the fain repository.

Usage: cargo xtask <TASK> [ARGUMENTS]

Tasks:
  setup        provide libtorch 2.11.0 in .libtorch (once; the other tasks do it first)
  demo         run the demo: data, training and evaluation, end to end
  test         run every test of the workspace
  bench        measure the table of docs/performance.md, or the benchmarks of single parts
  cuda-folder  fill a folder that runs and measures fain on a machine with a GPU
  fuzz         read a million files with wrong bytes of each kind
  ci           run what a change must pass: tests, format, lints, documents, the torch-free half

`cargo xtask <TASK> --help` says more about a task.

Environment:
  FAIN_LIBTORCH=PATH  use an installed PyTorch 2.11 (CPU or CUDA) in place of the public CPU wheel
  CXX                 the C++ compiler (c++ when unset)
";

const SETUP: &str = "\
Provide libtorch 2.11.0 in .libtorch.

Usage: cargo xtask setup [--cpu]

Without FAIN_LIBTORCH the public CPU wheel is fetched with pip (545 MB, 1.3 GB of disk space during the set-up,
500 MB after it). A second call does nothing. An interrupted call is taken up by the next one; complete downloads
are kept.

FAIN_LIBTORCH=PATH links an installed PyTorch 2.11 (CPU or CUDA) instead and copies nothing. PATH is a site-packages
folder, the torch folder in it, or an unpacked libtorch. The link stays when FAIN_LIBTORCH is unset again.

Options:
  --cpu   go back from a linked PyTorch to the public CPU wheel
";

const DEMO: &str = "\
Run the demo: data from the built-in simulator, training and evaluation, end to end.

Usage: cargo xtask demo [ARGUMENTS]

Provides libtorch, then runs `cargo run --release -p fain -- demo ARGUMENTS`. The exit code is that of fain.
`cargo xtask demo -- --help` lists the arguments.
";

const TEST: &str = "\
Run every test of the workspace, documentation examples included.

Usage: cargo xtask test [ARGUMENTS]

Provides libtorch, then runs `cargo test --release --workspace ARGUMENTS`. With `-p CRATE` among the arguments only
that crate is tested. Everything after `--` goes to the test programs.
";

const BENCH: &str = "\
Measure the table of docs/performance.md: fain, other programs at the same work, and the limit of the machine.

Usage: cargo xtask bench [LINE]… [OPTIONS]
       cargo xtask bench kernels [ARGUMENTS]

Provides libtorch, then runs `cargo run --release -p fain-benchmarks -- ARGUMENTS`. `cargo xtask bench -- --help` lists
lines and options. The most used: `--data FOLDER` names the files of ml1m_ctr, `--peers` measures the Python programs too.

`kernels` runs the criterion benchmarks: `cargo bench --workspace ARGUMENTS`. With `-p CRATE` among the arguments only
that crate is measured. Everything after `--` goes to the benchmark programs.

`cargo xtask bench encoding-parts` is a comparison of its own; `cargo xtask bench encoding-parts --help` says more.
";

const ENCODING: &str = "\
Measure how fast samples are read, learnt from and encoded, beside pandas and scikit-learn.

Usage: cargo xtask bench encoding-parts [--data FILE] [--peer PYTHON] [--rounds N]

Provides libtorch, builds the example `encoding_speed` of fain-features and runs it. With a peer, both do the same work
in turns, their ids must be equal, and the ratio is printed: by the clock, and in the time of all processors together.

Options:
  --data FILE     samples with the columns of ml1m_ctr, CSV, plain or compressed (one is generated in target/ when left
                  out)
  --peer PYTHON   a Python that has pandas and scikit-learn (without it, only fain is measured)
  --rounds N      how often (5)
";

const FUZZ: &str = "\
Read files with wrong bytes: each is read rightly or refused, without a panic.

Usage: cargo xtask fuzz [CASES]

Provides libtorch, then runs the test `mutation` of fain-dataset with that many cases for each kind of file: CSV, gzip,
zstd, Parquet, Arrow files, and the folders of samples and of datasets. 1000000 by default; `cargo xtask test` runs a
few of them. It says how far it is, and of each kind how many cases were refused and how many were rightly accepted.
";

const CUDA_FOLDER: &str = "\
Fill a folder that runs and measures fain on a machine with a GPU.

Usage: cargo xtask cuda-folder [--output FOLDER]

Provides libtorch, builds `fain` and `fain-benchmarks`, and copies them with the configurations, the other programs'
scripts, `run.sh` and a README into a folder of less than 60 MB. This machine needs no GPU; the other one needs its own
PyTorch 2.11 for CUDA and builds nothing. A folder that this task has made before is replaced.

Options:
  --output FOLDER  where (target/cuda)
";

const CI: &str = "\
Run what a change must pass.

Usage: cargo xtask ci [--no-test]

In this order: the tests (as `cargo xtask test`), cargo fmt --check, clippy and the documents with warnings as errors,
that no torch is among the dependencies of the torch-free crates, and their tests without libtorch.

Options:
  --no-test   leave out the tests of the whole workspace, for a caller that has just run them
";

/// Reads the arguments after the program's name.
///
/// # Errors
/// An unknown task or option, as a sentence for the user.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Request, String> {
    let mut arguments = arguments.into_iter();
    let Some(task) = arguments.next() else {
        return Ok(Request::Help(OVERVIEW));
    };
    let rest: Vec<OsString> = arguments.collect();
    let task = task.to_string_lossy();
    let help = match &*task {
        "help" | "--help" | "-h" => return Ok(Request::Help(OVERVIEW)),
        "setup" => SETUP,
        "demo" => DEMO,
        "test" => TEST,
        "bench" => BENCH,
        "cuda-folder" => CUDA_FOLDER,
        "fuzz" => FUZZ,
        "ci" => CI,
        _ => {
            return Err(format!(
                "there is no task `{task}`; the tasks are setup, demo, test, bench, cuda-folder, fuzz, ci"
            ));
        }
    };
    if task == "bench" && rest.first().is_some_and(|first| first == "encoding-parts") {
        return encoding(&rest[1..]);
    }
    if rest.first().is_some_and(|first| first == "--help" || first == "-h") {
        return Ok(Request::Help(help));
    }
    match &*task {
        "setup" => switch(&task, &rest, "--cpu").map(|cpu| Request::Setup { cpu }),
        "ci" => switch(&task, &rest, "--no-test").map(|left_out| Request::Ci { test: !left_out }),
        "test" => Ok(Request::Test(rest)),
        "bench" if rest.first().is_some_and(|first| first == "kernels") => Ok(Request::Kernels(rest[1..].to_vec())),
        "bench" => Ok(Request::Bench(without_separator(rest))),
        "cuda-folder" => output(&rest).map(|output| Request::CudaFolder { output }),
        "fuzz" => cases(&rest).map(|cases| Request::Fuzz { cases }),
        _ => Ok(Request::Demo(without_separator(rest))),
    }
}

/// Whether the only option of a task was given.
fn switch(task: &str, arguments: &[OsString], option: &str) -> Result<bool, String> {
    match arguments.iter().find(|&argument| argument != option) {
        Some(other) => Err(format!(
            "`cargo xtask {task}` does not know `{}`; it knows {option} and --help",
            other.to_string_lossy()
        )),
        None => Ok(!arguments.is_empty()),
    }
}

/// The options of `bench encoding-parts`.
fn encoding(arguments: &[OsString]) -> Result<Request, String> {
    let mut encoding = Encoding { data: None, peer: None, rounds: 5 };
    let mut arguments = arguments.iter();
    while let Some(option) = arguments.next() {
        let name = option.to_string_lossy();
        if name == "--help" || name == "-h" {
            return Ok(Request::Help(ENCODING));
        }
        if !["--data", "--peer", "--rounds"].contains(&&*name) {
            return Err(format!(
                "`cargo xtask bench encoding-parts` does not know `{name}`; it knows --data, --peer, --rounds and --help"
            ));
        }
        let value = arguments.next().ok_or_else(|| format!("`{name}` needs a value"))?;
        match &*name {
            "--data" => encoding.data = Some(value.clone()),
            "--peer" => encoding.peer = Some(value.clone()),
            _ => encoding.rounds = positive(value, "`--rounds`", "rounds")?,
        }
    }
    Ok(Request::BenchEncoding(encoding))
}

fn positive<N: FromStr + Default + PartialOrd>(argument: &OsString, taker: &str, what: &str) -> Result<N, String> {
    let text = argument.to_string_lossy();
    let number = text.parse().ok().filter(|number| *number > N::default());
    number.ok_or_else(|| format!("{taker} takes a number of {what}, 1 or more, not `{text}`"))
}

/// The only option of `cuda-folder`.
fn output(arguments: &[OsString]) -> Result<Option<OsString>, String> {
    match arguments {
        [] => Ok(None),
        [option, folder] if option == "--output" => Ok(Some(folder.clone())),
        [option] if option == "--output" => Err("`--output` needs a value".to_owned()),
        [first, ..] => Err(format!(
            "`cargo xtask cuda-folder` does not know `{}`; it knows --output FOLDER and --help",
            first.to_string_lossy()
        )),
    }
}

/// The only argument of `fuzz`.
fn cases(arguments: &[OsString]) -> Result<u64, String> {
    let [argument] = arguments else {
        return if arguments.is_empty() {
            Ok(1_000_000)
        } else {
            Err("`cargo xtask fuzz` takes one number".to_owned())
        };
    };
    positive(argument, "`cargo xtask fuzz`", "cases")
}

/// `demo -- --help` means the help of fain, `bench -- --help` that of the table; the programs see no `--`.
fn without_separator(mut arguments: Vec<OsString>) -> Vec<OsString> {
    if arguments.first().is_some_and(|first| first == "--") {
        arguments.remove(0);
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Request, String> {
        parse(line.split_whitespace().map(OsString::from))
    }

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn each_task_has_its_request() {
        assert_eq!(parsed(""), Ok(Request::Help(OVERVIEW)));
        assert_eq!(parsed("--help"), Ok(Request::Help(OVERVIEW)));
        assert_eq!(parsed("setup"), Ok(Request::Setup { cpu: false }));
        assert_eq!(parsed("setup --cpu"), Ok(Request::Setup { cpu: true }));
        assert_eq!(parsed("ci"), Ok(Request::Ci { test: true }));
        assert_eq!(parsed("ci --no-test"), Ok(Request::Ci { test: false }));
        assert_eq!(parsed("test -p fain-metrics -- auc"), Ok(Request::Test(words("-p fain-metrics -- auc"))));
        assert_eq!(parsed("bench augru --quick"), Ok(Request::Bench(words("augru --quick"))));
        assert_eq!(parsed("bench kernels attention"), Ok(Request::Kernels(words("attention"))));
        assert_eq!(parsed("bench kernels -- --quick"), Ok(Request::Kernels(words("-- --quick"))));
        let encoding = |data: Option<&str>, peer: Option<&str>, rounds| {
            Ok(Request::BenchEncoding(Encoding { data: data.map(Into::into), peer: peer.map(Into::into), rounds }))
        };
        assert_eq!(parsed("bench encoding-parts"), encoding(None, None, 5));
        let line = "bench encoding-parts --data a.csv --peer python3 --rounds 9";
        assert_eq!(parsed(line), encoding(Some("a.csv"), Some("python3"), 9));
        assert_eq!(parsed("bench -- encoding"), Ok(Request::Bench(words("encoding"))));
        assert_eq!(parsed("fuzz"), Ok(Request::Fuzz { cases: 1_000_000 }));
        assert_eq!(parsed("fuzz 500"), Ok(Request::Fuzz { cases: 500 }));
        assert_eq!(parsed("cuda-folder"), Ok(Request::CudaFolder { output: None }));
        assert_eq!(parsed("cuda-folder --output x"), Ok(Request::CudaFolder { output: Some("x".into()) }));
        assert_eq!(parsed("demo --epochs 1"), Ok(Request::Demo(words("--epochs 1"))));
    }

    #[test]
    fn each_task_has_its_help_and_the_demo_keeps_the_help_of_fain() {
        for (task, text) in [
            ("setup", SETUP),
            ("demo", DEMO),
            ("test", TEST),
            ("bench", BENCH),
            ("cuda-folder", CUDA_FOLDER),
            ("fuzz", FUZZ),
            ("ci", CI),
        ] {
            assert_eq!(parsed(&format!("{task} --help")), Ok(Request::Help(text)));
            assert!(text.contains(&format!("Usage: cargo xtask {task}")), "{text}");
            assert!(OVERVIEW.contains(&format!("\n  {task}")), "{task} is missing in the overview");
        }
        assert_eq!(parsed("bench encoding-parts --help"), Ok(Request::Help(ENCODING)));
        assert!(BENCH.contains("bench encoding-parts --help"));
        assert_eq!(parsed("demo -- --help"), Ok(Request::Demo(words("--help"))));
        assert_eq!(parsed("bench -- --help"), Ok(Request::Bench(words("--help"))));
        assert_eq!(parsed("test -- --help"), Ok(Request::Test(words("-- --help"))), "cargo test needs the separator");
    }

    #[test]
    fn what_is_unknown_is_named_with_what_is_known() {
        assert_eq!(
            parsed("tset"),
            Err("there is no task `tset`; the tasks are setup, demo, test, bench, cuda-folder, fuzz, ci".to_owned())
        );
        assert_eq!(
            parsed("setup --gpu"),
            Err("`cargo xtask setup` does not know `--gpu`; it knows --cpu and --help".to_owned())
        );
        for (line, problem) in [
            ("fuzz 0", "`cargo xtask fuzz` takes a number of cases, 1 or more, not `0`"),
            ("fuzz all", "`cargo xtask fuzz` takes a number of cases, 1 or more, not `all`"),
            ("cuda-folder --output", "`--output` needs a value"),
            ("cuda-folder x", "`cargo xtask cuda-folder` does not know `x`; it knows --output FOLDER and --help"),
            ("fuzz 1 2", "`cargo xtask fuzz` takes one number"),
            ("bench encoding-parts --rounds 0", "`--rounds` takes a number of rounds, 1 or more, not `0`"),
            ("bench encoding-parts --peer", "`--peer` needs a value"),
            (
                "bench encoding-parts a.csv",
                "`cargo xtask bench encoding-parts` does not know `a.csv`; it knows --data, --peer, --rounds and --help",
            ),
        ] {
            assert_eq!(parsed(line), Err(problem.to_owned()));
        }
        assert_eq!(
            parsed("ci --no-test all"),
            Err("`cargo xtask ci` does not know `all`; it knows --no-test and --help".to_owned())
        );
    }
}

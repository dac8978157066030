//! What may be written on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use fain_autograd::DeviceChoice;
use fain_training::Override;

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    the work failed
  2    the request or the configuration is wrong
  3    the data is wrong
  130  interrupted

Examples:
  fain demo
  fain train configs/movielens_tiny_din.toml --set data.root=data/movielens_tiny
  fain predict runs/movielens_tiny_din --input new.csv --output scores.csv";

/// Trains, evaluates and applies click-through-rate models.
///
/// Results go to standard output, progress to standard error.
#[derive(Debug, Parser)]
#[command(name = "fain", version, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(DemoArguments),
    Prepare(PrepareArguments),
    Train(TrainArguments),
    Evaluate(EvaluateArguments),
    Predict(PredictArguments),
    Inspect(InspectArguments),
    Simulate(SimulateArguments),
    Completions(CompletionsArguments),
}

/// Generate clicks, train models on them and compare these with the best possible AUC.
///
/// The generator knows the probability of every click, so that the AUC of the best model without the history (blind)
/// and of the best model of all (optimal) are known.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  fain demo\n  fain demo --impressions 1000000 --seed 7 --output runs/million")]
pub(crate) struct DemoArguments {
    /// Rows to generate, for training and test together
    #[arg(long, value_name = "N")]
    pub(crate) impressions: Option<u64>,
    /// Seed of the generator and of the training
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Folder to make for data and runs [default: runs/demo, or the first free of runs/demo-2, -3, …]
    #[arg(long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Print the report of the last model, with those of the others beside it, as one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

/// Make samples from a raw log: who did what when becomes candidates with histories and labels.
///
/// Every event is stored once; a sample is a user and a place in that user's history. Configurations read the folder as
/// data.samples, and its files are opened by pandas, polars and DuckDB as they are.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fain prepare datasets/movielens_1m/prepare.toml --set root=data/ml-1m
  fain prepare datasets/movielens_1m/prepare.toml --set history.max_length=100 --output samples/long --csv exported")]
pub(crate) struct PrepareArguments {
    /// Configuration file
    pub(crate) config: PathBuf,
    /// Replace a setting of the file; the value is TOML, or text; may be given many times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<Override>,
    /// Folder to make [default: samples/ and the name of the configuration's folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Folder to make for CSV files with every history written out, for other programs
    #[arg(long, value_name = "DIR")]
    pub(crate) csv: Option<PathBuf>,
    /// Print the summary as one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

/// Train a model as a configuration file says.
///
/// The first Ctrl-C writes a checkpoint and stops; --resume goes on from it to the same bytes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fain train configs/ml1m_ctr_din.toml --set data.root=data/ml1m_ctr
  fain train configs/ml1m_ctr_din.toml --set training.epochs=1 --output runs/quick --json
  fain train runs/quick/config.toml --output runs/quick --resume")]
pub(crate) struct TrainArguments {
    /// Configuration file
    pub(crate) config: PathBuf,
    /// Replace a setting of the file; the value is TOML, or text; may be given many times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<Override>,
    /// Device that computes: cpu, cuda or cuda:N
    #[arg(long, default_value_t)]
    pub(crate) device: DeviceChoice,
    /// Folder of the run; it must not exist yet [default: runs/ and the name of the configuration]
    #[arg(long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Go on with a run that was interrupted
    #[arg(long)]
    pub(crate) resume: bool,
    /// Print the report as one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

/// Measure a trained model on rows with labels.
///
/// On the test file of the run's configuration it gives exactly the test metrics of the run's report.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fain evaluate runs/ml1m_ctr_din
  fain evaluate runs/ml1m_ctr_din --data data/later.csv.gz --json")]
pub(crate) struct EvaluateArguments {
    /// Folder of a run or of a bundle
    pub(crate) run: PathBuf,
    /// File of rows with labels [default: the test rows of the run's configuration]
    #[arg(long, value_name = "FILE")]
    pub(crate) data: Option<PathBuf>,
    /// Device that computes: cpu, cuda or cuda:N
    #[arg(long, default_value_t)]
    pub(crate) device: DeviceChoice,
    /// Print the metrics as one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

/// Write a click probability for every row of a file.
///
/// The output has the columns row and probability, one line per row, in the order of the input. No label is needed.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  fain predict runs/ml1m_ctr_din --input new.csv.gz --output scores.csv")]
pub(crate) struct PredictArguments {
    /// Folder of a run or of a bundle
    pub(crate) run: PathBuf,
    /// File of rows to score: CSV, plain or gzip
    #[arg(long, value_name = "FILE")]
    pub(crate) input: PathBuf,
    /// File to write
    #[arg(long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Replace the output file if it exists
    #[arg(long)]
    pub(crate) force: bool,
    /// Device that computes: cpu, cuda or cuda:N
    #[arg(long, default_value_t)]
    pub(crate) device: DeviceChoice,
}

/// Show what a configuration, samples, an encoded dataset, a run or a bundle is made of.
///
/// --audit looks for what makes a measured quality a lie: rows in two splits, candidates in their own history, events
/// after their sample, columns that give the label away.
///
/// --graph draws the model's layers: FILE.svg by the program dot of Graphviz, FILE.dot without it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fain inspect configs/ml1m_ctr_din.toml
  fain inspect configs/ml1m_ctr_din.toml --graph din.svg
  fain inspect configs/ml1m_ctr_din.toml --set data.root=data/ml1m_ctr --audit
  fain inspect runs/ml1m_ctr_din --json")]
pub(crate) struct InspectArguments {
    /// Configuration file, or folder of samples, a dataset, a run or a bundle
    pub(crate) path: PathBuf,
    /// Replace a setting of a configuration file; the value is TOML, or text; may be given many times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<Override>,
    /// Audit the encoded rows of a configuration, a dataset or a run
    #[arg(long, conflicts_with = "graph")]
    pub(crate) audit: bool,
    /// Draw the model: FILE.svg, or FILE.dot for the text that Graphviz draws from
    #[arg(long, value_name = "FILE")]
    pub(crate) graph: Option<PathBuf>,
    /// Replace the drawing if it exists
    #[arg(long, requires = "graph")]
    pub(crate) force: bool,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

/// Generate clicks whose probabilities are known.
///
/// Writes train.csv and test.csv; with --log also the raw log they are made from, and with
/// --log-only that alone: events.csv, users.csv, items.csv.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fain simulate --impressions 100000 --output data/shop
  fain simulate --impressions 100000 --output data/shop --log
  fain simulate datasets/shop/large.toml --seed 7 --output data/large --log-only")]
pub(crate) struct SimulateArguments {
    /// Configuration file of the generator [default: the generator's defaults]
    pub(crate) config: Option<PathBuf>,
    /// Rows to generate, for training and test together
    #[arg(long, value_name = "N")]
    pub(crate) impressions: Option<u64>,
    /// Seed of the generator
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Folder to write to
    #[arg(long, value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// Write the raw log too
    #[arg(long)]
    pub(crate) log: bool,
    /// Write the raw log only: train.csv and test.csv hold every history again and again, and are much larger
    #[arg(long, conflicts_with = "log")]
    pub(crate) log_only: bool,
}

/// Print a script that completes fain's arguments in a shell.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  fain completions bash > ~/.local/share/bash-completion/completions/fain")]
pub(crate) struct CompletionsArguments {
    /// The shell
    pub(crate) shell: Shell,
}

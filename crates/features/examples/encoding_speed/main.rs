//! Seconds to read, fit and encode a file of `MovieLens` samples, by the clock and of all processors together.
//!
//! ```sh
//! cargo run --release -p fain-features --example encoding_speed -- FILE [--rounds N] [--json] [--columns FOLDER]
//! cargo run --release -p fain-features --example encoding_speed -- --generate FILE.csv.gz
//! ```
//!
//! `--json` prints the seconds of each round as one document, `--columns` writes every encoded column to the folder as
//! its bare numbers; `benches/encoding_peer.py` does the same work with pandas and scikit-learn and compares.
//! `--generate` writes a file like those of `MovieLens`. `cargo xtask bench encoding-parts` does all of it.
#![allow(clippy::print_stdout, reason = "the seconds are what it is for")]

mod columns;
mod generate;
mod watch;

use std::error::Error;
use std::path::{Path, PathBuf};

use fain_features::{Binding, CsvConfig, EncoderFitter, Parts, Record, Samples, Schema, SchemaConfig, TableReader};

use crate::watch::{Seconds, Watch};

/// The histories share the vocabulary of the movies. Nothing is cut, and only postcodes are rare.
const SCHEMA: &str = include_str!("schema.toml");

const USAGE: &str = "usage: encoding_speed FILE [--rounds N] [--json] [--columns FOLDER] | --generate FILE.csv.gz";

struct Arguments {
    file: PathBuf,
    generate: bool,
    rounds: usize,
    json: bool,
    columns: Option<PathBuf>,
}

impl Arguments {
    fn read(arguments: impl IntoIterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let (mut file, mut generate, mut rounds, mut json, mut columns) = (None, false, 1, false, None);
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--generate" => generate = true,
                "--json" => json = true,
                "--rounds" => rounds = arguments.next().ok_or(USAGE)?.parse()?,
                "--columns" => columns = Some(arguments.next().ok_or(USAGE)?.into()),
                option if option.starts_with("--") => return Err(USAGE.into()),
                _ if file.is_some() => return Err(USAGE.into()),
                _ => file = Some(argument.into()),
            }
        }
        if rounds == 0 {
            return Err("at least one round is needed".into());
        }
        Ok(Self { file: file.ok_or(USAGE)?, generate, rounds, json, columns })
    }
}

/// What one round took.
struct Round {
    read: Seconds,
    fit: Seconds,
    encode: Seconds,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::read(std::env::args().skip(1))?;
    if arguments.generate {
        return Ok(generate::write(&arguments.file)?);
    }
    let schema = toml::from_str::<SchemaConfig>(SCHEMA)?.check()?;
    let mut rounds = Vec::new();
    let mut samples = Samples::default();
    for _ in 0..arguments.rounds {
        // The samples of a round before would be freed while the clock runs.
        drop(std::mem::take(&mut samples));
        let (round, encoded) = round(&arguments.file, &schema)?;
        rounds.push(round);
        samples = encoded;
    }
    if let Some(folder) = &arguments.columns {
        let names: Vec<&str> = schema.features().iter().map(|feature| feature.name.as_str()).collect();
        columns::write(folder, &names, &samples)?;
    }
    if arguments.json {
        print_json(samples.rows, &rounds);
    } else {
        print_table(samples.rows, &rounds);
    }
    Ok(())
}

/// Reads all rows, learns from them and encodes them.
fn round(file: &Path, schema: &Schema) -> Result<(Round, Samples), Box<dyn Error>> {
    let parts = Parts { labels: true, ..Parts::default() };
    let watch = Watch::start();
    let mut table = TableReader::open(file, &CsvConfig::default())?;
    let binding = Binding::new(schema, parts, table.header(), file)?;
    let mut records = Vec::new();
    let mut record = Record::new();
    while table.read(&mut record)? {
        records.push(std::mem::take(&mut record));
    }
    let read = watch.elapsed();

    let watch = Watch::start();
    let mut fitter = EncoderFitter::new(schema.clone());
    fitter.observe_rows(&records, &binding)?;
    let encoders = fitter.finish()?;
    let fit = watch.elapsed();

    let watch = Watch::start();
    let mut samples = Samples::new(encoders.schema(), parts);
    encoders.encode_rows(&records, &binding, &mut samples)?;
    Ok((Round { read, fit, encode: watch.elapsed() }, samples))
}

fn print_json(rows: usize, rounds: &[Round]) {
    let pair = |seconds: Seconds| format!("[{:?}, {:?}]", seconds.clock, seconds.processors);
    let rounds: Vec<String> = rounds
        .iter()
        .map(|round| {
            let [read, fit, encode] = [round.read, round.fit, round.encode].map(pair);
            format!(r#"{{"read": {read}, "fit": {fit}, "encode": {encode}}}"#)
        })
        .collect();
    let (threads, rounds) = (rayon::current_num_threads(), rounds.join(", "));
    println!(r#"{{"rows": {rows}, "threads": {threads}, "rounds": [{rounds}]}}"#);
}

fn print_table(rows: usize, rounds: &[Round]) {
    println!("{rows} rows on {} threads, seconds of {} rounds", rayon::current_num_threads(), rounds.len());
    println!("{:20} {:>14} {:>8} {:>14} {:>8}", "", "by the clock:", "", "of processors:", "");
    println!("{:20} {:>14} {:>8} {:>14} {:>8}", "", "best", "median", "best", "median");
    let print = |name: &str, of: &dyn Fn(&Round) -> Seconds| {
        let sorted = |kind: fn(&Seconds) -> f64| {
            let mut seconds: Vec<f64> = rounds.iter().map(|round| kind(&of(round))).collect();
            seconds.sort_by(f64::total_cmp);
            (seconds[0], seconds[seconds.len() / 2])
        };
        let (clock, processors) = (sorted(|seconds| seconds.clock), sorted(|seconds| seconds.processors));
        println!("{name:20} {:>14.3} {:>8.3} {:>14.3} {:>8.3}", clock.0, clock.1, processors.0, processors.1);
    };
    print("read", &|round| round.read);
    print("fit", &|round| round.fit);
    print("encode", &|round| round.encode);
    print("fit + encode", &|round| round.fit + round.encode);
    print("read + fit + encode", &|round| round.read + round.fit + round.encode);
}

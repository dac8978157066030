//! Seconds to read, fit and encode a file of `MovieLens` samples, by the clock and of all processors together, and the
//! encoded columns for others to compare.
//!
//! `cargo run --release -p fain-features --example encoding_speed -- FILE [FOLDER]`: with a folder, every column is
//! written there as its bare numbers. `benches/encoding_peer.py` does the same work with pandas and scikit-learn.
#![allow(clippy::print_stdout, reason = "the seconds are what it is for")]

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Instant;

use fain_features::{Binding, Column, CsvConfig, EncoderFitter, Parts, Record, Samples, SchemaConfig, TableReader};

/// The histories share the vocabulary of the movies. Nothing is cut and no term is rare.
const SCHEMA: &str = r#"
label = "label"
features.userId = { kind = "category" }
features.movieId = { kind = "category" }
features.gender = { kind = "category" }
features.occupation = { kind = "category" }
features.zipCode = { kind = "category", min_count = 5 }
features.genres = { kind = "sequence", max_length = 6 }
features.histHighRatedMovieIds = { kind = "sequence", max_length = 50, vocabulary = "movieId" }
features.negHistMovieIds = { kind = "sequence", max_length = 50, vocabulary = "movieId" }
features.age = { kind = "numeric", scale = "quantile" }
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("the first argument is the file")?;
    let (path, folder) = (Path::new(&file), arguments.next());
    let schema = toml::from_str::<SchemaConfig>(SCHEMA)?.check()?;
    let parts = Parts { labels: true, ..Parts::default() };

    let start = Watch::start();
    let mut table = TableReader::open(path, &CsvConfig::default())?;
    let binding = Binding::new(&schema, parts, table.header(), path)?;
    let mut records = Vec::new();
    let mut record = Record::new();
    while table.read(&mut record)? {
        records.push(std::mem::take(&mut record));
    }
    let read = start.elapsed();

    let start = Watch::start();
    let mut fitter = EncoderFitter::new(schema);
    fitter.observe_rows(&records, &binding)?;
    let encoders = fitter.finish()?;
    let fit = start.elapsed();

    let start = Watch::start();
    let mut samples = Samples::new(encoders.schema(), parts);
    encoders.encode_rows(&records, &binding, &mut samples)?;
    let encode = start.elapsed();

    println!(
        r#"{{"rows": {}, "threads": {}, "read": {read:?}, "fit": {fit:?}, "encode": {encode:?}}}"#,
        samples.rows,
        rayon::current_num_threads(),
    );
    if let Some(folder) = folder {
        write(
            Path::new(&folder),
            &encoders.schema().features().iter().map(|f| f.name.clone()).collect::<Vec<_>>(),
            &samples,
        )?;
    }
    Ok(())
}

/// What a step takes.
struct Watch {
    clock: Instant,
    processors: f64,
}

impl Watch {
    fn start() -> Self {
        Self { clock: Instant::now(), processors: processor_seconds() }
    }

    /// Seconds by the clock, and of all processors together: on a busy machine only these say what the work costs.
    fn elapsed(&self) -> [f64; 2] {
        [self.clock.elapsed().as_secs_f64(), processor_seconds() - self.processors]
    }
}

/// Seconds that the threads of this process, as far as they still run, have had a processor; 0 where the system does
/// not say.
fn processor_seconds() -> f64 {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let nanoseconds = threads.filter_map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    });
    nanoseconds.sum::<f64>() / 1e9
}

/// Little-endian numbers, a file per column: ids and offsets of 32 bits, scaled numbers of 32 bits.
fn write(folder: &Path, names: &[String], samples: &Samples) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let of_ids = |ids: &[u32]| ids.iter().flat_map(|id| id.to_le_bytes()).collect::<Vec<u8>>();
    for (name, column) in names.iter().zip(&samples.columns) {
        match column {
            Column::Category(ids) => fs::write(folder.join(name), of_ids(ids))?,
            Column::Sequence(lists) => {
                fs::write(folder.join(name), of_ids(&lists.values))?;
                fs::write(folder.join(format!("{name}.offsets")), of_ids(&lists.offsets))?;
            }
            Column::Numeric(numbers) => {
                let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
                fs::write(folder.join(name), bytes)?;
            }
            Column::Times(times) => {
                let bytes: Vec<u8> = times.values.iter().flat_map(|time| time.to_le_bytes()).collect();
                fs::write(folder.join(name), bytes)?;
            }
        }
    }
    Ok(())
}

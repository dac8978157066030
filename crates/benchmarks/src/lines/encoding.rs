//! From a file of text to ids.

use std::time::Instant;

use anyhow::{Context, Result};
use fain_features::{Binding, CsvConfig, EncoderFitter, Parts, Record, Samples, SchemaConfig, TableReader};
use serde_json::json;

use crate::bench::Bench;
use crate::figures::{Figure, Peer, Row, Unit};

pub(super) const ABOUT: &str = "Reading a file of samples, learning its encoders (categories, lists, quantiles of numbers) \
     and encoding all rows. pandas and scikit-learn do the same; that their ids are equal to ours is asserted by \
     crates/features/benches/encoding_peer.py.";

/// What `encoding_peer.py` encodes: the histories share the vocabulary of the movies.
const SCHEMA: &str = include_str!("../../../features/examples/encoding_speed/schema.toml");

/// Seconds for one row.
struct Seconds {
    read: f64,
    fit: f64,
    encode: f64,
}

pub(super) fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let source = &bench.source;
    let config = match source.schema()? {
        Some(config) => config,
        None => toml::from_str(SCHEMA)?,
    };
    let mut peer = match &bench.python {
        Some(python) if source.schema()?.is_none() => {
            Some(python.start("encoding.py", json!({ "file": source.train() }))?)
        }
        _ => None,
    };
    let (mut ours, mut theirs): (Vec<Seconds>, Vec<Seconds>) = (Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        ours.push(encode(&source.train(), &config)?);
        if let Some(peer) = &mut peer {
            let answer = peer.ask(&json!({}))?;
            let number = |step: &str| answer[step].as_f64().with_context(|| format!("encoding.py answered {answer}"));
            theirs.push(Seconds { read: number("read")?, fit: number("fit")?, encode: number("encode")? });
        }
    }
    let mut rows = Vec::new();
    for (work, seconds) in [
        ("learning and encoding", (|round| round.fit + round.encode) as fn(&Seconds) -> f64),
        ("reading, learning and encoding", |round| round.read + round.fit + round.encode),
    ] {
        let rate =
            |rounds: &[Seconds]| Figure::of(&rounds.iter().map(|round| 1.0 / seconds(round)).collect::<Vec<_>>());
        let mut row = Row::new(work, Unit::Samples, rate(&ours).context("nothing was measured")?);
        if let Some(figure) = rate(&theirs) {
            row.peers.push(Peer { name: "pandas and scikit-learn".to_owned(), figure });
        }
        rows.push(row);
    }
    Ok(rows)
}

fn encode(path: &std::path::Path, config: &SchemaConfig) -> Result<Seconds> {
    let schema = config.clone().check()?;
    let parts = Parts { labels: true, ..Parts::default() };
    let start = Instant::now();
    let mut table = TableReader::open(path, &CsvConfig::default())?;
    let binding = Binding::new(&schema, parts, table.header(), path)?;
    let (mut records, mut record) = (Vec::new(), Record::new());
    while table.read(&mut record)? {
        records.push(std::mem::take(&mut record));
    }
    let read = start.elapsed().as_secs_f64();

    let start = Instant::now();
    let mut fitter = EncoderFitter::new(schema);
    fitter.observe_rows(&records, &binding)?;
    let encoders = fitter.finish()?;
    let fit = start.elapsed().as_secs_f64();

    let start = Instant::now();
    let mut samples = Samples::new(encoders.schema(), parts);
    encoders.encode_rows(&records, &binding, &mut samples)?;
    let encode = start.elapsed().as_secs_f64();
    let rows = samples.rows.max(1) as f64;
    Ok(Seconds { read: read / rows, fit: fit / rows, encode: encode / rows })
}

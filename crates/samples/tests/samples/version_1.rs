//! A folder of version 1 must open as long as this crate reads version 1, and mean what it meant: its draws, too.

use std::fs;
use std::path::PathBuf;

use fain_samples::{CsvExport, Distribution, Lengths, Part, SamplesFolder, SourceTable, TimeFaults, write_csv};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/samples/version_1")
}

#[test]
fn it_opens() {
    let samples = SamplesFolder::open(&folder().join("samples")).unwrap();
    let manifest = samples.manifest();
    assert_eq!((manifest.format.as_str(), manifest.version), ("fain-samples", 1));
    assert_eq!(manifest.checksum, "04bdac2db5e00af2298e895c650bbc9b");
    assert_eq!((manifest.sources[0].table, manifest.sources[0].rows), (SourceTable::Log, 12));
    let candidates = manifest.negatives.candidates.as_ref().unwrap();
    assert_eq!(candidates.rule.distribution, Distribution::Popularity(0.75));
    assert_eq!(samples.check_times(), Some(TimeFaults::default()));

    let summary = samples.summary();
    assert_eq!((summary.users, summary.items, summary.events, summary.bytes), (3, 7, 9, 18_478));
    let lengths = Lengths { minimum: 0, lower_quartile: 0, median: 0, upper_quartile: 2, maximum: 2, mean: 1.0 };
    assert_eq!(summary.parts.test.lengths, Some(lengths));
}

#[test]
fn it_means_what_it_meant() {
    let samples = SamplesFolder::open(&folder().join("samples")).unwrap();
    for part in Part::ALL {
        let mut csv = Vec::new();
        let export = CsvExport { missing: "?".to_owned(), ..CsvExport::default() };
        write_csv(&samples, part, &mut csv, &export).unwrap();
        let expected = fs::read_to_string(folder().join(format!("{part}.csv"))).unwrap();
        assert_eq!(String::from_utf8(csv).unwrap(), expected, "{part}");
    }
}

//! What holds for any content.

use std::fmt::Write;

use fain_tables::{CsvConfig, Encoding};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::files::{TestFile, gzip, read_table, zstd};

fn compressed(bytes: Vec<u8>, how: u8) -> Vec<u8> {
    match how {
        0 => bytes,
        1 => gzip(bytes),
        _ => zstd(bytes),
    }
}

/// What the csv crate reads: its rows with as many fields as the first, or nothing.
fn reference(content: &str, separator: u8) -> Option<Vec<Vec<String>>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .from_reader(content.as_bytes());
    let rows: Vec<Vec<String>> = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
    rows.iter().all(|row| row.len() == rows[0].len()).then_some(rows)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_a_writer_writes_is_read(
        fields in vec(vec("[a,;\"'\r\n \t|é\u{1F600}]{0,4}", 3), 1..20),
        separator in prop_oneof![Just(","), Just(";"), Just("\t"), Just("|")],
        quote in prop_oneof![Just("\""), Just("'")],
        how in 0..3_u8,
        always in any::<bool>(),
    ) {
        let style = if always { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
        let mut writer = csv::WriterBuilder::new()
            .delimiter(separator.as_bytes()[0])
            .quote(quote.as_bytes()[0])
            .quote_style(style)
            .from_writer(Vec::new());
        writer.write_record(["x", "y", "z"]).unwrap();
        for row in &fields {
            writer.write_record(row).unwrap();
        }
        let file = TestFile::new("a.csv", compressed(writer.into_inner().unwrap(), how));
        let config = CsvConfig { separator: separator.to_owned(), quote: quote.to_owned(), ..CsvConfig::default() };
        let rows = read_table(file.path(), &config).unwrap();
        prop_assert_eq!(&rows[1..], fields);
    }

    #[test]
    fn any_text_is_read_as_the_csv_crate_reads_it(content in "[ab,\"\r\né]{0,60}") {
        let file = TestFile::new("a.csv", &content);
        match read_table(file.path(), &CsvConfig::default()) {
            Ok(rows) => prop_assert_eq!(Some(rows), reference(&content, b',')),
            Err(error) => {
                // It takes an open quote for a closed one, and lines of any length.
                let message = error.to_string();
                let rows = reference(&content, b',');
                prop_assert!(
                    rows.as_ref().is_none_or(Vec::is_empty) || message.contains("inside a quoted field"),
                    "{} for {:?}", message, rows
                );
            }
        }
    }

    #[test]
    fn lines_without_quotes_are_cut_at_every_separator(
        fields in vec(vec("[a:\"é]{0,3}", 3), 1..20),
        separator in prop_oneof![Just("::"), Just("\t"), Just("<->"), Just(";;;")],
        latin1 in any::<bool>(),
    ) {
        let lines: String = fields.iter().map(|row| row.join(separator) + "\r\n").collect();
        // A field may end as the separator starts: then it is cut earlier. The standard library cuts alike.
        let expected: Vec<Vec<&str>> = lines.lines().map(|line| line.split(separator).collect()).collect();
        prop_assume!(expected.iter().all(|row| row.len() == 3));
        let bytes = if latin1 { lines.chars().map(|c| u8::try_from(c).unwrap()).collect() } else { lines.clone().into_bytes() };
        let config = CsvConfig {
            separator: separator.to_owned(),
            quote: String::new(),
            encoding: if latin1 { Encoding::Latin1 } else { Encoding::Utf8 },
            columns: Some(["x", "y", "z"].map(str::to_owned).to_vec()),
        };
        let file = TestFile::new("a.dat", bytes);
        prop_assert_eq!(&read_table(file.path(), &config).unwrap()[1..], expected);
    }

    #[test]
    fn rows_across_chunks_are_whole(width in 1..400_usize, quoted in any::<bool>(), how in 0..3_u8) {
        let mut content = "number,text\n".to_owned();
        let text = "é".repeat(width);
        let rows = 600_000 / (2 * width + 10);
        for number in 0..rows {
            if quoted {
                writeln!(content, "{number},\"{text}\n\"").unwrap();
            } else {
                writeln!(content, "{number},{text}").unwrap();
            }
        }
        let file = TestFile::new("a.csv", compressed(content.into_bytes(), how));
        let read = read_table(file.path(), &CsvConfig::default()).unwrap();
        prop_assert_eq!(read.len(), rows + 1);
        for (number, row) in read[1..].iter().enumerate() {
            prop_assert!(row[0] == number.to_string() && row[1].trim_end() == text);
            prop_assert_eq!(row[1].ends_with('\n'), quoted);
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(
        bytes in vec(any::<u8>(), 0..300),
        start in prop_oneof![Just(&b""[..]), Just(&b"PAR1"[..]), Just(&b"\x1F\x8B\x08"[..]), Just(&b"\x28\xB5\x2F\xFD"[..])],
    ) {
        let file = TestFile::new("a.csv", [start, &bytes].concat());
        if let Ok(rows) = read_table(file.path(), &CsvConfig::default()) {
            prop_assert!(rows.iter().all(|row| row.len() == rows[0].len()));
        }
    }
}

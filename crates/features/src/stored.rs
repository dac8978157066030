//! Encoders as JSON.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use crate::checked::FeatureKind;
use crate::encoders::Encoders;
use crate::error::EncodersError;
use crate::numeric::NumericEncoder;
use crate::schema::SchemaConfig;
use crate::vocabulary::Vocabulary;

const FORMAT: &str = "fain-encoders";
const VERSION: u64 = 1;

/// What every version has.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    format: String,
    #[serde(default)]
    version: u64,
}

#[derive(Serialize)]
struct Written<'a> {
    format: &'static str,
    version: u64,
    schema: &'a SchemaConfig,
    vocabularies: Vec<WrittenVocabulary<'a>>,
    numbers: Vec<WrittenNumbers<'a>>,
}

#[derive(Serialize)]
struct WrittenVocabulary<'a> {
    feature: &'a str,
    terms: Vec<&'a str>,
}

#[derive(Serialize)]
struct WrittenNumbers<'a> {
    feature: &'a str,
    #[serde(flatten)]
    encoder: &'a NumericEncoder,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    #[serde(rename = "format")]
    _format: String,
    #[serde(rename = "version")]
    _version: u64,
    schema: SchemaConfig,
    vocabularies: Vec<ReadVocabulary>,
    numbers: Vec<ReadNumbers>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadVocabulary {
    feature: String,
    terms: Vec<String>,
}

#[derive(Deserialize)]
struct ReadNumbers {
    feature: String,
    #[serde(flatten)]
    encoder: NumericEncoder,
}

pub(crate) fn to_json(encoders: &Encoders) -> Result<String, EncodersError> {
    Ok(serde_json::to_string(&written(encoders))?)
}

/// The checksum of the JSON, without the JSON in memory.
pub(crate) fn digest(encoders: &Encoders) -> Result<String, EncodersError> {
    let mut hasher = Hasher(Xxh3::new());
    serde_json::to_writer(io::BufWriter::new(&mut hasher), &written(encoders))?;
    Ok(format!("{:032x}", hasher.0.digest128()))
}

pub(crate) fn from_json(json: &str) -> Result<Encoders, EncodersError> {
    let head: Head = serde_json::from_str(json)?;
    if head.format != FORMAT {
        return Err(EncodersError::Format { found: head.format, read: FORMAT });
    }
    if head.version != VERSION {
        return Err(EncodersError::Version { found: head.version, read: VERSION });
    }
    let read: Read = serde_json::from_str(json)?;
    let schema = read.schema.check()?;

    let names: Vec<&str> = read.vocabularies.iter().map(|vocabulary| vocabulary.feature.as_str()).collect();
    let needed: Vec<&str> = schema.vocabularies().iter().map(String::as_str).collect();
    same_names("vocabularies", &names, &needed)?;
    let mut vocabularies = Vec::with_capacity(names.len());
    for ReadVocabulary { feature, terms } in &read.vocabularies {
        let vocabulary = Vocabulary::from_sorted(terms.iter().map(String::as_str)).map_err(|term| {
            problem(format!("vocabularies, {feature}"), format!("\"{term}\" is empty, repeated or not in order"))
        })?;
        vocabularies.push(vocabulary);
    }

    let scales: Vec<_> = schema
        .features()
        .iter()
        .filter_map(|feature| match feature.kind {
            FeatureKind::Numeric { scale } => Some((feature.name.as_str(), scale)),
            _ => None,
        })
        .collect();
    let names: Vec<&str> = read.numbers.iter().map(|numbers| numbers.feature.as_str()).collect();
    let needed: Vec<&str> = scales.iter().map(|&(name, _)| name).collect();
    same_names("numbers", &names, &needed)?;
    for (ReadNumbers { feature, encoder }, (_, scale)) in read.numbers.iter().zip(&scales) {
        if let Some(wrong) = encoder.problem(*scale) {
            return Err(problem(format!("numbers, {feature}"), wrong));
        }
    }
    let numbers = read.numbers.into_iter().map(|numbers| numbers.encoder).collect();
    Encoders::new(schema, vocabularies, numbers)
}

fn written(encoders: &Encoders) -> Written<'_> {
    let schema = encoders.schema();
    let vocabularies = schema.vocabularies().iter().zip(encoders.vocabularies());
    let numbers = schema.features().iter().enumerate();
    Written {
        format: FORMAT,
        version: VERSION,
        schema: schema.config(),
        vocabularies: vocabularies
            .map(|(feature, terms)| WrittenVocabulary { feature, terms: terms.terms().collect() })
            .collect(),
        numbers: numbers
            .filter_map(|(index, feature)| {
                Some(WrittenNumbers { feature: &feature.name, encoder: encoders.numeric(index)? })
            })
            .collect(),
    }
}

fn same_names(key: &str, found: &[&str], needed: &[&str]) -> Result<(), EncodersError> {
    if found == needed {
        return Ok(());
    }
    Err(problem(key.to_owned(), format!("found [{}], and the schema needs [{}]", found.join(", "), needed.join(", "))))
}

fn problem(key: String, problem: String) -> EncodersError {
    EncodersError::Content { key, problem }
}

struct Hasher(Xxh3);

impl Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

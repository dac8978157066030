//! Encoders as JSON: docs/formats/encoders.md.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use crate::checked::{Buckets, FeatureKind, IdRule};
use crate::counter::TermList;
use crate::encoders::Encoders;
use crate::error::EncodersError;
use crate::hash::{HASH, HashBuckets};
use crate::intervals::Intervals;
use crate::numeric::{Fitted, NumericEncoder};
use crate::schema::{FeatureConfig, Missing, SchemaConfig};
use crate::vocabulary::{Ids, Vocabulary};

const FORMAT: &str = "fain-encoders";
/// The newest version.
const VERSION: u64 = 2;

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
    #[serde(flatten)]
    ids: WrittenIds<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum WrittenIds<'a> {
    Terms {
        terms: Vec<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        generations: Option<&'a [u32]>,
    },
    Hash {
        hash: &'static str,
        buckets: u32,
    },
    Intervals {
        boundaries: &'a [f64],
    },
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
    terms: Option<Vec<String>>,
    generations: Option<Vec<u32>>,
    hash: Option<String>,
    buckets: Option<u32>,
    boundaries: Option<Vec<f64>>,
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
    if !(1..=VERSION).contains(&head.version) {
        return Err(EncodersError::Version { found: head.version, read: VERSION });
    }
    let read: Read = serde_json::from_str(json)?;
    let schema = read.schema.check()?;

    let names: Vec<&str> = read.vocabularies.iter().map(|vocabulary| vocabulary.feature.as_str()).collect();
    let needed: Vec<&str> = schema.vocabularies().iter().map(String::as_str).collect();
    same_names("vocabularies", &names, &needed)?;
    let vocabularies = read
        .vocabularies
        .iter()
        .zip(schema.id_rules())
        .map(|(read, rule)| vocabulary(read, rule))
        .collect::<Result<_, _>>()?;

    let rules: Vec<_> = schema
        .features()
        .iter()
        .filter_map(|feature| match feature.kind {
            FeatureKind::Numeric { missing, scale } => Some((feature.name.as_str(), missing, scale)),
            _ => None,
        })
        .collect();
    let names: Vec<&str> = read.numbers.iter().map(|numbers| numbers.feature.as_str()).collect();
    let needed: Vec<&str> = rules.iter().map(|&(name, ..)| name).collect();
    same_names("numbers", &names, &needed)?;
    for (ReadNumbers { feature, encoder }, &(_, missing, scale)) in read.numbers.iter().zip(&rules) {
        if let Some(wrong) = encoder.problem(missing, scale) {
            return Err(problem(format!("numbers, {feature}"), wrong));
        }
    }
    let numbers = read.numbers.into_iter().map(|numbers| numbers.encoder).collect();
    let encoders = Encoders::new(schema, vocabularies, numbers)?;
    let needed = version(&encoders);
    if needed > head.version {
        return Err(problem("version".to_owned(), format!("version {} has no such content", head.version)));
    }
    Ok(encoders)
}

fn vocabulary(read: &ReadVocabulary, rule: &IdRule) -> Result<Vocabulary, EncodersError> {
    let problem = |problem: String| self::problem(format!("vocabularies, {}", read.feature), problem);
    match (rule, read) {
        (
            IdRule::Terms { .. },
            ReadVocabulary { terms: Some(terms), generations, hash: None, buckets: None, boundaries: None, .. },
        ) => {
            let generations = generations.clone().unwrap_or_else(|| vec![terms.len() as u32]);
            let total: u64 = generations.iter().map(|&length| u64::from(length)).sum();
            // Only the first fit may have found nothing; later ones are not kept then.
            if total != terms.len() as u64 || generations.iter().skip(1).any(|&length| length == 0) {
                return Err(problem(format!("generations of {generations:?} terms, and there are {}", terms.len())));
            }
            TermList::from_sorted(terms.iter().map(String::as_str), generations)
                .map(Vocabulary::from)
                .map_err(|term| problem(format!("\"{term}\" is empty, repeated or not in order")))
        }
        (
            IdRule::Hash { buckets: needed },
            ReadVocabulary {
                hash: Some(hash),
                buckets: Some(buckets),
                terms: None,
                generations: None,
                boundaries: None,
                ..
            },
        ) => {
            if hash != HASH || buckets != needed {
                let needed = format!("the schema needs {needed} of {HASH}");
                return Err(problem(format!("{buckets} buckets of the hash \"{hash}\", and {needed}")));
            }
            Ok(HashBuckets::new(*buckets).into())
        }
        (
            IdRule::Intervals(rule),
            ReadVocabulary {
                boundaries: Some(boundaries),
                terms: None,
                generations: None,
                hash: None,
                buckets: None,
                ..
            },
        ) => {
            let fits = match rule {
                Buckets::Boundaries(given) => given == boundaries,
                Buckets::Quantiles(count) => boundaries.len() < *count,
            };
            if !fits {
                return Err(problem("the boundaries are not those of the schema".to_owned()));
            }
            Intervals::new(boundaries.clone()).map(Vocabulary::from).map_err(|wrong| problem(wrong.to_owned()))
        }
        _ => Err(problem("what is stored was not fitted for the schema".to_owned())),
    }
}

/// The lowest version that can say what the encoders are: older programs read as much as they can understand.
fn version(encoders: &Encoders) -> u64 {
    let schema = encoders.schema();
    let new_feature = |config: &FeatureConfig| match config {
        FeatureConfig::Category(config) => config.buckets.is_some(),
        FeatureConfig::Sequence(config) => config.buckets.is_some() || config.weight_separator.is_some(),
        FeatureConfig::Numeric(config) => config.missing != Missing::Mean,
        FeatureConfig::Bucket(_) | FeatureConfig::Times(_) => true,
    };
    let new_scale = |feature| {
        let scale = encoders.numeric(feature).map(|encoder| &encoder.scale);
        matches!(scale, Some(Fitted::Log1p | Fitted::Log1pStandard { .. }))
    };
    let grown = |vocabulary: &Vocabulary| vocabulary.generations().len() > 1;
    let new = schema.time().is_some()
        || schema.config().features.values().any(new_feature)
        || (0..schema.features().len()).any(new_scale)
        || encoders.vocabularies().iter().any(grown);
    if new { VERSION } else { 1 }
}

fn written(encoders: &Encoders) -> Written<'_> {
    let schema = encoders.schema();
    let vocabularies = schema.vocabularies().iter().zip(encoders.vocabularies());
    let numbers = schema.features().iter().enumerate();
    Written {
        format: FORMAT,
        version: version(encoders),
        schema: schema.config(),
        vocabularies: vocabularies
            .map(|(feature, vocabulary)| WrittenVocabulary { feature, ids: written_ids(vocabulary) })
            .collect(),
        numbers: numbers
            .filter_map(|(index, feature)| {
                Some(WrittenNumbers { feature: &feature.name, encoder: encoders.numeric(index)? })
            })
            .collect(),
    }
}

fn written_ids(vocabulary: &Vocabulary) -> WrittenIds<'_> {
    match &vocabulary.ids {
        Ids::Terms(terms) => WrittenIds::Terms {
            terms: vocabulary.terms().collect(),
            generations: Some(terms.generations()).filter(|generations| generations.len() > 1),
        },
        Ids::Hash(buckets) => WrittenIds::Hash { hash: HASH, buckets: buckets.number() },
        Ids::Intervals(intervals) => WrittenIds::Intervals { boundaries: intervals.boundaries() },
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

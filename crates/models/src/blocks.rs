//! What the network over everything reads: blocks of columns, side by side.

use fain_layers::Pooling;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::interest_features::InterestVectors;
use crate::{FeatureEmbeddings, FeatureSpace, InterestFeatures, ModelError, ModelInput, NumberProjection, SpaceKind};

/// One block of the columns that a model's last network reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Block {
    /// A feature: a category's vector, a number, a pooled list.
    Feature(String),
    /// All numbers together, through `model.numbers` where that is set.
    Numbers,
    /// The candidate's vectors of an interest, by its place among the interests.
    Candidate(usize),
    /// An interest's vector.
    Interest(usize),
    /// The sum of an interest's history.
    HistorySum(usize),
    /// The sum of an interest's history times its candidate, entry by entry.
    CandidateTimesHistory(usize),
}

/// The orders of blocks that published models have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockOrder {
    /// Every feature that no interest reads as history, in the order of the schema, then the interests.
    #[default]
    Standard,
    /// The interests, then the features twice: torch-rechub's DIN, whose programs give all features as targets too.
    InterestsFirst,
    /// Each interest followed by its candidate, then the other features: a Keras DIN.
    Pairs,
    /// The other features, then for each interest its candidate, the sum of its history, the product of the two, and the
    /// interest: the DIEN authors' code.
    Evolution,
}

/// A block with its feature found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Feature(usize),
    Numbers,
    Candidate(usize),
    Interest(usize),
    HistorySum(usize),
    CandidateTimesHistory(usize),
}

/// The blocks of a model, ready to be filled.
#[derive(Debug)]
pub(crate) struct Blocks {
    places: Vec<Place>,
    /// For each place, the interest that looks the same feature up as its candidate.
    candidate_of: Vec<Option<usize>>,
    pooling: Pooling,
}

/// What a model's blocks are filled from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockSources<'a> {
    pub(crate) embeddings: &'a FeatureEmbeddings,
    pub(crate) input: &'a ModelInput,
    pub(crate) numbers: Option<&'a NumberProjection>,
    pub(crate) vectors: &'a [InterestVectors],
    pub(crate) interests: &'a [Tensor],
}

impl BlockOrder {
    /// The blocks in this order. With `joined` numbers, they are one block where the first of them stands.
    pub fn blocks(self, space: &FeatureSpace, interests: &[InterestFeatures], joined: bool) -> Vec<Block> {
        let candidates: Vec<usize> = interests.iter().flat_map(|interest| interest.candidate.clone()).collect();
        let features = |left_out: &[usize]| features(space, interests, joined, left_out);
        let every = |block: fn(usize) -> Block| (0..interests.len()).map(block).collect::<Vec<_>>();
        match self {
            Self::Standard => [features(&[]), every(Block::Interest)].concat(),
            Self::InterestsFirst => [every(Block::Interest), features(&[]), features(&[])].concat(),
            Self::Pairs => {
                let pairs = (0..interests.len()).flat_map(|index| [Block::Interest(index), Block::Candidate(index)]);
                pairs.chain(features(&candidates)).collect()
            }
            Self::Evolution => {
                let of_interest = |index| {
                    [
                        Block::Candidate(index),
                        Block::HistorySum(index),
                        Block::CandidateTimesHistory(index),
                        Block::Interest(index),
                    ]
                };
                features(&candidates).into_iter().chain((0..interests.len()).flat_map(of_interest)).collect()
            }
        }
    }
}

/// Every feature but times that no interest reads as one of its lists and that is not left out, in the order of the
/// schema.
fn features(space: &FeatureSpace, interests: &[InterestFeatures], joined: bool, left_out: &[usize]) -> Vec<Block> {
    let read = |feature: usize| interests.iter().any(|interest| interest.reads_list(feature));
    let mut blocks = Vec::new();
    for (index, feature) in space.features().iter().enumerate() {
        if read(index) || left_out.contains(&index) || feature.kind == SpaceKind::Times {
            continue;
        }
        let block = match feature.kind {
            SpaceKind::Numeric if joined => Block::Numbers,
            _ => Block::Feature(feature.name.clone()),
        };
        if block != Block::Numbers || !blocks.contains(&block) {
            blocks.push(block);
        }
    }
    blocks
}

impl Blocks {
    /// Finds the features and interests that `blocks` name.
    ///
    /// # Errors
    /// [`ModelError::Config`] names the block that is not there, and a feature or interest that no block reads.
    pub(crate) fn new(
        blocks: &[Block],
        space: &FeatureSpace,
        interests: &[InterestFeatures],
        pooling: Pooling,
    ) -> Result<Self, ModelError> {
        let places = blocks
            .iter()
            .enumerate()
            .map(|(index, block)| place(index, block, space, interests.len()))
            .collect::<Result<Vec<_>, _>>()?;
        let candidate_of = places
            .iter()
            .map(|place| match *place {
                Place::Feature(feature) => interests.iter().position(|interest| interest.candidate == [feature]),
                _ => None,
            })
            .collect();
        let blocks = Self { places, candidate_of, pooling };
        blocks.check_complete(space, interests)?;
        Ok(blocks)
    }

    /// Nothing is accepted and then ignored: what is in the schema is read.
    fn check_complete(&self, space: &FeatureSpace, interests: &[InterestFeatures]) -> Result<(), ModelError> {
        let unread = |what: String| {
            Err(ModelError::Config {
                key: "model.blocks".to_owned(),
                value: format!("without {what}"),
                allowed: "blocks that read every feature of the schema and every interest".to_owned(),
            })
        };
        for (index, feature) in space.features().iter().enumerate() {
            let joined = feature.kind == SpaceKind::Numeric && self.places.contains(&Place::Numbers);
            let in_interest = interests.iter().any(|interest| interest.reads(index));
            if joined || in_interest || self.places.contains(&Place::Feature(index)) {
                continue;
            }
            if feature.kind == SpaceKind::Times {
                return Err(ModelError::Config {
                    key: format!("schema.features.{}", feature.name),
                    value: "times".to_owned(),
                    allowed: "a feature that the model reads; times are read by the interests of DSIN (`times`)"
                        .to_owned(),
                });
            }
            return unread(format!("the feature `{}`", feature.name));
        }
        match (0..interests.len()).find(|&index| !self.places.contains(&Place::Interest(index))) {
            Some(index) => unread(format!("interest {index}")),
            None => Ok(()),
        }
    }

    /// Width of each block.
    pub(crate) fn widths(
        &self,
        embeddings: &FeatureEmbeddings,
        numbers: Option<&NumberProjection>,
        interests: &[InterestFeatures],
        outputs: &[i64],
    ) -> Vec<i64> {
        let sum = |features: &[usize]| features.iter().map(|&feature| embeddings.width(feature)).sum();
        let count = || embeddings.features().iter().filter(|feature| feature.kind == SpaceKind::Numeric).count() as i64;
        self.places
            .iter()
            .map(|place| match *place {
                Place::Feature(feature) => embeddings.width(feature),
                Place::Numbers => numbers.map_or_else(count, NumberProjection::outputs),
                Place::Interest(index) => outputs[index],
                Place::Candidate(index) => sum(&interests[index].candidate),
                Place::HistorySum(index) | Place::CandidateTimesHistory(index) => sum(&interests[index].history),
            })
            .collect()
    }

    /// The blocks of a batch: `[B, W]` each.
    pub(crate) fn fill(&self, sources: &BlockSources<'_>) -> Result<Vec<Tensor>, ModelError> {
        let BlockSources { embeddings, input, numbers, vectors, interests } = *sources;
        let history_sum = |index: usize| input.for_all_rows(fain_layers::pool(&vectors[index].history, Pooling::Sum)?);
        let mut blocks = Vec::with_capacity(self.places.len());
        for (place, candidate_of) in self.places.iter().zip(&self.candidate_of) {
            if let Some(looked_up) = candidate_of.and_then(|interest| vectors.get(interest)) {
                blocks.push(looked_up.candidate.shallow_clone());
                continue;
            }
            blocks.push(match *place {
                Place::Feature(feature) => embeddings.flat(input, feature, self.pooling)?,
                Place::Numbers => all_numbers(embeddings, input, numbers)?,
                Place::Candidate(index) => vectors[index].candidate.shallow_clone(),
                Place::Interest(index) => interests[index].shallow_clone(),
                Place::HistorySum(index) => history_sum(index)?,
                Place::CandidateTimesHistory(index) => history_sum(index)?.f_mul(&vectors[index].candidate)?,
            });
        }
        Ok(blocks)
    }

    /// For each block, the feature it reads, or the interest it comes from.
    pub(crate) fn origins(&self) -> impl Iterator<Item = Origin> + '_ {
        self.places.iter().map(|place| match *place {
            Place::Feature(feature) => Origin::Feature(feature),
            Place::Numbers => Origin::Numbers,
            Place::Candidate(index) => Origin::Candidate(index),
            Place::Interest(index) => Origin::Interest(index),
            Place::HistorySum(index) => Origin::History(index),
            Place::CandidateTimesHistory(index) => Origin::Product(index),
        })
    }
}

/// Where a block's columns come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Feature(usize),
    Numbers,
    Candidate(usize),
    Interest(usize),
    History(usize),
    Product(usize),
}

fn place(index: usize, block: &Block, space: &FeatureSpace, interests: usize) -> Result<Place, ModelError> {
    let refuse = |value: String, allowed: String| {
        Err(ModelError::Config { key: format!("model.blocks.{index}"), value, allowed })
    };
    match *block {
        Block::Feature(ref name) => match space.position(name) {
            Some(feature) if space.features()[feature].kind != SpaceKind::Times => Ok(Place::Feature(feature)),
            _ => refuse(format!("`{name}`"), format!("a feature: {}", space.names(|kind| kind != SpaceKind::Times))),
        },
        Block::Numbers => {
            if space.features().iter().any(|feature| feature.kind == SpaceKind::Numeric) {
                Ok(Place::Numbers)
            } else {
                refuse("`numbers`".to_owned(), "no such block, because the schema has no number".to_owned())
            }
        }
        Block::Candidate(interest)
        | Block::Interest(interest)
        | Block::HistorySum(interest)
        | Block::CandidateTimesHistory(interest)
            if interest >= interests =>
        {
            refuse(format!("interest {interest}"), format!("an interest below {interests}"))
        }
        Block::Candidate(interest) => Ok(Place::Candidate(interest)),
        Block::Interest(interest) => Ok(Place::Interest(interest)),
        Block::HistorySum(interest) => Ok(Place::HistorySum(interest)),
        Block::CandidateTimesHistory(interest) => Ok(Place::CandidateTimesHistory(interest)),
    }
}

/// `[B, numbers]`, or what the projection makes of it.
fn all_numbers(
    embeddings: &FeatureEmbeddings,
    input: &ModelInput,
    projection: Option<&NumberProjection>,
) -> Result<Tensor, ModelError> {
    let mut numbers = Vec::new();
    for (index, feature) in embeddings.features().iter().enumerate() {
        if feature.kind == SpaceKind::Numeric {
            numbers.push(embeddings.number(input, index)?);
        }
    }
    let numbers = Tensor::f_cat(&numbers, 1)?;
    match projection {
        None => Ok(numbers),
        Some(projection) => projection.forward(&numbers),
    }
}

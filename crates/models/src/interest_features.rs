//! What an interest reads of a batch.

use fain_layers::{InterestInput, Jagged, JaggedLayout};
use tch::Tensor;

use crate::{FeatureEmbeddings, FeatureSpace, HistoryLengths, InputColumn, ModelError, ModelInput, SpaceKind};

/// The features an interest reads, by their places in the schema.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InterestFeatures {
    /// Category features of the candidate.
    pub candidate: Vec<usize>,
    /// Sequence features of the history, at least one.
    pub history: Vec<usize>,
    /// Sequence features of events that did not happen; empty, or as many as `history`.
    pub negative: Vec<usize>,
    /// The times of the history's events.
    pub times: Option<usize>,
    /// What is done where the histories have different lengths.
    pub lengths: HistoryLengths,
}

/// An interest's inputs of one batch.
#[derive(Debug)]
pub(crate) struct InterestVectors {
    /// `[B, D]`.
    pub(crate) candidate: Tensor,
    /// Jagged `[N, D]`.
    pub(crate) history: Jagged,
    /// Jagged `[N, D]`, where it was asked for and the model has it.
    pub(crate) negative: Option<Jagged>,
    /// `[N]`, seconds.
    pub(crate) times: Option<Vec<i64>>,
}

impl InterestVectors {
    /// As a layer reads them.
    pub(crate) fn input(&self) -> InterestInput<'_> {
        InterestInput {
            candidate: &self.candidate,
            history: &self.history,
            negative: self.negative.as_ref(),
            times: self.times.as_deref(),
        }
    }
}

impl InterestFeatures {
    /// Whether the places are those of categories and sequences.
    ///
    /// # Errors
    /// [`ModelError::Parts`] names the first that is not.
    pub(crate) fn check(&self, part: &str, space: &FeatureSpace) -> Result<(), ModelError> {
        let refuse = |problem: String| Err(ModelError::Parts { part: part.to_owned(), problem });
        if self.candidate.is_empty() || self.history.is_empty() {
            return refuse("it needs a candidate and a history".to_owned());
        }
        if !self.negative.is_empty() && self.negative.len() != self.history.len() {
            return refuse(format!("{} histories have {} negatives", self.history.len(), self.negative.len()));
        }
        let kind = |feature: usize| space.features().get(feature).map(|feature| feature.kind);
        if let Some(feature) =
            self.candidate.iter().find(|&&feature| !matches!(kind(feature), Some(SpaceKind::Category(_))))
        {
            return refuse(format!("feature {feature} is no category"));
        }
        if let Some(feature) = self.times.filter(|&feature| kind(feature) != Some(SpaceKind::Times)) {
            return refuse(format!("feature {feature} is no list of times"));
        }
        let mut lists = self.history.iter().chain(&self.negative);
        match lists.find(|&&feature| !matches!(kind(feature), Some(SpaceKind::Sequence(_)))) {
            Some(feature) => refuse(format!("feature {feature} is no sequence")),
            None => Ok(()),
        }
    }

    /// Whether the interest reads a feature.
    pub(crate) fn reads(&self, feature: usize) -> bool {
        self.candidate.contains(&feature) || self.reads_list(feature)
    }

    /// Whether the interest reads a feature as one of its lists.
    pub(crate) fn reads_list(&self, feature: usize) -> bool {
        self.history.contains(&feature) || self.negative.contains(&feature) || self.times == Some(feature)
    }

    /// Looks the vectors up; negatives only when they are `wanted`.
    ///
    /// # Errors
    /// [`ModelError::HistoryLengths`] where lengths differ and must not; [`ModelError::Column`] when the batch is not of
    /// the schema.
    pub(crate) fn look_up(
        &self,
        embeddings: &FeatureEmbeddings,
        input: &ModelInput,
        wanted: bool,
    ) -> Result<InterestVectors, ModelError> {
        let layout = self.layout(embeddings, input)?;
        let negatives = if wanted { self.negative.as_slice() } else { &[] };
        let features: Vec<usize> = self.candidate.iter().chain(&self.history).chain(negatives).copied().collect();
        let mut vectors = embeddings.together(input, &features)?.into_iter();
        let candidate: Vec<Tensor> = vectors.by_ref().take(self.candidate.len()).collect();
        let history = join(&self.history, &mut vectors, input, layout.as_ref())?;
        let negative = if negatives.is_empty() {
            None
        } else {
            self.check_lengths(embeddings, input, history.layout())?;
            Some(join(negatives, &mut vectors, input, Some(history.layout()))?)
        };
        let times = self.times_beside(embeddings, input, &history)?;
        Ok(InterestVectors { candidate: concatenate(candidate)?, history, negative, times })
    }

    /// The vectors of the candidates: `[B, D]`.
    ///
    /// # Errors
    /// [`ModelError::Column`] when the batch is not of the schema.
    pub(crate) fn look_up_candidate(
        &self,
        embeddings: &FeatureEmbeddings,
        input: &ModelInput,
    ) -> Result<Tensor, ModelError> {
        let candidate = embeddings.together(input, &self.candidate)?.into_iter();
        concatenate(candidate.map(|vectors| input.for_all_rows(vectors)).collect::<Result<_, _>>()?)
    }

    /// The vectors of the events, jagged `[N, D]`, and their times where they are read.
    ///
    /// # Errors
    /// As [`look_up`](Self::look_up).
    pub(crate) fn look_up_history(
        &self,
        embeddings: &FeatureEmbeddings,
        input: &ModelInput,
    ) -> Result<(Jagged, Option<Vec<i64>>), ModelError> {
        let layout = self.layout(embeddings, input)?;
        let mut vectors = embeddings.together(input, &self.history)?.into_iter();
        let history = join(&self.history, &mut vectors, input, layout.as_ref())?;
        let times = self.times_beside(embeddings, input, &history)?;
        Ok((history, times))
    }

    /// The times of the events that are read, if the interest reads times.
    fn times_beside(
        &self,
        embeddings: &FeatureEmbeddings,
        input: &ModelInput,
        history: &Jagged,
    ) -> Result<Option<Vec<i64>>, ModelError> {
        self.times.map(|feature| self.times(feature, embeddings, input, history)).transpose()
    }

    /// The times of the events that are read.
    fn times(
        &self,
        feature: usize,
        embeddings: &FeatureEmbeddings,
        input: &ModelInput,
        history: &Jagged,
    ) -> Result<Vec<i64>, ModelError> {
        let (times, layout) = embeddings.times(input, feature)?;
        if self.lengths == HistoryLengths::Equal {
            check_equal(embeddings, input, (self.history[0], history.layout()), feature)?;
            return Ok(times.to_vec());
        }
        // The history was cut to its shortest list, which the times are one of.
        let starts = layout.host_offsets().iter().map(|&start| start as usize);
        let lengths = history.layout().host_offsets().windows(2).map(|pair| (pair[1] - pair[0]) as usize);
        let kept = starts.zip(lengths).filter_map(|(start, length)| times.get(start..start + length));
        Ok(kept.flatten().copied().collect())
    }

    /// The layout that the histories are cut to; none where they are read whole.
    fn layout(&self, embeddings: &FeatureEmbeddings, input: &ModelInput) -> Result<Option<JaggedLayout>, ModelError> {
        let layouts: Vec<&JaggedLayout> =
            self.history.iter().chain(&self.times).filter_map(|&feature| list_layout(input, feature)).collect();
        match (self.lengths, layouts.split_first()) {
            (HistoryLengths::Equal, Some((first, _))) => {
                for &other in &self.history[1..] {
                    check_equal(embeddings, input, (self.history[0], first), other)?;
                }
                Ok(None)
            }
            (HistoryLengths::Shortest, Some(_)) => Ok(Some(JaggedLayout::shortest(&layouts)?)),
            (_, None) => Ok(None),
        }
    }

    fn check_lengths(
        &self,
        embeddings: &FeatureEmbeddings,
        input: &ModelInput,
        layout: &JaggedLayout,
    ) -> Result<(), ModelError> {
        if self.lengths == HistoryLengths::Equal {
            for &negative in &self.negative {
                check_equal(embeddings, input, (self.history[0], layout), negative)?;
            }
        }
        Ok(())
    }
}

fn list_layout(input: &ModelInput, feature: usize) -> Option<&JaggedLayout> {
    match input.columns.get(feature) {
        Some(InputColumn::Sequence(_, layout) | InputColumn::Times(_, layout)) => Some(layout),
        _ => None,
    }
}

/// Whether a feature's lists are as long as those of the first history.
fn check_equal(
    embeddings: &FeatureEmbeddings,
    input: &ModelInput,
    (first, layout): (usize, &JaggedLayout),
    feature: usize,
) -> Result<(), ModelError> {
    let Some(other) = list_layout(input, feature) else { return Ok(()) };
    let lengths = layout.host_offsets().windows(2).zip(other.host_offsets().windows(2));
    for (row, (pair, other)) in lengths.enumerate() {
        let (first_length, other_length) = (pair[1] - pair[0], other[1] - other[0]);
        if first_length != other_length {
            let name = |feature: usize| embeddings.features()[feature].name.clone();
            return Err(ModelError::HistoryLengths {
                first: name(first),
                other: name(feature),
                row,
                first_length,
                other_length,
            });
        }
    }
    Ok(())
}

/// Lists side by side, cut to `layout` if there is one; `vectors` gives what was looked up for each of them.
fn join(
    features: &[usize],
    vectors: &mut impl Iterator<Item = Tensor>,
    input: &ModelInput,
    layout: Option<&JaggedLayout>,
) -> Result<Jagged, ModelError> {
    let mut lists = Vec::with_capacity(features.len());
    for (list, values) in features.iter().filter_map(|&feature| list_layout(input, feature)).zip(vectors) {
        let list = Jagged::new(values, list.clone())?;
        lists.push(match layout {
            Some(layout) => list.first(layout)?,
            None => list,
        });
    }
    if lists.len() == 1 {
        return Ok(lists.swap_remove(0));
    }
    let values: Vec<&Tensor> = lists.iter().map(Jagged::values).collect();
    let values = Tensor::f_cat(&values, 1)?;
    Ok(Jagged::new(values, lists.swap_remove(0).layout().clone())?)
}

fn concatenate(mut vectors: Vec<Tensor>) -> Result<Tensor, ModelError> {
    if vectors.len() == 1 {
        return Ok(vectors.swap_remove(0));
    }
    Ok(Tensor::f_cat(&vectors, 1)?)
}

//! Random target attentions and random batches for them.

use std::collections::BTreeMap;

use fain_layers::{
    ActivationConfig, AttentionInputs, AttentionNormalization, AttentionScale, AttentionScoring, CandidateProjection,
    Jagged, JaggedLayout, TargetAttention, TargetAttentionConfig,
};
use fain_tests::{draw, draw_variables};
use proptest::prelude::*;
use tch::{Device, Kind, Tensor, nn};

/// Every activation of the scoring network.
pub(crate) const ACTIVATIONS: [ActivationConfig; 9] = [
    ActivationConfig::Relu,
    ActivationConfig::LeakyRelu,
    ActivationConfig::Prelu,
    ActivationConfig::PreluPerUnit,
    ActivationConfig::Sigmoid,
    ActivationConfig::Dice,
    ActivationConfig::DiceAffine,
    ActivationConfig::DicePerSample,
    ActivationConfig::Linear,
];

/// Every normalisation of the scores.
pub(crate) const NORMALIZATIONS: [AttentionNormalization; 3] =
    [AttentionNormalization::None, AttentionNormalization::Softmax, AttentionNormalization::Sigmoid];

/// Every way to score an event; the inputs are those of a network.
const SCORINGS: [(AttentionScoring, AttentionInputs); 5] = [
    (AttentionScoring::Mlp, AttentionInputs::Full),
    (AttentionScoring::Mlp, AttentionInputs::Pair),
    (AttentionScoring::Mlp, AttentionInputs::Product),
    (AttentionScoring::Bilinear, AttentionInputs::Full),
    (AttentionScoring::InnerProduct, AttentionInputs::Full),
];

const PROJECTIONS: [CandidateProjection; 2] = [CandidateProjection::None, CandidateProjection::DensePrelu];

/// A batch's shape and a layer's, with the seed of all numbers.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    /// Events of each sample.
    pub(crate) lengths: Vec<u32>,
    /// `D`.
    pub(crate) width: i64,
    /// The candidates' width where a layer allows another one than `D`.
    pub(crate) other_width: i64,
    /// The scoring network.
    pub(crate) hidden: Vec<i64>,
    pub(crate) batch_norm: bool,
    pub(crate) scale: AttentionScale,
    pub(crate) seed: u64,
}

impl Problem {
    /// Batches of 1 to 6 samples with 0 to 5 events of width 1 to 4.
    pub(crate) fn any() -> impl Strategy<Value = Self> {
        let scale = prop_oneof![Just(AttentionScale::None), Just(AttentionScale::SqrtWidth)];
        (
            prop::collection::vec(0u32..6, 1..7),
            1i64..5,
            1i64..5,
            prop::collection::vec(1i64..6, 1..3),
            any::<bool>(),
            scale,
            any::<u64>(),
        )
            .prop_map(|(lengths, width, other_width, hidden, batch_norm, scale, seed)| Self {
                lengths,
                width,
                other_width,
                hidden,
                batch_norm,
                scale,
                seed,
            })
    }

    pub(crate) fn rows(&self) -> i64 {
        self.lengths.len() as i64
    }

    pub(crate) fn events(&self) -> i64 {
        self.lengths.iter().copied().map(i64::from).sum()
    }

    /// A layer for every scoring, projection and normalization, with names for messages. The activation of the scoring
    /// network goes through all of them from layer to layer and, by the seed, from problem to problem.
    pub(crate) fn layers(&self, kind: Kind) -> impl Iterator<Item = Layer> {
        let scorings = SCORINGS.into_iter().flat_map(|scoring| PROJECTIONS.map(|projection| (scoring, projection)));
        let all = scorings.flat_map(|layer| NORMALIZATIONS.map(|normalization| (layer, normalization)));
        let first = (self.seed % ACTIVATIONS.len() as u64) as usize;
        all.enumerate().map(move |(index, (((scoring, inputs), projection), normalization))| {
            let config = if scoring == AttentionScoring::Mlp {
                TargetAttentionConfig {
                    inputs,
                    hidden: self.hidden.clone(),
                    activation: ACTIVATIONS[(first + index) % ACTIVATIONS.len()],
                    batch_norm: self.batch_norm,
                    ..TargetAttentionConfig::default()
                }
            } else {
                TargetAttentionConfig::of(scoring)
            };
            Layer::new(self, TargetAttentionConfig { projection, normalization, scale: self.scale, ..config }, kind)
        })
    }

    /// `[B, A]` of the layer's width `A`.
    pub(crate) fn candidate(&self, layer: &Layer, kind: Kind) -> Tensor {
        draw(self.seed ^ 1, &[self.rows(), layer.candidate], kind).unwrap()
    }

    /// `[N, D]`
    pub(crate) fn values(&self, kind: Kind) -> Tensor {
        draw(self.seed ^ 2, &[self.events(), self.width], kind).unwrap()
    }

    /// The weights of the loss, `[B, D]`.
    pub(crate) fn loss_weights(&self, kind: Kind) -> Tensor {
        draw(self.seed ^ 3, &[self.rows(), self.width], kind).unwrap()
    }

    pub(crate) fn offsets(&self) -> Vec<u32> {
        let mut offsets = vec![0];
        for length in &self.lengths {
            offsets.push(offsets[offsets.len() - 1] + length);
        }
        offsets
    }

    pub(crate) fn history(&self, values: &Tensor) -> Jagged {
        let layout = JaggedLayout::new(&self.offsets(), Device::Cpu).unwrap();
        Jagged::new(values.shallow_clone(), layout).unwrap()
    }
}

/// A target attention whose variables, buffers as well, have random values.
pub(crate) struct Layer {
    pub(crate) name: String,
    pub(crate) config: TargetAttentionConfig,
    /// The width of its candidates.
    pub(crate) candidate: i64,
    pub(crate) attention: TargetAttention,
    pub(crate) variables: BTreeMap<String, Tensor>,
}

impl Layer {
    fn new(problem: &Problem, config: TargetAttentionConfig, kind: Kind) -> Self {
        let mut store = nn::VarStore::new(Device::Cpu);
        let joins_widths = config.projection == CandidateProjection::DensePrelu
            || config.scoring == AttentionScoring::Bilinear
            || config.inputs == AttentionInputs::Pair;
        let candidate = if joins_widths { problem.other_width } else { problem.width };
        let attention = TargetAttention::with_widths(&store.root(), candidate, problem.width, &config).unwrap();
        let variables = draw_variables(&mut store, problem.seed.wrapping_add(10), kind).unwrap();
        let name = format!("{config:?}");
        Self { name, config, candidate, attention, variables }
    }
}

/// All entries, in order.
pub(crate) fn numbers(tensor: &Tensor) -> Vec<f64> {
    Vec::try_from(tensor.detach().to_kind(Kind::Double).reshape([-1])).unwrap()
}

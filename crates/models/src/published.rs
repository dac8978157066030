//! The settings of published models.

use fain_layers::{
    ActivationConfig, AttentionInputs, AttentionNormalization, AttentionScale, AuxiliaryAverage, AuxiliaryLossConfig,
    AuxiliaryNetConfig, AuxiliaryScorer, CandidateProjection, EvolutionKind, InputNorm, MlpConfig, Pooling, ResetGate,
    TargetAttentionConfig,
};
use serde::Serialize;
use toml::Table;

use crate::{
    BaseConfig, BlockOrder, BstConfig, DeepFmConfig, DienConfig, DinConfig, DsinConfig, EmbeddingsConfig,
    InterestProjection, ModelConfig, NumberConfig, PnnConfig, TableSharing, WideDeepConfig,
};

/// Published settings of DIN. What depends on the features, `interests` and `bias` for example, is left to the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DinPreset {
    /// The paper, <https://arxiv.org/abs/1706.06978>, figure 2: candidate, event and their product, 36 units with Dice,
    /// weights as they are; 200 and 80 units with Dice.
    Paper,
    /// The authors' code, <https://github.com/zhougr1993/DeepInterestNetwork>: 80 and 40 logistic units, softmax of
    /// scores over `√D`, a normalised dense layer on the interest. Its item bias is `bias = ["…"]`.
    Authors,
    /// torch-rechub 0.9: batch normalisation and its own Dice in both networks, raw weights, features read twice.
    TorchRechub,
    /// A Keras program: separate tables, ReLU attention with softmax, Keras' batch normalisation before a network of
    /// linear layers.
    Keras,
    /// A notebook whose attention reads candidate and event only, with a dense layer over the numbers.
    Pair,
    /// A notebook that reads the last state of a GRU beside attention over candidate and event; name the histories in
    /// `states`.
    PairGru,
}

/// Published settings of DIEN. `interests` is left to the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DienPreset {
    /// The paper, <https://arxiv.org/abs/1809.03672>: AUGRU, bilinear attention with softmax, inner-product auxiliary
    /// loss.
    Paper,
    /// The authors' code, <https://github.com/mouna99/dien>: the other gate, TensorFlow's GRU, an auxiliary network,
    /// sums and products of the history beside the interest.
    Authors,
    /// A PyTorch notebook: separate tables with a zero row, batch normalisation and Dice in the attention, PReLU behind.
    Notebook,
}

const DIN: [(&str, DinPreset); 6] = [
    ("paper", DinPreset::Paper),
    ("authors", DinPreset::Authors),
    ("torch_rechub", DinPreset::TorchRechub),
    ("keras", DinPreset::Keras),
    ("pair", DinPreset::Pair),
    ("pair_gru", DinPreset::PairGru),
];

const DIEN: [(&str, DienPreset); 3] =
    [("paper", DienPreset::Paper), ("authors", DienPreset::Authors), ("notebook", DienPreset::Notebook)];

/// The presets of a kind of model.
pub(crate) fn names(kind: &str) -> Vec<&'static str> {
    match kind {
        "din" => DIN.iter().map(|(name, _)| *name).collect(),
        "dien" => DIEN.iter().map(|(name, _)| *name).collect(),
        "wide_deep" | "deepfm" | "bst" => vec!["paper"],
        _ => Vec::new(),
    }
}

/// The settings of a preset as a table.
pub(crate) fn settings(kind: &str, name: &str) -> Option<Result<Table, toml::ser::Error>> {
    match kind {
        "din" => {
            DIN.iter().find(|(known, _)| *known == name).map(|(_, preset)| table(ModelConfig::Din(preset.config())))
        }
        "dien" => {
            DIEN.iter().find(|(known, _)| *known == name).map(|(_, preset)| table(ModelConfig::Dien(preset.config())))
        }
        "wide_deep" if name == "paper" => Some(table(ModelConfig::WideDeep(WideDeepConfig::paper()))),
        "deepfm" if name == "paper" => Some(table(ModelConfig::DeepFm(DeepFmConfig::paper()))),
        "bst" if name == "paper" => Some(table(ModelConfig::Bst(BstConfig::paper()))),
        _ => None,
    }
}

/// The settings a kind of model has when nothing is written.
pub(crate) fn default_of(kind: &str) -> Option<Result<Table, toml::ser::Error>> {
    match kind {
        "base" => Some(table(ModelConfig::Base(BaseConfig::default()))),
        "din" => Some(table(ModelConfig::Din(DinConfig::default()))),
        "dien" => Some(table(ModelConfig::Dien(DienConfig::default()))),
        "wide_deep" => Some(table(ModelConfig::WideDeep(WideDeepConfig::default()))),
        "deepfm" => Some(table(ModelConfig::DeepFm(DeepFmConfig::default()))),
        "pnn" => Some(table(ModelConfig::Pnn(PnnConfig::default()))),
        "dsin" => Some(table(ModelConfig::Dsin(DsinConfig::default()))),
        "bst" => Some(table(ModelConfig::Bst(BstConfig::default()))),
        _ => None,
    }
}

fn table(config: impl Serialize) -> Result<Table, toml::ser::Error> {
    Table::try_from(config)
}

fn mlp(hidden: &[i64], activation: ActivationConfig) -> MlpConfig {
    MlpConfig { hidden: hidden.to_vec(), activation, ..MlpConfig::default() }
}

fn attention(hidden: &[i64], activation: ActivationConfig) -> TargetAttentionConfig {
    TargetAttentionConfig {
        hidden: hidden.to_vec(),
        activation,
        normalization: AttentionNormalization::Softmax,
        ..TargetAttentionConfig::default()
    }
}

impl DinPreset {
    /// The settings.
    pub fn config(self) -> DinConfig {
        match self {
            Self::Paper => DinConfig {
                pooling: Pooling::Sum,
                attention: TargetAttentionConfig {
                    inputs: AttentionInputs::Product,
                    ..TargetAttentionConfig::default()
                },
                ..DinConfig::default()
            },
            Self::Authors => DinConfig {
                order: BlockOrder::Pairs,
                projection: InterestProjection::NormalizedDense,
                embedding: EmbeddingsConfig { dim: 64, ..EmbeddingsConfig::default() },
                attention: TargetAttentionConfig {
                    scale: AttentionScale::SqrtWidth,
                    ..attention(&[80, 40], ActivationConfig::Sigmoid)
                },
                mlp: MlpConfig { input_norm: InputNorm::BatchNorm, ..mlp(&[80, 40], ActivationConfig::Sigmoid) },
                ..DinConfig::default()
            },
            Self::TorchRechub => DinConfig {
                order: BlockOrder::InterestsFirst,
                attention: TargetAttentionConfig {
                    hidden: vec![64, 32],
                    activation: ActivationConfig::DicePerSample,
                    batch_norm: true,
                    ..TargetAttentionConfig::default()
                },
                mlp: MlpConfig { batch_norm: true, ..mlp(&[256, 128], ActivationConfig::DicePerSample) },
                ..DinConfig::default()
            },
            Self::Keras => DinConfig {
                order: BlockOrder::Pairs,
                embedding: EmbeddingsConfig { tables: TableSharing::Feature, dim: 8, ..EmbeddingsConfig::default() },
                attention: attention(&[32, 16], ActivationConfig::Relu),
                mlp: MlpConfig { input_norm: InputNorm::Keras, ..mlp(&[16, 8], ActivationConfig::Linear) },
                ..DinConfig::default()
            },
            Self::Pair => DinConfig {
                numbers: Some(NumberConfig { width: 8 }),
                embedding: EmbeddingsConfig { dim: 8, ..EmbeddingsConfig::default() },
                attention: TargetAttentionConfig {
                    inputs: AttentionInputs::Pair,
                    ..attention(&[8], ActivationConfig::Relu)
                },
                mlp: mlp(&[12, 6], ActivationConfig::Relu),
                ..DinConfig::default()
            },
            Self::PairGru => DinConfig {
                embedding: EmbeddingsConfig { dim: 8, ..EmbeddingsConfig::default() },
                attention: TargetAttentionConfig {
                    inputs: AttentionInputs::Pair,
                    ..attention(&[64], ActivationConfig::Relu)
                },
                mlp: mlp(&[128, 64], ActivationConfig::Relu),
                ..DinConfig::default()
            },
        }
    }
}

impl DienPreset {
    /// The settings.
    pub fn config(self) -> DienConfig {
        match self {
            Self::Paper => DienConfig {
                pooling: Pooling::Sum,
                auxiliary: Some(AuxiliaryLossConfig {
                    scorer: AuxiliaryScorer::InnerProduct,
                    ..AuxiliaryLossConfig::default()
                }),
                ..DienConfig::default()
            },
            Self::Authors => DienConfig {
                order: BlockOrder::Evolution,
                evolution: EvolutionKind::AugruOfficial,
                reset: ResetGate::Before,
                embedding: EmbeddingsConfig { dim: 18, ..EmbeddingsConfig::default() },
                attention: TargetAttentionConfig {
                    projection: CandidateProjection::DensePrelu,
                    ..attention(&[80, 40], ActivationConfig::Sigmoid)
                },
                auxiliary: Some(AuxiliaryLossConfig {
                    scorer: AuxiliaryScorer::Mlp(AuxiliaryNetConfig {
                        input_norm: InputNorm::BatchNorm,
                        ..AuxiliaryNetConfig::default()
                    }),
                    average: AuxiliaryAverage::Pairs,
                    weight: 1.0,
                }),
                mlp: MlpConfig { input_norm: InputNorm::BatchNorm, ..mlp(&[200, 80], ActivationConfig::PreluPerUnit) },
                ..DienConfig::default()
            },
            Self::Notebook => DienConfig {
                embedding: EmbeddingsConfig {
                    tables: TableSharing::Feature,
                    zero_row: true,
                    ..EmbeddingsConfig::default()
                },
                attention: TargetAttentionConfig {
                    batch_norm: true,
                    scale: AttentionScale::SqrtWidth,
                    ..attention(&[16, 8], ActivationConfig::DiceAffine)
                },
                auxiliary: Some(AuxiliaryLossConfig::default()),
                mlp: MlpConfig { batch_norm: true, ..mlp(&[32, 16], ActivationConfig::Prelu) },
                ..DienConfig::default()
            },
        }
    }
}

//! A layer, its numbers, and its way through training and evaluation.

use fain_layers::{
    Activation, ActivationConfig, AuxiliaryNet, AuxiliaryNetConfig, BatchNorm, BatchNormConfig, Dice, DiceVariant,
    Execution, InputNorm, LayerError, Linear, Mlp, MlpConfig, Mode,
};
use proptest::prelude::*;
use tch::{Device, Kind, Tensor, nn};

/// What is computed in two ways.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    Norm(BatchNormConfig),
    Dice(DiceVariant),
    Activation(ActivationConfig),
    /// An MLP whose input is normalised by Keras' rules, with batch normalisation and Dice in each of two layers.
    Mlp,
    /// Two hidden layers with or without batch normalisation, and a dense map to one number.
    Hidden(ActivationConfig, bool),
    AuxiliaryNet,
}

const ACTIVATIONS: [ActivationConfig; 9] = [
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

type Layer = Box<dyn Fn(&Tensor, Mode) -> Result<Tensor, LayerError>>;

impl Subject {
    pub(crate) fn all() -> Vec<Self> {
        let plain = BatchNormConfig { affine: false, epsilon: 1e-3, ..BatchNormConfig::default() };
        let norms = [BatchNormConfig::default(), BatchNormConfig::keras(), plain];
        let dice = [DiceVariant::Paper, DiceVariant::Affine, DiceVariant::PerSample];
        let others = [Self::Activation(ActivationConfig::DiceAffine), Self::Mlp, Self::AuxiliaryNet];
        let hidden = ACTIVATIONS.iter().flat_map(|&of| [false, true].map(|norm| Self::Hidden(of, norm)));
        norms.map(Self::Norm).into_iter().chain(dice.map(Self::Dice)).chain(others).chain(hidden).collect()
    }

    /// Whether slopes jump somewhere.
    pub(crate) fn has_kinks(&self) -> bool {
        use ActivationConfig::{LeakyRelu, Prelu, PreluPerUnit, Relu};
        matches!(
            self,
            Self::Activation(Relu | LeakyRelu | Prelu | PreluPerUnit)
                | Self::Hidden(Relu | LeakyRelu | Prelu | PreluPerUnit, _)
        )
    }

    fn build(&self, variables: &nn::Path<'_>, width: i64, execution: Execution) -> Layer {
        match self {
            Self::Norm(config) => {
                let norm = BatchNorm::new(variables, width, *config).unwrap().with_execution(execution);
                Box::new(move |input, mode| norm.forward(input, mode))
            }
            Self::Dice(variant) => {
                let dice = Dice::new(variables, width, *variant).unwrap().with_execution(execution);
                Box::new(move |input, mode| dice.forward(input, mode))
            }
            Self::Activation(config) => {
                let activation = Activation::new(variables, width, *config).unwrap().with_execution(execution);
                Box::new(move |input, mode| activation.forward(input.shallow_clone(), mode))
            }
            Self::Mlp => {
                let config = MlpConfig {
                    input_norm: InputNorm::Keras,
                    hidden: vec![19, 3],
                    activation: ActivationConfig::Dice,
                    batch_norm: true,
                    dropout: 0.0,
                };
                let mlp = Mlp::new(variables, width, &config).unwrap().with_execution(execution);
                Box::new(move |input, mode| mlp.forward(input, mode))
            }
            Self::Hidden(activation, batch_norm) => {
                // The width of the second layer is that of the input too, so that all widths are drawn.
                let config = MlpConfig {
                    input_norm: InputNorm::None,
                    hidden: vec![21, width],
                    activation: *activation,
                    batch_norm: *batch_norm,
                    dropout: 0.0,
                };
                let mlp = Mlp::new(variables, width, &config).unwrap().with_execution(execution);
                let output = Linear::new(&(variables / "output"), width, 1).unwrap();
                Box::new(move |input, mode| mlp.forward_to(input, &output, mode))
            }
            Self::AuxiliaryNet => {
                let config = AuxiliaryNetConfig {
                    hidden: vec![9, 4],
                    activation: ActivationConfig::DicePerSample,
                    input_norm: InputNorm::BatchNorm,
                };
                let net = AuxiliaryNet::new(variables, width, &config).unwrap().with_execution(execution);
                Box::new(move |input, mode| net.forward(input, mode))
            }
        }
    }
}

/// Numbers from -1 to 1 that depend on the seed alone.
pub(crate) fn numbers(seed: u64, count: usize) -> Vec<f64> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) subject: Subject,
    pub(crate) rows: i64,
    pub(crate) width: i64,
    pub(crate) seed: u64,
}

pub(crate) fn problems() -> impl Strategy<Value = Problem> {
    (prop::sample::select(Subject::all()), 3i64..80, 1i64..40, any::<u64>())
        .prop_map(|(subject, rows, width, seed)| Problem { subject, rows, width, seed })
}

impl Problem {
    fn tensor(&self, index: u64, size: &[i64], kind: Kind) -> Tensor {
        let count = size.iter().product::<i64>() as usize;
        Tensor::from_slice(&numbers(self.seed.wrapping_add(index << 32), count)).reshape(size).to_kind(kind)
    }

    /// A layer with drawn variables, and the names of these.
    pub(crate) fn layer(&self, execution: Execution, kind: Kind) -> (Vec<(String, Tensor)>, Layer) {
        let mut store = nn::VarStore::new(Device::Cpu);
        let layer = self.subject.build(&store.root(), self.width, execution);
        store.set_kind(kind);
        let mut variables: Vec<(String, Tensor)> = store.variables().into_iter().collect();
        variables.sort_by(|left, right| left.0.cmp(&right.0));
        tch::no_grad(|| {
            for (index, (name, variable)) in (10..).zip(&mut variables) {
                let drawn = self.tensor(index, &variable.size(), kind);
                variable.copy_(&if name.ends_with("running_var") { drawn.abs() + 0.5 } else { drawn });
            }
        });
        (variables, layer)
    }

    /// Everything that a step of training and an evaluation after it give, by name.
    pub(crate) fn run(&self, execution: Execution, kind: Kind) -> Vec<(String, Tensor)> {
        let (variables, layer) = self.layer(execution, kind);
        let mut results = Vec::new();
        for (index, mode) in [(0, Mode::Training), (1, Mode::Evaluation)] {
            let input = self.tensor(index, &[self.rows, self.width], kind).g_mul_scalar(3.0).set_requires_grad(true);
            let output = layer(&input, mode).unwrap();
            let slopes = self.tensor(index + 2, &output.size(), kind);
            (&output * slopes).sum(kind).backward();
            results.push((format!("output, {mode:?}"), output.detach()));
            results.push((format!("input, {mode:?}"), input.grad()));
            for (name, variable) in &variables {
                if variable.requires_grad() {
                    results.push((format!("{name}, gradient, {mode:?}"), variable.grad().copy()));
                } else {
                    results.push((format!("{name}, {mode:?}"), variable.copy()));
                }
            }
        }
        results
    }
}

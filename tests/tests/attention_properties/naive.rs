//! Target attention by its definition, in plain numbers: one event at a time, a network through its undivided first
//! layer.

use std::collections::BTreeMap;

use fain_layers::{
    ActivationConfig, AttentionInputs, AttentionNormalization, AttentionScale, AttentionScoring, CandidateProjection,
    Mode,
};

use crate::problem::{Layer, Problem, numbers};

type Rows = Vec<Vec<f64>>;

/// The layer's variables as numbers.
struct Naive {
    variables: BTreeMap<String, Vec<f64>>,
    mode: Mode,
}

/// `[B][D]`: what the layer should give.
pub(crate) fn forward(problem: &Problem, layer: &Layer, mode: Mode) -> Rows {
    let width = problem.width as usize;
    let split =
        |numbers: Vec<f64>, width: i64| -> Rows { numbers.chunks(width as usize).map(<[f64]>::to_vec).collect() };
    let candidates = split(numbers(&problem.candidate(layer, tch::Kind::Double)), layer.candidate);
    let events = split(numbers(&problem.values(tch::Kind::Double)), problem.width);
    let offsets = problem.offsets();
    let histories = || offsets.windows(2).map(|pair| pair[0] as usize..pair[1] as usize);

    // One event has no statistics of its own.
    let mode = if events.len() < 2 { Mode::Evaluation } else { mode };
    let variables = layer.variables.iter().map(|(name, tensor)| (name.clone(), numbers(tensor))).collect();
    let naive = Naive { variables, mode };
    let queries = naive.project(candidates, layer);
    let pairs: Vec<(&[f64], &[f64])> = queries
        .iter()
        .zip(histories())
        .flat_map(|(query, history)| events[history].iter().map(|key| (query.as_slice(), key.as_slice())))
        .collect();
    let scores = naive.scores(&pairs, layer);

    let divisor = if layer.config.scale == AttentionScale::SqrtWidth { (width as f64).sqrt() } else { 1.0 };
    let mut pooled = Vec::new();
    for history in histories() {
        let logits: Vec<f64> = scores[history.clone()].iter().map(|score| score / divisor).collect();
        let total: f64 = logits.iter().map(|logit| logit.exp()).sum();
        let weight = |logit: f64| match layer.config.normalization {
            AttentionNormalization::None => logit,
            AttentionNormalization::Softmax => logit.exp() / total,
            AttentionNormalization::Sigmoid => sigmoid(logit),
        };
        let mut sum = vec![0.0; width];
        for (event, &logit) in events[history].iter().zip(&logits) {
            for (sum, value) in sum.iter_mut().zip(event) {
                *sum += weight(logit) * value;
            }
        }
        pooled.push(sum);
    }
    pooled
}

impl Naive {
    /// What scores sees of the candidates.
    fn project(&self, candidates: Rows, layer: &Layer) -> Rows {
        match layer.config.projection {
            CandidateProjection::None => candidates,
            CandidateProjection::DensePrelu => {
                let rows = self.dense(&candidates, "projection.dense");
                self.activate(&rows, "projection.activation", ActivationConfig::PreluPerUnit)
            }
        }
    }

    /// One score for each pair of candidate and event.
    fn scores(&self, pairs: &[(&[f64], &[f64])], layer: &Layer) -> Vec<f64> {
        let product = |(x, y): (&[f64], &[f64])| -> f64 { x.iter().zip(y).map(|(x, y)| x * y).sum() };
        match layer.config.scoring {
            AttentionScoring::Mlp => self.network(pairs, layer),
            AttentionScoring::InnerProduct => pairs.iter().copied().map(product).collect(),
            AttentionScoring::Bilinear => {
                let weight = &self.variables["bilinear.weight"];
                let score = |(query, key): &(&[f64], &[f64])| -> f64 {
                    key.iter().zip(weight.chunks(query.len())).map(|(k, row)| k * product((row, query))).sum()
                };
                pairs.iter().map(score).collect()
            }
        }
    }

    fn network(&self, pairs: &[(&[f64], &[f64])], layer: &Layer) -> Vec<f64> {
        let join = |(query, key): &(&[f64], &[f64])| -> Vec<f64> {
            let both = || query.iter().zip(*key);
            let differences = || both().map(|(q, k)| q - k).collect();
            let products = || both().map(|(q, k)| q * k).collect();
            let rest: [Vec<f64>; 2] = match layer.config.inputs {
                AttentionInputs::Full => [differences(), products()],
                AttentionInputs::Pair => [vec![], vec![]],
                AttentionInputs::Product => [products(), vec![]],
            };
            [query.to_vec(), key.to_vec(), rest.concat()].concat()
        };
        let mut rows: Rows = pairs.iter().map(join).collect();
        for index in 0..layer.config.hidden.len() {
            rows = self.dense(&rows, &format!("score.dense{index}"));
            if layer.config.batch_norm {
                rows = self.normalize(&rows, &format!("score.batchnorm{index}"), 1e-5);
            }
            rows = self.activate(&rows, &format!("score.activation{index}"), layer.config.activation);
        }
        self.dense(&rows, "output").concat()
    }

    fn dense(&self, rows: &Rows, name: &str) -> Rows {
        let weight = &self.variables[&format!("{name}.weight")];
        let bias = &self.variables[&format!("{name}.bias")];
        let inputs = weight.len() / bias.len();
        let output = |row: &Vec<f64>, unit: usize| -> f64 {
            let weights = &weight[unit * inputs..(unit + 1) * inputs];
            bias[unit] + row.iter().zip(weights).map(|(x, w)| x * w).sum::<f64>()
        };
        rows.iter().map(|row| (0..bias.len()).map(|unit| output(row, unit)).collect()).collect()
    }

    fn normalize(&self, rows: &Rows, name: &str, epsilon: f64) -> Rows {
        let variable = |leaf: &str| self.variables.get(&format!("{name}.{leaf}"));
        let count = rows.len() as f64;
        let mut normalized = rows.clone();
        for unit in 0..self.variables[&format!("{name}.running_mean")].len() {
            let column = || rows.iter().map(|row| row[unit]);
            let (mean, variance) = if self.mode.is_training() {
                let mean = column().sum::<f64>() / count;
                (mean, column().map(|x| (x - mean).powi(2)).sum::<f64>() / count)
            } else {
                (
                    self.variables[&format!("{name}.running_mean")][unit],
                    self.variables[&format!("{name}.running_var")][unit],
                )
            };
            let scale = variable("weight").map_or(1.0, |weight| weight[unit]);
            let shift = variable("bias").map_or(0.0, |bias| bias[unit]);
            for row in &mut normalized {
                row[unit] = (row[unit] - mean) / (variance + epsilon).sqrt() * scale + shift;
            }
        }
        normalized
    }

    fn activate(&self, rows: &Rows, name: &str, activation: ActivationConfig) -> Rows {
        let each = |function: &dyn Fn(f64) -> f64| -> Rows {
            rows.iter().map(|row| row.iter().map(|&x| function(x)).collect()).collect()
        };
        match activation {
            ActivationConfig::Relu => each(&|x| x.max(0.0)),
            ActivationConfig::LeakyRelu => each(&|x| if x > 0.0 { x } else { 0.01 * x }),
            ActivationConfig::Prelu => {
                let slope = self.variables[&format!("{name}.weight")][0];
                each(&|x| if x > 0.0 { x } else { slope * x })
            }
            ActivationConfig::PreluPerUnit => {
                let slopes = &self.variables[&format!("{name}.weight")];
                let bend = |(&x, slope): (&f64, &f64)| if x > 0.0 { x } else { slope * x };
                rows.iter().map(|row| row.iter().zip(slopes).map(bend).collect()).collect()
            }
            ActivationConfig::Sigmoid => each(&sigmoid),
            ActivationConfig::Linear => rows.clone(),
            ActivationConfig::DicePerSample => {
                let alpha = self.variables[&format!("{name}.alpha")][0];
                let dice = |row: &Vec<f64>| -> Vec<f64> {
                    let mean = row.iter().sum::<f64>() / row.len() as f64;
                    let spread = row.iter().map(|x| (x - mean).powi(2) + 1e-3).sum::<f64>().sqrt();
                    let share = |x: f64| sigmoid((x - mean) / spread);
                    row.iter().map(|&x| share(x) * x + (1.0 - share(x)) * alpha * x).collect()
                };
                rows.iter().map(dice).collect()
            }
            ActivationConfig::Dice | ActivationConfig::DiceAffine => {
                let alpha = &self.variables[&format!("{name}.alpha")];
                let normalized = self.normalize(rows, &format!("{name}.bn"), 1e-8);
                let dice = |(unit, (x, normalized)): (usize, (&f64, &f64))| {
                    let share = sigmoid(*normalized);
                    share * x + (1.0 - share) * alpha[unit] * x
                };
                rows.iter()
                    .zip(&normalized)
                    .map(|(row, normalized)| row.iter().zip(normalized).enumerate().map(dice).collect())
                    .collect()
            }
        }
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

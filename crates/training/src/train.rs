//! The training loop.

use std::ops::ControlFlow;
use std::time::Instant;

use fain_autograd::{autocast, overlap};
use fain_dataset::{BatchPlan, Dataset, Order, Tail};
use fain_layers::Mode;
use fain_metrics::{CeilingReport, Evaluation};
use fain_models::{FeatureSpace, Model, Output, named_tensors, parameter_count};
use tch::{Device, Tensor, nn};

use crate::checkpoint::{self, LossSum, Position, Snapshot, restore_snapshot, snapshot};
use crate::click_loss::click_loss;
use crate::evaluate::PREFETCH;
use crate::feed::{self, Tensors};
use crate::histories;
use crate::loss_sums::{LossSums, StepLoss};
use crate::occurrences::trained_tables;
use crate::{
    EvaluationEvent, EvaluationPlan, Experiment, Optimizer, Progress, Report, RunFolder, TrainingError, evaluate_split,
};

/// Training rows that the report's training metrics are taken from, at least.
const TRAIN_SAMPLE: u64 = 100_000;

/// What [`train`] works on.
#[derive(Debug, Clone, Copy)]
pub struct TrainRequest<'a> {
    /// The configuration.
    pub experiment: &'a Experiment,
    /// Its encoded data.
    pub dataset: &'a Dataset,
    /// Where to compute.
    pub device: Device,
    /// Where checkpoints and events go.
    pub folder: &'a RunFolder,
    /// Whether to go on from the folder's checkpoint, if it has one.
    pub resume: bool,
}

/// A trained model with its best weights.
#[derive(Debug)]
pub struct Trained {
    /// The model.
    pub model: Box<dyn Model>,
    /// Its parameters and buffers.
    pub variables: nn::VarStore,
    /// What came out.
    pub report: Report,
}

/// Tells the caller what happens; [`ControlFlow::Break`] stops the training after a checkpoint.
type Observer<'a> = dyn FnMut(&Progress<'_>) -> ControlFlow<()> + 'a;

/// Trains a model until the epochs are done or validation gets no better, and restores the best weights.
///
/// The click loss is the mean binary cross-entropy from logits; a model's auxiliary loss is added to it. Both are means,
/// so that their ratio is the same at every batch size. `training.optimizer` minimises the sum. Validation rows choose the weights;
/// test rows are scored once, at the end. The same experiment on the same machine gives the same bytes, also when it
/// was interrupted and resumed: every step draws from `training.seed` and its own number.
///
/// `training.precision` is what a step's forward and backward pass compute matrix products in. Parameters, the optimiser's
/// state, losses and statistics are float32 in any case, and so is all scoring: the metrics are those of the weights as
/// they are written.
///
/// The number of threads and the state of libtorch's generator belong to the whole process; this function sets both.
///
/// # Errors
/// [`TrainingError::Interrupted`] when the observer says so, after a checkpoint; otherwise what is wrong with data,
/// model or disk. The folder keeps the last checkpoint.
pub fn train(request: &TrainRequest<'_>, observer: &mut Observer<'_>) -> Result<Trained, TrainingError> {
    let mut session = Session::new(request)?;
    session.run(observer)?;
    session.finish(observer)
}

/// Copies vectors into the tables that start from them. A run that goes on from a checkpoint has them there.
fn start_tables(
    request: &TrainRequest<'_>,
    variables: &nn::VarStore,
    space: &FeatureSpace,
) -> Result<(), TrainingError> {
    let (config, encoders) = (request.experiment.model.embedding(), request.dataset.encoders());
    for (index, name) in encoders.schema().vocabularies().iter().enumerate() {
        if let Some(file) = config.pretrained.get(name) {
            let vectors = file.read(name, encoders.vocabulary(index), &request.experiment.data.root)?;
            vectors.copy_to(variables, space, config)?;
        }
    }
    Ok(())
}

struct Session<'a> {
    request: TrainRequest<'a>,
    model: Box<dyn Model>,
    variables: nn::VarStore,
    optimizer: Optimizer,
    position: Position,
    best: Option<Snapshot>,
    losses: LossSums,
    started: Instant,
    seconds_before: f64,
}

impl<'a> Session<'a> {
    fn new(request: &TrainRequest<'a>) -> Result<Self, TrainingError> {
        let config = &request.experiment.training;
        let rows = request.dataset.train().rows();
        if rows < 2 {
            return Err(TrainingError::TooFewRows(rows));
        }
        histories::check(request.dataset, &request.experiment.model)?;
        tch::set_num_threads(i32::try_from(config.resolved_threads()).unwrap_or(i32::MAX));
        tch::manual_seed(config.seed as i64);
        let variables = nn::VarStore::new(request.device);
        let space = FeatureSpace::of(request.dataset.encoders());
        let model = request.experiment.model.build(&variables.root(), &space)?;
        let trainable = named_tensors(&variables).into_iter().filter(|(_, tensor)| tensor.requires_grad()).collect();
        let counted = config.tables.mini_batch_aware > 0.0;
        let tables = trained_tables(request.dataset, &space, request.experiment.model.embedding(), counted)?;
        let mut optimizer = Optimizer::with_tables(trainable, config.optimizer_config(), config.tables, &tables)?;
        let (mut position, mut best) = (Position::start(), None);
        let checkpoint = request.folder.checkpoint();
        if request.resume && checkpoint.is_file() {
            (position, best) = checkpoint::read(&checkpoint, &variables, &mut optimizer)?;
            request.folder.write_events(&position.evaluations)?;
        } else {
            start_tables(request, &variables, &space)?;
        }
        let losses = LossSums::new(position.loss, request.device)?;
        let seconds_before = position.seconds;
        let started = Instant::now();
        Ok(Self { request: *request, model, variables, optimizer, position, best, losses, started, seconds_before })
    }

    fn run(&mut self, observer: &mut Observer<'_>) -> Result<(), TrainingError> {
        let config = &self.request.experiment.training;
        let started = Progress::Started {
            parameters: parameter_count(&self.variables),
            train_rows: self.request.dataset.train().rows(),
            validation_rows: self.request.dataset.validation().rows(),
            epochs: config.epochs,
        };
        if observer(&started).is_break() {
            return self.interrupt();
        }
        while self.position.epoch < config.epochs && self.position.without_best < config.patience {
            self.epoch(observer)?;
        }
        Ok(())
    }

    /// Trains from the current position to the end of its epoch, or until validation gets no better.
    fn epoch(&mut self, observer: &mut Observer<'_>) -> Result<(), TrainingError> {
        let config = &self.request.experiment.training;
        let plan = BatchPlan {
            batch_size: config.batch_size,
            order: Order::Shuffled { seed: config.seed, epoch: self.position.epoch },
            // A last batch of one has no batch statistics.
            tail: Tail::MergeSingle,
            start: self.position.epoch_batches,
            prefetch: PREFETCH,
        };
        let mut batches = feed::batches(self.request.dataset.train(), plan, self.request.device)?;
        let count = batches.total();
        let mut clock = Instant::now();
        loop {
            // Looked at before the step, so that a run that was stopped while it scored goes on with scoring.
            if self.evaluation_is_due(count) {
                self.stop_clock(clock)?;
                self.evaluate(count, observer)?;
                clock = Instant::now();
                if self.position.without_best >= config.patience {
                    return Ok(());
                }
            }
            let Some(batch) = batches.next().transpose()? else { return Ok(()) };
            let (tensors, samples) = batch.open(self.request.device)?;
            self.step(&tensors, samples.rows)?;
            let (position, rows) = (&mut self.position, samples.rows as u64);
            position.step += 1;
            position.epoch_batches += 1;
            position.epoch_rows += rows;
            position.samples += rows;
            position.loss.rows += rows;
            batches.recycle(samples);
            let (epoch, epoch_rows, step) = (position.epoch + 1, position.epoch_rows, position.step);
            if observer(&Progress::Step { epoch, epoch_rows, step }).is_break() {
                self.stop_clock(clock)?;
                return self.interrupt();
            }
        }
    }

    /// The batches of an epoch after which validation rows are scored lie evenly, the last one at its end.
    fn evaluation_is_due(&self, count: u64) -> bool {
        let share = |batches: u64| batches * self.request.experiment.training.evaluations_per_epoch / count;
        let done = self.position.epoch_batches;
        self.position.loss.rows > 0 && done > 0 && share(done) > share(done - 1)
    }

    /// Waits for the device and adds the time since `clock` to the training time.
    fn stop_clock(&mut self, clock: Instant) -> Result<(), TrainingError> {
        let sums = self.losses.read()?;
        self.position.loss.click = sums[0];
        self.position.loss.auxiliary = self.position.loss.auxiliary.map(|_| sums[1]);
        self.position.train_seconds += clock.elapsed().as_secs_f64();
        Ok(())
    }

    fn step(&mut self, batch: &Tensors, rows: usize) -> Result<(), TrainingError> {
        tch::manual_seed(step_seed(self.request.experiment.training.seed, self.position.step));
        let (click, auxiliary) = if self.model.reads_auxiliary_loss() {
            self.move_parameters(batch)?
        } else {
            overlap(|| self.move_parameters(batch))?
        };
        self.losses.add(StepLoss::Click, &click, rows)?;
        if let Some(auxiliary) = auxiliary {
            self.position.loss.auxiliary.get_or_insert(0.0);
            self.losses.add(StepLoss::Auxiliary, &auxiliary, rows)?;
        }
        Ok(())
    }

    /// Gives the click loss and the auxiliary loss, of which the latter may have no number before.
    fn move_parameters(&mut self, batch: &Tensors) -> Result<(Tensor, Option<Tensor>), TrainingError> {
        let TrainRequest { experiment, device, .. } = self.request;
        let forward = || self.model.forward(&batch.input, Mode::Training);
        let Output { logits, auxiliary } = autocast(device, experiment.training.precision, forward)??;
        let click = click_loss(&logits, &batch.labels)?;
        let losses: Vec<&Tensor> = std::iter::once(&click).chain(&auxiliary).collect();
        self.optimizer.backward_step_of_sum(&losses)?;
        Ok((click, auxiliary))
    }

    /// Measures the validation rows, keeps the weights if they are the best, and writes event and checkpoint.
    fn evaluate(&mut self, count: u64, observer: &mut Observer<'_>) -> Result<(), TrainingError> {
        let config = &self.request.experiment.training;
        let rows = self.position.loss.rows as f64;
        let train_loss = self.position.loss.click / rows;
        let auxiliary_loss = self.position.loss.auxiliary.map(|sum| sum / rows);
        if let Some(loss) = [train_loss, auxiliary_loss.unwrap_or(0.0)].into_iter().find(|loss| !loss.is_finite()) {
            return Err(TrainingError::Diverged { loss, step: self.position.step });
        }
        let validation = match self.measure(Rows::Validation, observer) {
            Ok((validation, _)) => validation,
            Err(TrainingError::Interrupted) => return self.interrupt(),
            Err(error) => return Err(error),
        };
        let score = config.monitor.score(&validation).ok_or(TrainingError::UndefinedMonitor {
            monitor: config.monitor.name(),
            samples: validation.samples,
            positives: validation.positives,
        })?;
        let best_before =
            best_event(&self.position.evaluations).and_then(|event| config.monitor.score(&event.validation));
        let best = best_before.is_none_or(|before| score > before);
        let event = EvaluationEvent {
            epoch: self.position.epoch + 1,
            step: self.position.step,
            samples: self.position.samples,
            train_loss,
            auxiliary_loss,
            validation,
            best,
            train_seconds: self.position.train_seconds,
        };
        if best {
            self.best = Some(snapshot(&self.variables)?);
            self.position.without_best = 0;
        } else {
            self.position.without_best += 1;
        }
        self.position.evaluations.push(event.clone());
        self.position.loss = LossSum::default();
        self.losses.clear()?;
        if self.position.epoch_batches == count {
            self.position.epoch += 1;
            self.position.epoch_batches = 0;
            self.position.epoch_rows = 0;
        }
        self.write_checkpoint()?;
        self.request.folder.write_events(&self.position.evaluations)?;
        // An interruption asked for here is asked for again at the step that follows.
        let _ = observer(&Progress::Evaluated(&event));
        Ok(())
    }

    /// Scores rows with the current weights.
    fn measure(
        &self,
        rows: Rows<'_>,
        observer: &mut Observer<'_>,
    ) -> Result<(Evaluation, Option<CeilingReport>), TrainingError> {
        let config = &self.request.experiment.training;
        let dataset = self.request.dataset;
        let (name, split, order, limit) = match rows {
            Rows::Train => {
                ("train", dataset.train(), Order::Shuffled { seed: config.seed, epoch: u64::MAX }, TRAIN_SAMPLE)
            }
            Rows::Validation => ("validation", dataset.validation(), Order::Sequential, u64::MAX),
            Rows::Test(split) => ("test", split, Order::Sequential, u64::MAX),
        };
        let of = split.rows().min(limit);
        let plan = EvaluationPlan {
            model: self.model.as_ref(),
            device: self.request.device,
            split,
            batch_size: config.evaluation_batch_size,
            order,
            limit,
        };
        evaluate_split(&plan, &mut |rows| observer(&Progress::Scoring { split: name, rows, of }))
    }

    /// Restores the best weights and measures them.
    fn finish(mut self, observer: &mut Observer<'_>) -> Result<Trained, TrainingError> {
        if let Some(best) = &self.best {
            restore_snapshot(&self.variables, best)?;
        }
        let (train, _) = self.measure(Rows::Train, observer)?;
        let (test, ceiling) = match self.request.dataset.test() {
            Some(split) => self.measure(Rows::Test(split), observer).map(|(test, ceiling)| (Some(test), ceiling))?,
            None => (None, None),
        };
        let experiment = self.request.experiment;
        let position = &mut self.position;
        let best = best_event(&position.evaluations).ok_or_else(|| TrainingError::Run {
            folder: self.request.folder.path().to_owned(),
            problem: "the checkpoint has no evaluation".to_owned(),
        })?;
        let report = Report {
            model: experiment.model.name().to_owned(),
            parameters: parameter_count(&self.variables),
            samples_per_second: position.samples as f64 / position.train_seconds,
            epochs: position.evaluations.last().map_or(0, |event| event.epoch),
            best_epoch: best.epoch,
            best_step: best.step,
            seconds: self.seconds_before + self.started.elapsed().as_secs_f64(),
            train,
            validation: best.validation.clone(),
            test,
            ceiling,
            seed: experiment.training.seed,
            threads: experiment.training.resolved_threads(),
            device: device_name(self.request.device),
            precision: experiment.training.precision,
        };
        Ok(Trained { model: self.model, variables: self.variables, report })
    }

    fn write_checkpoint(&mut self) -> Result<(), TrainingError> {
        self.position.seconds = self.seconds_before + self.started.elapsed().as_secs_f64();
        let path = self.request.folder.checkpoint();
        checkpoint::write(&path, &self.position, &self.variables, self.best.as_ref(), &self.optimizer)
    }

    fn interrupt<T>(&mut self) -> Result<T, TrainingError> {
        self.write_checkpoint()?;
        Err(TrainingError::Interrupted)
    }
}

/// Rows to measure.
#[derive(Debug, Clone, Copy)]
enum Rows<'a> {
    /// A sample of the training rows.
    Train,
    /// All validation rows.
    Validation,
    /// All test rows.
    Test(&'a fain_dataset::Split),
}

/// The evaluation whose weights are kept: the last one that was better than all before it.
fn best_event(evaluations: &[EvaluationEvent]) -> Option<&EvaluationEvent> {
    evaluations.iter().rev().find(|event| event.best)
}

/// The seed of one step's draws, the same whether the run was interrupted or not (splitmix64 of seed and step).
fn step_seed(seed: u64, step: u64) -> i64 {
    let mut mixed = seed.wrapping_add(step.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) as i64
}

fn device_name(device: Device) -> String {
    match device {
        Device::Cuda(number) => format!("cuda:{number}"),
        other => format!("{other:?}").to_lowercase(),
    }
}

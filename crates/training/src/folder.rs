//! The folder of a run.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::{EvaluationEvent, Experiment, Report, TrainingError};

/// The folder of a run: `config.toml`, `events.jsonl`, `report.json`, `checkpoints/`, `bundle/`.
#[derive(Debug, Clone)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Makes the folder of a new run.
    ///
    /// # Errors
    /// [`TrainingError::RunExists`] when there is something at `path`, [`TrainingError::Io`] when it cannot be made.
    pub fn create(path: &Path) -> Result<Self, TrainingError> {
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::create_dir_all(parent).map_err(|cause| io("create", parent, cause))?;
        }
        fs::create_dir(path).map_err(|cause| {
            if cause.kind() == std::io::ErrorKind::AlreadyExists {
                TrainingError::RunExists(path.to_owned())
            } else {
                io("create", path, cause)
            }
        })?;
        Ok(Self { path: path.to_owned() })
    }

    /// Opens the folder of a run that was begun.
    ///
    /// # Errors
    /// [`TrainingError::Run`] when there is no run at `path`.
    pub fn open(path: &Path) -> Result<Self, TrainingError> {
        let folder = Self { path: path.to_owned() };
        if folder.config().is_file() {
            return Ok(folder);
        }
        let problem = if path.exists() { "is no run: it has no config.toml" } else { "does not exist" };
        Err(TrainingError::Run { folder: path.to_owned(), problem: problem.to_owned() })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The resolved configuration.
    pub fn config(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    /// A line per evaluation.
    pub fn events(&self) -> PathBuf {
        self.path.join("events.jsonl")
    }

    /// The result; it is there when the run is done.
    pub fn report(&self) -> PathBuf {
        self.path.join("report.json")
    }

    /// What a run goes on from.
    pub fn checkpoint(&self) -> PathBuf {
        self.path.join("checkpoints").join("last.safetensors")
    }

    /// What is needed to score: encoders, model, weights.
    pub fn bundle(&self) -> PathBuf {
        self.path.join("bundle")
    }

    /// Reads the run's configuration.
    ///
    /// # Errors
    /// [`TrainingError::Config`] when it is no configuration.
    pub fn read_config(&self) -> Result<Experiment, TrainingError> {
        Ok(Experiment::read(&self.config(), &[])?)
    }

    /// Writes the resolved configuration.
    ///
    /// # Errors
    /// [`TrainingError::Io`] when the disk is full, for example; nothing half-written is left.
    pub fn write_config(&self, experiment: &Experiment) -> Result<(), TrainingError> {
        write_atomically(&self.config(), experiment.to_toml()?.as_bytes())
    }

    /// Writes all evaluations so far.
    ///
    /// # Errors
    /// [`TrainingError::Io`].
    pub fn write_events(&self, events: &[EvaluationEvent]) -> Result<(), TrainingError> {
        let mut text = String::new();
        for event in events {
            text.push_str(&serde_json::to_string(event).map_err(|cause| io("write", &self.events(), cause.into()))?);
            text.push('\n');
        }
        write_atomically(&self.events(), text.as_bytes())
    }

    /// Writes the result.
    ///
    /// # Errors
    /// [`TrainingError::Io`].
    pub fn write_report(&self, report: &Report) -> Result<(), TrainingError> {
        let text = serde_json::to_string_pretty(report).map_err(|cause| io("write", &self.report(), cause.into()))?;
        write_atomically(&self.report(), format!("{text}\n").as_bytes())
    }

    /// Reads the result of a run that is done.
    ///
    /// # Errors
    /// [`TrainingError::Run`] when the run is not done, [`TrainingError::Io`] when the file cannot be read.
    pub fn read_report(&self) -> Result<Report, TrainingError> {
        let path = self.report();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
                let problem = "the run is not done: it has no report.json; go on with it by --resume".to_owned();
                return Err(TrainingError::Run { folder: self.path.clone(), problem });
            }
            Err(cause) => return Err(io("read", &path, cause)),
        };
        serde_json::from_str(&text).map_err(|cause| io("read", &path, cause.into()))
    }
}

/// Writes a file so that it is either whole or not there: beside it first, then renamed.
///
/// # Errors
/// [`TrainingError::Io`] names the file and the cause; nothing half-written is left.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), TrainingError> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || {
        fs::create_dir_all(parent)?;
        let mut file = temporary_file(parent)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(|cause| io("write", path, cause))
}

/// A file that goes away unless it is kept, as readable for others as any file that this user makes.
fn temporary_file(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    let builder = builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

pub(crate) fn io(action: &'static str, path: &Path, cause: std::io::Error) -> TrainingError {
    TrainingError::Io { action, path: path.to_owned(), cause }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn a_run_is_made_once() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("runs/a");
        RunFolder::create(&path).unwrap();
        let error = RunFolder::create(&path).unwrap_err().to_string();
        assert!(error.ends_with("runs/a exists; choose another folder with --output, or go on with it by --resume"));
        let error = RunFolder::open(&path).unwrap_err().to_string();
        assert!(error.ends_with("runs/a: is no run: it has no config.toml"), "{error}");
        let error = RunFolder::open(&root.path().join("b")).unwrap_err().to_string();
        assert!(error.ends_with("b: does not exist"), "{error}");
    }

    #[test]
    #[cfg(unix)]
    fn others_may_read_what_is_written_as_the_umask_says() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("plain"), b"text").unwrap();
        write_atomically(&root.path().join("ours"), b"text").unwrap();
        let mode = |name: &str| fs::metadata(root.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode("ours"), mode("plain"));
    }

    #[test]
    fn a_write_that_fails_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("taken");
        fs::create_dir(&target).unwrap();
        assert!(write_atomically(&target, b"text").is_err());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }
}

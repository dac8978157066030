//! From an error to an exit code and one line of text.

use std::error::Error;

use fain_autograd::DeviceError;
use fain_dataset::DatasetError;
use fain_features::{DataError, DataErrorKind};
use fain_models::{ModelError, WeightsError};
use fain_prepare::PrepareError;
use fain_samples::SamplesError;
use fain_serving::BundleError;
use fain_simulator::SimulatorError;
use fain_training::{ConfigError, ErrorKind, TrainingError};

/// The work failed.
const FAILED: u8 = 1;
/// The request or the configuration is wrong.
const REQUEST: u8 = 2;
/// The data is wrong.
const DATA: u8 = 3;
/// The user asked to stop.
pub(crate) const INTERRUPTED: u8 = 130;

/// Why the program itself stops, where no library does.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stop {
    /// The request is wrong: what it is and what is allowed.
    #[error("{0}")]
    Request(String),
    /// The data is wrong.
    #[error("{0}")]
    Data(String),
    /// The user asked to stop; the text says what is left of the work.
    #[error("interrupted: {0}")]
    Interrupted(String),
}

/// The exit code of an error: that of the first cause which has one.
pub(crate) fn code(error: &anyhow::Error) -> u8 {
    error.chain().find_map(code_of).unwrap_or(FAILED)
}

fn code_of(error: &(dyn Error + 'static)) -> Option<u8> {
    if error.is::<DeviceError>() || error.is::<ConfigError>() {
        Some(REQUEST)
    } else if let Some(stop) = error.downcast_ref::<Stop>() {
        Some(match stop {
            Stop::Request(_) => REQUEST,
            Stop::Data(_) => DATA,
            Stop::Interrupted(_) => INTERRUPTED,
        })
    } else if let Some(error) = error.downcast_ref::<TrainingError>() {
        Some(of_training(error))
    } else if let Some(error) = error.downcast_ref::<DatasetError>() {
        Some(of_dataset(error))
    } else if let Some(error) = error.downcast_ref::<PrepareError>() {
        Some(of_prepare(error))
    } else if let Some(error) = error.downcast_ref::<SamplesError>() {
        Some(of_samples(error))
    } else if let Some(error) = error.downcast_ref::<BundleError>() {
        Some(of_bundle(error))
    } else {
        error.downcast_ref::<SimulatorError>().map(of_simulator)
    }
}

fn of_training(error: &TrainingError) -> u8 {
    match error.kind() {
        ErrorKind::Request => REQUEST,
        ErrorKind::Data => DATA,
        ErrorKind::Interrupted => INTERRUPTED,
        _ => FAILED,
    }
}

fn of_dataset(error: &DatasetError) -> u8 {
    match error.kind() {
        fain_dataset::ErrorKind::Config => REQUEST,
        fain_dataset::ErrorKind::Data => DATA,
        fain_dataset::ErrorKind::Interrupted => INTERRUPTED,
        _ => FAILED,
    }
}

fn of_prepare(error: &PrepareError) -> u8 {
    match error.kind() {
        fain_prepare::ErrorKind::Config => REQUEST,
        fain_prepare::ErrorKind::Data => DATA,
        fain_prepare::ErrorKind::Interrupted => INTERRUPTED,
        _ => FAILED,
    }
}

fn of_samples(error: &SamplesError) -> u8 {
    match error.kind() {
        fain_samples::ErrorKind::Config => REQUEST,
        fain_samples::ErrorKind::Data => DATA,
        _ => FAILED,
    }
}

/// A bundle that is damaged is data that is wrong; a bundle that the system does not give is work that failed.
fn of_bundle(error: &BundleError) -> u8 {
    match error {
        BundleError::Data(error) => of_data(error),
        BundleError::Damaged { .. }
        | BundleError::Encoders { .. }
        | BundleError::Weights(WeightsError::Format { .. } | WeightsError::Names { .. } | WeightsError::Shape { .. })
        | BundleError::Model(ModelError::Config { .. } | ModelError::HistoryLengths { .. }) => DATA,
        _ => FAILED,
    }
}

fn of_data(error: &DataError) -> u8 {
    match error.kind() {
        DataErrorKind::Config => REQUEST,
        DataErrorKind::Unreadable | DataErrorKind::Content => DATA,
    }
}

fn of_simulator(error: &SimulatorError) -> u8 {
    match error {
        SimulatorError::Config { .. } => REQUEST,
        SimulatorError::Interrupted => INTERRUPTED,
        _ => FAILED,
    }
}

/// An error and its causes in one line. A cause that the text before it already quotes is left out.
pub(crate) fn line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain() {
        let text = one_line(&cause.to_string());
        if line.is_empty() {
            line = text;
        } else if !line.contains(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
    }
    line
}

/// Joins the lines of a message; the excerpt that a TOML message draws has no place in one line.
pub(crate) fn one_line(text: &str) -> String {
    let drawn = |line: &str| line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ').starts_with('|');
    let lines: Vec<&str> = text.lines().filter(|line| !drawn(line)).map(str::trim).collect();
    lines.join(": ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use std::io;

    use anyhow::Context;

    use fain_features::TableError;

    use super::*;

    #[test]
    fn codes_are_found_under_context() {
        let refused: anyhow::Result<()> = Err(Stop::Request("no".to_owned()).into());
        assert_eq!(code(&refused.context("outer").unwrap_err()), 2);
        assert_eq!(code(&anyhow::anyhow!("text")), 1);
        assert_eq!(code(&Stop::Interrupted("kept".to_owned()).into()), 130);
        assert_eq!(code(&DeviceError::NoGpu.into()), 2);
        assert_eq!(code(&TrainingError::TooFewRows(1).into()), 3);
        assert_eq!(code(&TrainingError::RunExists("runs/a".into()).into()), 2);
        assert_eq!(code(&DatasetError::Interrupted.into()), 130);
        assert_eq!(code(&SimulatorError::Interrupted.into()), 130);
        assert_eq!(code(&PrepareError::Interrupted.into()), 130);
        assert_eq!(code(&PrepareError::Exists { output: "a".into() }.into()), 2);
        assert_eq!(code(&SamplesError::Output(io::Error::other("gone")).into()), 1);
        let missing =
            || DataError::from(TableError::Open { file: "a.csv".into(), source: io::ErrorKind::NotFound.into() });
        assert_eq!(code(&DatasetError::Data(missing()).into()), 3);
        assert_eq!(code(&BundleError::Data(missing()).into()), 3);
        let full = io::Error::from(io::ErrorKind::StorageFull);
        assert_eq!(code(&BundleError::Io { action: "write", path: "b".into(), cause: full }.into()), 1);
        assert_eq!(code(&BundleError::Damaged { file: "b".into(), problem: "p".to_owned() }.into()), 3);
    }

    #[test]
    fn a_cause_is_said_once() {
        let error = DataError::from(TableError::Open { file: "a.csv".into(), source: io::Error::other("gone") });
        let error = anyhow::Error::from(DatasetError::Data(error)).context("reading");
        assert_eq!(line(&error), "reading: a.csv: cannot be opened: gone");
    }

    #[test]
    fn a_drawn_excerpt_is_left_out() {
        let text = "e.toml: TOML parse error at line 9, column 5\n  |\n9 | a = 1\n  | ^\nduplicate key";
        assert_eq!(one_line(text), "e.toml: TOML parse error at line 9, column 5: duplicate key");
    }
}

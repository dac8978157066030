//! A trained model and the rows it scores.

use std::fs;
use std::path::Path;

use anyhow::Context;
use fain_autograd::DeviceChoice;
use fain_features::Parts;
use fain_serving::{Bundle, BundleError, ScoredRun};
use fain_training::RunFolder;

use crate::console::{Console, Unit};
use crate::exit::Stop;
use crate::interrupt::Interrupt;
use crate::resume;
use crate::text::count;

/// What a folder with a trained model is.
#[derive(Debug)]
pub(crate) enum Place {
    /// The folder of a run.
    Run(RunFolder),
    /// A bundle that lies by itself.
    Bundle,
}

impl Place {
    /// Looks at a folder; `None` when it is neither a run nor a bundle.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        if path.join("bundle.json").is_file() {
            return Some(Self::Bundle);
        }
        RunFolder::open(path).ok().map(Self::Run)
    }
}

/// Opens the model of a run or of a bundle, and computes from now on as its training did.
pub(crate) fn open(path: &Path, device: DeviceChoice) -> anyhow::Result<(Bundle, Place)> {
    let refuse = |problem: &str| Stop::Request(format!("{}: {problem}", path.display()));
    let missing = if path.exists() { "is neither a run nor a bundle" } else { "does not exist" };
    let place = Place::of(path).ok_or_else(|| refuse(missing))?;
    let folder = match &place {
        Place::Run(run) if !run.bundle().is_dir() => {
            return Err(refuse(&format!("the run has no bundle yet; go on with: {}", resume::command(run))).into());
        }
        Place::Run(run) => run.bundle(),
        Place::Bundle => path.to_owned(),
    };
    let bundle = Bundle::open(&folder, device.open()?)?;
    tch::set_num_threads(i32::try_from(bundle.settings().threads).unwrap_or(i32::MAX));
    Ok((bundle, place))
}

/// Scores the rows of a file and hands them on run by run; gives the number of rows.
pub(crate) fn score(
    bundle: &Bundle,
    file: &Path,
    parts: Parts,
    console: &mut Console,
    interrupt: &Interrupt,
    each: &mut dyn FnMut(&ScoredRun<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<u64> {
    if let Ok(data) = fs::metadata(file) {
        console.begin(&format!("scoring {}", file.display()), Unit::Bytes, 0, data.len());
    }
    let mut rows = 0;
    let scored = bundle.score_file(file, parts, &mut |run| {
        each(run)?;
        rows += run.samples.rows as u64;
        console.at(run.bytes_read);
        Ok::<_, anyhow::Error>(interrupt.flow())
    });
    console.clear();
    let scored = scored.map_err(|error| match error.downcast_ref::<BundleError>() {
        // The model counts rows from the start of its batch, and knows no file.
        Some(BundleError::Model(_)) => {
            error.context(format!("{}, in the batch after row {}", file.display(), count(rows)))
        }
        _ => error,
    })?;
    if scored.is_break() {
        return Err(Stop::Interrupted("the rows were not all scored; no result was written".to_owned()))
            .context(file.display().to_string());
    }
    Ok(rows)
}

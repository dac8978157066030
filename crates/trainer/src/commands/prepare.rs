//! `fain prepare`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use fain_prepare::PrepareConfig;
use fain_samples::{CsvExport, Part, SamplesFolder, write_csv};
use fain_training::read_settings;

use crate::arguments::PrepareArguments;
use crate::commands::inspect::SamplesView;
use crate::console::Console;
use crate::exit::Stop;
use crate::interrupt::Interrupt;
use crate::{output, watch};

pub(crate) fn run(arguments: &PrepareArguments, interrupt: &Interrupt) -> anyhow::Result<()> {
    let config: PrepareConfig = read_settings(&arguments.config, &arguments.settings)?;
    let named = || arguments.config.display().to_string();
    config.check().with_context(named)?;
    let folder = match &arguments.output {
        Some(folder) => folder.clone(),
        None => default_output(&arguments.config)?,
    };
    for made in [Some(&folder), arguments.csv.as_ref()].into_iter().flatten() {
        if made.symlink_metadata().is_ok() {
            return Err(Stop::Request(format!("{} exists; choose another folder", made.display())).into());
        }
    }
    let mut console = Console::new();
    let samples = watch::prepare_samples(&config, &folder, &mut console, interrupt)?;
    if let Some(place) = &arguments.csv {
        export(&samples, place, &mut console)?;
    }
    let view = SamplesView::new(&samples);
    if arguments.json { output::print_json(&view) } else { output::print(&view.summary_text()) }
}

/// `samples/` and the name of the configuration's folder; of a file that is not called `prepare.toml`, its name too.
fn default_output(config: &Path) -> anyhow::Result<PathBuf> {
    let refuse = || Stop::Request(format!("{}: nothing to call the samples by; give --output", config.display()));
    let stem = config.file_stem().and_then(|stem| stem.to_str()).ok_or_else(refuse)?;
    let absolute = std::path::absolute(config).with_context(|| config.display().to_string())?;
    let parent = absolute.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    let name = match (stem, parent) {
        ("prepare", Some(parent)) => parent.to_owned(),
        (stem, Some(parent)) => format!("{parent}_{stem}"),
        (stem, None) => stem.to_owned(),
    };
    Ok(Path::new("samples").join(name))
}

/// Writes each part as a CSV file in a new folder. A folder that is not whole is taken away.
fn export(samples: &SamplesFolder, place: &Path, console: &mut Console) -> anyhow::Result<()> {
    let failed = |path: &Path| format!("cannot write {}", path.display());
    std::fs::create_dir_all(place).with_context(|| failed(place))?;
    let write = |part: Part| -> anyhow::Result<(PathBuf, u64)> {
        let path = place.join(format!("{part}.csv"));
        let mut out = BufWriter::new(File::create_new(&path).with_context(|| failed(&path))?);
        let rows = write_csv(samples, part, &mut out, &CsvExport::default())?;
        out.flush().with_context(|| failed(&path))?;
        Ok((path, rows))
    };
    for part in Part::ALL {
        match write(part) {
            Ok((path, rows)) => console.say(&format!("{}: {} rows", path.display(), crate::text::count(rows))),
            Err(error) => {
                // What was written is of no use without the rest; the error says why.
                let _ = std::fs::remove_dir_all(place);
                return Err(error);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn samples_are_called_by_their_configuration() {
        let name = |path: &str| default_output(Path::new(path)).unwrap();
        assert_eq!(name("datasets/movielens_1m/prepare.toml"), Path::new("samples/movielens_1m"));
        assert_eq!(name("datasets/movielens_1m/ordered.toml"), Path::new("samples/movielens_1m_ordered"));
    }
}

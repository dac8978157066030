//! The drawing of a model in a file.

use std::io::{ErrorKind, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::console::Console;
use crate::exit::Stop;
use crate::new_file::NewFile;

/// The program of Graphviz.
const DOT: &str = "dot";

/// A drawing that is to be written.
#[derive(Debug)]
pub(super) struct Drawing {
    file: NewFile,
    name: PathBuf,
    format: Format,
    /// Why the file is another one than the user named.
    notice: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Svg,
    Dot,
}

impl Drawing {
    /// Begins a file whose name ends in `.svg` or `.dot`. Without Graphviz, an SVG is left to others: the file is then
    /// the text that they need.
    pub(super) fn create(name: &Path, force: bool) -> anyhow::Result<Self> {
        let (mut name, mut format, mut notice) = (name.to_owned(), format_of(name)?, None);
        if format == Format::Svg && !has_dot()? {
            let text = name.with_extension("dot");
            notice = Some(format!(
                "there is no program {DOT} on this machine, which is part of Graphviz and draws {}; it can be drawn \
                 from {}, which was written instead",
                name.display(),
                text.display()
            ));
            (name, format) = (text, Format::Dot);
        }
        Ok(Self { file: NewFile::create(&name, force)?, name, format, notice })
    }

    /// Writes the drawing of a graph in the language of Graphviz.
    pub(super) fn write(mut self, dot: &str) -> anyhow::Result<()> {
        match self.format {
            Format::Svg => self.file.write(&render(dot)?)?,
            Format::Dot => self.file.write(dot)?,
        }
        self.file.publish()?;
        let said = self.notice.unwrap_or_else(|| format!("the drawing is {}", self.name.display()));
        Console::new().say(&said);
        Ok(())
    }
}

fn format_of(name: &Path) -> Result<Format, Stop> {
    match name.extension().and_then(|extension| extension.to_str()) {
        Some("svg") => Ok(Format::Svg),
        Some("dot") => Ok(Format::Dot),
        _ => Err(Stop::Request(format!("--graph {}; allowed: a name that ends in .svg or .dot", name.display()))),
    }
}

fn has_dot() -> anyhow::Result<bool> {
    let quiet = || Stdio::null();
    match Command::new(DOT).arg("-V").stdin(quiet()).stdout(quiet()).stderr(quiet()).status() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| format!("cannot run {DOT}")),
    }
}

/// The SVG that Graphviz draws.
fn render(dot: &str) -> anyhow::Result<String> {
    // From a file, the program reads as it likes; a pipe would have to be filled while its output is read.
    let mut input = tempfile::tempfile().context("cannot create a temporary file")?;
    input.write_all(dot.as_bytes()).and_then(|()| input.rewind()).context("cannot write a temporary file")?;
    let output = Command::new(DOT).arg("-Tsvg").stdin(input).output().with_context(|| format!("cannot run {DOT}"))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        bail!("{DOT} could not draw ({}): {}", output.status, message.lines().next().unwrap_or_default().trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("the output of {DOT}"))
}

//! The other programs: their Python, and processes that do one piece of work at a time.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use fain_autograd::DeviceChoice;
use serde_json::{Value, json};

use crate::{console, workspace};

/// Makes sure that everything the scripts import is there, and says the versions.
const CHECK: &str = "import sklearn, pandas, torch, torch_rechub; print('torch', torch.__version__)";

/// A Python that has all that the scripts need.
#[derive(Debug)]
pub(crate) struct Python {
    program: PathBuf,
    places: Places,
}

/// Where and how the scripts compute.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places {
    pub(crate) threads: u16,
    pub(crate) device: DeviceChoice,
    /// Whether to measure the programs through torch.compile, too.
    pub(crate) compiled: bool,
}

impl Python {
    /// An installed Python.
    ///
    /// # Errors
    /// Something that the scripts import is missing.
    pub(crate) fn installed(program: &Path, places: Places) -> Result<Self> {
        let requirements = workspace::scripts().join("requirements.txt");
        let needed = || format!("{} cannot run the peers; they need {}", program.display(), requirements.display());
        run(Command::new(program).args(["-c", CHECK])).with_context(needed)?;
        Ok(Self { program: program.to_owned(), places })
    }

    /// The virtual environment of the repository; it is made if it is not there or not whole.
    ///
    /// # Errors
    /// There is no `python3`, or pip fails.
    pub(crate) fn of_repository(places: Places) -> Result<Self> {
        let folder = workspace::environment();
        let program = folder.join("bin/python");
        if let Ok(python) = Self::installed(&program, places) {
            return Ok(python);
        }
        console::say(format_args!("making the environment of the peers in {} (once)", folder.display()));
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        let requirements = workspace::scripts().join("requirements.txt");
        let arguments = ["-m", "pip", "install", "--quiet", "--no-cache-dir", "-r"];
        run(Command::new(&program).args(arguments).arg(requirements))?;
        Self::installed(&program, places)
    }

    /// How the programs are run: as they are written, and where it is asked for through torch.compile; the words are for
    /// their names in the table.
    pub(crate) fn ways(&self) -> Vec<(bool, &'static str)> {
        let compiled = self.places.compiled.then_some((true, ", torch.compile"));
        std::iter::once((false, "")).chain(compiled).collect()
    }

    /// Starts a script, which reads its settings and then waits for requests.
    ///
    /// # Errors
    /// It cannot be started, or it ends before it is ready.
    pub(crate) fn start(&self, script: &str, mut settings: Value) -> Result<Peer> {
        settings["threads"] = json!(self.places.threads);
        settings["device"] = json!(self.places.device.to_string());
        let file = workspace::scripts().join(script);
        let mut command = Command::new(&self.program);
        command.arg(&file).arg(settings.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        // Nothing is left behind beside the scripts.
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        let mut child = command.spawn().with_context(|| format!("{} cannot be started", file.display()))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("{} has no streams", file.display());
        };
        let mut peer = Peer { script: script.to_owned(), child, input: Some(input), output: BufReader::new(output) };
        let ready = peer.answer()?;
        ensure!(ready["ready"] == true, "{script} answered {ready} in the place of being ready");
        Ok(peer)
    }
}

/// Runs a command to its end; what it prints goes to our stderr.
fn run(command: &mut Command) -> Result<()> {
    let line = command_line(command);
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("`{line}` cannot be started"))?;
    ensure!(output.status.success(), "`{line}` failed ({})", output.status);
    Ok(())
}

fn command_line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// A running script. Requests and answers are JSON, one a line. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Peer {
    script: String,
    child: Child,
    /// `None` only while it is dropped.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Peer {
    /// Asks for one piece of work and waits for it.
    ///
    /// # Errors
    /// The script ended; what it said is on our stderr.
    pub(crate) fn ask(&mut self, request: &Value) -> Result<Value> {
        let script = &self.script;
        let input = self.input.as_mut().with_context(|| format!("{script} has ended"))?;
        writeln!(input, "{request}").and_then(|()| input.flush()).with_context(|| format!("{script} has ended"))?;
        self.answer()
    }

    /// As [`Peer::ask`], for one number of the answer.
    ///
    /// # Errors
    /// As [`Peer::ask`], or the answer has no such number.
    pub(crate) fn number(&mut self, request: &Value, name: &str) -> Result<f64> {
        let answer = self.ask(request)?;
        answer[name].as_f64().with_context(|| format!("{} answered {answer} without `{name}`", self.script))
    }

    fn answer(&mut self) -> Result<Value> {
        let mut line = String::new();
        let read = self.output.read_line(&mut line).with_context(|| format!("{} cannot be read", self.script))?;
        ensure!(read > 0, "{} ended without an answer", self.script);
        serde_json::from_str(&line).with_context(|| format!("{} answered `{}`", self.script, line.trim_end()))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // The end of its input is the end of its work.
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use std::fs;

    use super::*;

    const PLACES: Places = Places { threads: 2, device: DeviceChoice::Cpu, compiled: false };

    /// Starts a shell script in the place of a Python script.
    fn start(script: &str, settings: Value) -> (PathBuf, Result<Peer>) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("script");
        fs::write(&file, script).unwrap();
        let shell = Python { program: "/bin/sh".into(), places: PLACES };
        let peer = shell.start(file.to_str().unwrap(), settings);
        (file, peer)
    }

    #[test]
    fn a_script_gets_its_settings_and_answers_each_request() {
        let script = r#"echo '{"ready": true}'; while read line; do echo "{\"rate\": 2.5, \"settings\": $1}"; done"#;
        let mut peer = start(script, json!({ "batch": 8 })).1.unwrap();
        for _ in 0..2 {
            assert_eq!(peer.number(&json!({}), "rate").unwrap().to_bits(), 2.5f64.to_bits());
        }
        assert_eq!(peer.ask(&json!({})).unwrap()["settings"], json!({ "batch": 8, "threads": 2, "device": "cpu" }));
        let error = peer.number(&json!({}), "auc").unwrap_err().to_string();
        assert!(error.ends_with("without `auc`"), "{error}");
    }

    #[test]
    fn a_script_that_fails_is_named() {
        for (script, problem) in [
            ("exit 1", "ended without an answer"),
            ("echo hello", "answered `hello`"),
            ("echo '{}'", "answered {} in the place of being ready"),
        ] {
            let (file, peer) = start(script, json!({}));
            assert_eq!(peer.unwrap_err().to_string(), format!("{} {problem}", file.display()));
        }
        let error = Python::installed(Path::new("false"), PLACES).unwrap_err().to_string();
        assert!(error.contains("requirements.txt"), "what it needs is named: {error}");
    }
}

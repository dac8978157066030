//! A repository of fake files, and fake programs for the tasks to find.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What a fake PyTorch consists of, seen from its torch folder.
const PYTORCH: [&str; 3] = ["lib/libtorch_cpu.so", "lib/libc10.so", "include/torch/csrc/api/include/torch/torch.h"];

pub(crate) struct Repository {
    folder: tempfile::TempDir,
}

/// How a call ended.
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    /// Fails the test unless the call succeeded.
    pub(crate) fn success(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self
    }

    /// Fails the test unless the call was refused with a text that has all the parts and no backtrace.
    pub(crate) fn refused(self, parts: &[&str]) -> Self {
        assert_eq!(self.code, Some(1), "{}", self.stderr);
        for part in parts {
            assert!(self.stderr.contains(part), "no `{part}` in: {}", self.stderr);
        }
        let lowercase = self.stderr.to_lowercase();
        assert!(!lowercase.contains("backtrace"), "{}", self.stderr);
        assert!(!lowercase.contains("panicked"), "{}", self.stderr);
        self
    }
}

impl Repository {
    /// A repository with a C++ compiler and nothing else on the PATH.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let repository = Self { folder };
        repository.write("repository/crates/xtask/Cargo.toml", "");
        fs::create_dir_all(repository.path("repository/target/release")).unwrap();
        fs::create_dir_all(repository.path("bin")).unwrap();
        // `cp` and `sh` write what is executed later: a file that this process (or a fork of it in another test's
        // thread) still has open for writing could not be.
        let copied = Command::new("cp")
            .arg(env!("CARGO_BIN_EXE_xtask"))
            .arg(repository.path("repository/target/release/xtask"))
            .status()
            .unwrap();
        assert!(copied.success());
        repository.program("c++", "");
        repository
    }

    /// A path next to or in the repository (`repository/…`).
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let file = self.path(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        fs::symlink_metadata(self.path(name)).is_ok()
    }

    /// Puts a shell script on the PATH. In it `$here` is the folder of the repository and the programs.
    pub(crate) fn program(&self, name: &str, text: &str) {
        let here = self.path("");
        let script = format!("#!/bin/sh\nPATH=/usr/bin:/bin\nhere={}\n{text}\n", here.display());
        let mut shell = Command::new("sh")
            .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
            .arg(self.path("bin").join(name))
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        shell.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        assert!(shell.wait().unwrap().success());
    }

    pub(crate) fn remove_program(&self, name: &str) {
        fs::remove_file(self.path("bin").join(name)).unwrap();
    }

    /// A fake PyTorch whose torch folder is at this path, with a file that says the version.
    pub(crate) fn pytorch(&self, torch: &str, version_file: &str, text: &str) {
        for part in PYTORCH {
            self.write(&format!("{torch}/{part}"), "");
        }
        self.write(&format!("{torch}/{version_file}"), text);
    }

    fn command(&self, line: &str, variables: &[(&str, &str)]) -> Command {
        let mut command = Command::new(self.path("repository/target/release/xtask"));
        command
            .args(line.split_whitespace())
            .current_dir(self.path("repository/crates"))
            .env_clear()
            .env("PATH", self.path("bin"))
            .env("RUST_BACKTRACE", "1")
            .envs(variables.iter().copied())
            .stdin(Stdio::null());
        command
    }

    /// Runs a task to its end.
    pub(crate) fn run(&self, line: &str, variables: &[(&str, &str)]) -> Outcome {
        let output = self.command(line, variables).output().unwrap();
        Outcome {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Starts a task and returns while it runs.
    pub(crate) fn start(&self, line: &str) -> Child {
        self.command(line, &[]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Links `.libtorch` to a fake PyTorch, for tests of what comes after the set-up.
    pub(crate) fn set_up(&self) {
        self.pytorch("installed/torch", "version.py", "__version__ = '2.11.0+cpu'\n");
        let path = self.path("installed");
        self.run("setup", &[("FAIN_LIBTORCH", path.to_str().unwrap())]).success();
    }

    /// Where a link in `.libtorch` leads.
    pub(crate) fn link(&self, name: &str) -> Option<PathBuf> {
        fs::read_link(self.path("repository/.libtorch").join(name)).ok()
    }

    /// Whether a set-up left nothing to clean up.
    pub(crate) fn is_tidy(&self) -> bool {
        !self.exists("repository/.libtorch.partial")
    }
}

/// Waits for a file that another process makes.
pub(crate) fn wait_for(file: &Path) {
    for _ in 0..600 {
        if file.exists() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("{} did not appear", file.display());
}

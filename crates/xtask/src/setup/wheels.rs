//! The public wheels that libtorch comes from: pinned by hash, fetched with pip, unpacked in part.
//!
//! The wheel of PyTorch is built for CUDA. Its CPU library runs alone, next to two small CUDA libraries that it names
//! as needed; the CUDA half (1 GB of it in this wheel, 2 GB in others) is neither unpacked nor fetched.

use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::tree::{self, Work};
use crate::console;
use crate::workspace::Workspace;

/// The version of libtorch that the wheels hold.
pub(super) const VERSION: &str = "2.11.0";

/// One pinned wheel.
pub(super) struct Wheel {
    project: &'static str,
    version: &'static str,
    platform: &'static str,
    file: &'static str,
    sha256: &'static str,
    megabytes: f64,
    /// The files and folders to unpack, as prefixes of the names in the wheel.
    parts: &'static [&'static str],
}

/// All wheels of a set-up.
pub(super) const WHEELS: [Wheel; 3] = [
    Wheel {
        project: "torch",
        version: VERSION,
        platform: "manylinux_2_28_x86_64",
        file: "torch-2.11.0-cp311-cp311-manylinux_2_28_x86_64.whl",
        sha256: "7aa2f9bbc6d4595ba72138026b2074be1233186150e9292865e04b7a63b8c67a",
        megabytes: 530.6,
        parts: &[
            "torch/include/",
            "torch/lib/libc10.so",
            "torch/lib/libgomp.so.1",
            "torch/lib/libtorch_cpu.so",
            "torch-2.11.0.dist-info/licenses/",
        ],
    },
    Wheel {
        project: "nvidia-cuda-runtime",
        version: "13.0.96",
        platform: "manylinux_2_17_x86_64",
        file: "nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
        sha256: "7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548",
        megabytes: 2.2,
        parts: &["nvidia/cu13/lib/libcudart.so.13", "nvidia_cuda_runtime-13.0.96.dist-info/licenses/"],
    },
    Wheel {
        project: "nvidia-cuda-cupti",
        version: "13.0.85",
        platform: "manylinux_2_25_x86_64",
        file: "nvidia_cuda_cupti-13.0.85-py3-none-manylinux_2_25_x86_64.whl",
        sha256: "4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8",
        megabytes: 10.7,
        parts: &["nvidia/cu13/lib/libcupti.so.13", "nvidia_cuda_cupti-13.0.85.dist-info/licenses/"],
    },
];

/// Hashes and unpacks a wheel; Python is needed for pip anyway and has both.
const SCRIPT: &str = include_str!("wheel.py");

impl Wheel {
    /// The wheel as pip names it: `torch==2.11.0`.
    pub(super) fn requirement(&self) -> String {
        format!("{}=={}", self.project, self.version)
    }
}

/// Where complete wheels wait to be unpacked.
pub(super) fn folder(workspace: &Workspace) -> PathBuf {
    workspace.partial().join("wheels")
}

/// The bytes of the wheels kept from an interrupted call.
pub(super) fn kept(workspace: &Workspace) -> u64 {
    let sizes = WHEELS.iter().map(|wheel| folder(workspace).join(wheel.file).metadata());
    sizes.flatten().map(|file| file.len()).sum()
}

/// Fetches the wheels that are not there yet.
///
/// # Errors
/// pip fails; its last lines are part of the text. Wheels that are complete stay.
pub(super) fn fetch(work: &Work<'_>) -> Result<()> {
    for wheel in &WHEELS {
        let file = folder(work.workspace()).join(wheel.file);
        if file.exists() {
            if hash(&file)? == wheel.sha256 {
                console::say(format_args!("{} is there from an earlier call", wheel.file));
                continue;
            }
            fs::remove_file(&file).with_context(|| format!("{} is damaged and cannot be removed", file.display()))?;
        }
        let name = format!("fetching {} ({} MB)", wheel.requirement(), wheel.megabytes);
        console::step(name, || download(wheel, work, &file))?;
    }
    Ok(())
}

/// Unpacks the needed parts of the wheels, and adds what `torch-sys` expects of a libtorch.
///
/// # Errors
/// A wheel cannot be unpacked, or a file not be written.
pub(super) fn unpack(work: &Work<'_>) -> Result<()> {
    let tree = work.tree();
    console::step("unpacking", || {
        for wheel in &WHEELS {
            let file = folder(work.workspace()).join(wheel.file);
            script(|command| command.arg("unpack").arg(&file).arg(&tree).args(wheel.parts))?;
        }
        // `torch-sys` always links libtorch.so. That of the wheel needs the CUDA half, so a linker script replaces it.
        write(&tree.join("torch/lib/libtorch.so"), "INPUT ( libtorch_cpu.so libc10.so )\n")?;
        write(&tree.join("torch/build-version"), &format!("{VERSION}\n"))
    })
}

/// Fetches one wheel with pip, which checks its hash, and moves it in place when it is complete.
fn download(wheel: &Wheel, work: &Work<'_>, file: &Path) -> Result<()> {
    let scratch = work.scratch();
    let requirements = scratch.join("requirements.txt");
    write(&requirements, &format!("{} --hash=sha256:{}\n", wheel.requirement(), wheel.sha256))?;
    // The platform and the Python version are those of the wheel: that of the machine does not matter.
    let output = Command::new("python3")
        .args(["-m", "pip", "download", "--disable-pip-version-check", "--no-cache-dir", "--no-input"])
        .args(["--no-deps", "--only-binary=:all:", "--implementation", "cp", "--python-version", "3.11"])
        .args(["--platform", wheel.platform, "--require-hashes", "--requirement"])
        .arg(&requirements)
        .arg("--dest")
        .arg(&scratch)
        // pip's temporary files are as large as the wheel: they belong on this disk and go with the folder.
        .env("TMPDIR", &scratch)
        .stdin(Stdio::null())
        .stdout(progress())
        .stderr(Stdio::piped())
        .spawn()
        .and_then(std::process::Child::wait_with_output)
        .context("python3 cannot be started")?;
    if !output.status.success() {
        bail!(
            "pip could not fetch {}. It says:\n{}\nIf this machine has no way to a package index, install PyTorch 2.11 \
             by other means and set FAIN_LIBTORCH to its folder. Else type the command again: complete downloads are \
             kept",
            wheel.requirement(),
            last_lines(&String::from_utf8_lossy(&output.stderr))
        );
    }
    tree::rename(&scratch.join(wheel.file), file)
}

/// Where pip's output goes: its progress bar is for people only.
fn progress() -> Stdio {
    if io::stderr().is_terminal() { Stdio::from(io::stderr()) } else { Stdio::null() }
}

/// The SHA-256 of a file in hexadecimal digits.
fn hash(file: &Path) -> Result<String> {
    script(|command| command.arg("hash").arg(file))
}

/// Runs the Python script with the arguments that `add` adds, and returns what it prints.
fn script(add: impl FnOnce(&mut Command) -> &mut Command) -> Result<String> {
    let mut command = Command::new("python3");
    let output =
        add(command.args(["-I", "-c", SCRIPT])).stdin(Stdio::null()).output().context("python3 cannot be started")?;
    if !output.status.success() {
        bail!("python3 failed. It says:\n{}", last_lines(&String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The last lines of what a program wrote: the reason is there.
fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines.len().saturating_sub(6);
    lines.iter().skip(last).map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

fn write(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn each_wheel_is_pinned_to_the_file_that_its_name_and_platform_mean() {
        for wheel in &WHEELS {
            let start = format!("{}-{}-", wheel.project.replace('-', "_"), wheel.version);
            assert!(wheel.file.starts_with(&start), "{}", wheel.file);
            assert!(wheel.file.ends_with(&format!("{}.whl", wheel.platform)), "{}", wheel.file);
            assert_eq!(wheel.sha256.len(), 64);
            assert!(wheel.sha256.bytes().all(|digit| digit.is_ascii_hexdigit()), "{}", wheel.sha256);
        }
    }

    #[test]
    fn the_last_lines_are_kept_in_order() {
        assert_eq!(last_lines("a\n\nb\n"), "  a\n  b");
        assert_eq!(last_lines("1\n2\n3\n4\n5\n6\n7\n8\n"), "  3\n  4\n  5\n  6\n  7\n  8");
        assert_eq!(last_lines(""), "");
    }

    #[test]
    fn python_hashes_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("abc");
        fs::write(&file, "abc").unwrap();
        // The example of FIPS 180-2, B.1.
        assert_eq!(hash(&file).unwrap(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    /// A wheel is a zip archive; Python writes one with these files.
    fn archive(folder: &Path, names: &[&str]) -> PathBuf {
        let file = folder.join("x.whl");
        let program = "import sys, zipfile\n\
                       with zipfile.ZipFile(sys.argv[1], 'w') as wheel:\n    \
                       [wheel.writestr(name, 'in ' + name) for name in sys.argv[2:]]\n";
        let status = Command::new("python3").args(["-c", program]).arg(&file).args(names).status().unwrap();
        assert!(status.success());
        file
    }

    #[test]
    fn python_unpacks_the_named_parts_only() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["torch/lib/libc10.so", "torch/lib/libc10_cuda.so", "torch/include/a/b.h", "torch/version.py"];
        let (file, tree) = (archive(folder.path(), &names), folder.path().join("tree"));
        script(|command| command.arg("unpack").arg(&file).arg(&tree).args(["torch/include/", "torch/lib/libc10.so"]))
            .unwrap();
        let content = |name: &str| fs::read_to_string(tree.join(name)).ok();
        assert_eq!(content("torch/lib/libc10.so").as_deref(), Some("in torch/lib/libc10.so"));
        assert_eq!(content("torch/include/a/b.h").as_deref(), Some("in torch/include/a/b.h"));
        assert_eq!(content("torch/lib/libc10_cuda.so"), None);
        assert_eq!(content("torch/version.py"), None);
    }

    #[test]
    fn a_part_that_a_wheel_lacks_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (file, tree) = (archive(folder.path(), &["torch/version.py"]), folder.path().join("tree"));
        let error = script(|command| command.arg("unpack").arg(&file).arg(&tree).arg("torch/lib/libc10.so"));
        let error = error.err().unwrap().to_string();
        assert!(error.contains("x.whl holds no torch/lib/libc10.so"), "{error}");
    }

    #[test]
    fn pip_reports_what_a_broken_script_says() {
        let error = script(|command| command.arg("hash").arg("/nonexistent")).err().unwrap().to_string();
        assert!(error.contains("No such file or directory"), "{error}");
    }
}

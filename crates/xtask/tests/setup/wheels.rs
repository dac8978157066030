//! The way from the wheels to `.libtorch`, with a python3 that fetches and unpacks small fake files.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};

use crate::repository::{Repository, wait_for};

/// Fetches a file that begins with `whole`; only such a file has the pinned hash. Every fetched or unpacked wheel is a
/// line in the log. While the file `hold` names a wheel, its download waits for the file `go`, which says `on` when it
/// shall succeed; it also ends with the test's folder, so that none outlives its test.
const PYTHON: &str = r#"
torch=torch-2.11.0-cp311-cp311-manylinux_2_28_x86_64.whl
runtime=nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl
cupti=nvidia_cuda_cupti-13.0.85-py3-none-manylinux_2_25_x86_64.whl
case "$1 $2 $3" in
"--version  "|"-m pip --version")
    ;;
"-m pip download")
    while [ $# -gt 0 ]; do
        case "$1" in --requirement) requirement=$2;; --dest) folder=$2;; esac
        shift
    done
    case $(cat "$requirement") in
    "torch==2.11.0 --hash=sha256:7aa2"*) file=$torch;;
    "nvidia-cuda-runtime==13.0.96 --hash=sha256:7f82"*) file=$runtime;;
    "nvidia-cuda-cupti==13.0.85 --hash=sha256:4eb0"*) file=$cupti;;
    *) echo "unexpected requirement" >&2; exit 1;;
    esac
    echo "fetch $file" >> "$here/log"
    if [ "$(cat "$here/hold" 2>/dev/null)" = "$file" ]; then
        echo "half of $file" > "$folder/$file"
        touch "$here/held"
        while [ ! -e "$here/go" ] && [ -d "$here/bin" ]; do sleep 0.1; done
        [ "$(cat "$here/go")" = on ] || exit 1
    fi
    echo "whole $file" > "$folder/$file"
    ;;
"-I -c "*)
    if [ "$4" = hash ]; then
        if ! grep -q ^whole "$5"; then echo 00; exit; fi
        case "$5" in
        */$torch) echo 7aa2f9bbc6d4595ba72138026b2074be1233186150e9292865e04b7a63b8c67a;;
        */$runtime) echo 7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548;;
        */$cupti) echo 4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8;;
        esac
    else
        grep -q ^whole "$5" || exit 1
        tree=$6
        echo "unpack $(basename "$5")" >> "$here/log"
        shift 6
        for part; do
            case "$part" in */) part=${part}file;; esac
            mkdir -p "$(dirname "$tree/$part")"
            echo "$part" > "$tree/$part"
        done
    fi
    ;;
*)
    echo "unexpected call: $*" >&2
    exit 1
    ;;
esac
"#;

const TORCH: &str = "torch-2.11.0-cp311-cp311-manylinux_2_28_x86_64.whl";
const RUNTIME: &str = "nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl";
const CUPTI: &str = "nvidia_cuda_cupti-13.0.85-py3-none-manylinux_2_25_x86_64.whl";
const STAMP: &str =
    "layout 1\nlibtorch 2.11.0 from torch==2.11.0, nvidia-cuda-runtime==13.0.96, nvidia-cuda-cupti==13.0.85\n";

fn repository() -> Repository {
    let repository = Repository::new();
    repository.program("python3", PYTHON);
    repository
}

/// The log of a set-up that fetches these wheels.
fn log(fetched: &[&str]) -> String {
    let fetched = fetched.iter().map(|file| format!("fetch {file}\n"));
    let unpacked = [TORCH, RUNTIME, CUPTI].map(|file| format!("unpack {file}\n"));
    fetched.chain(unpacked).collect()
}

fn assert_whole(repository: &Repository) {
    assert_eq!(repository.read("repository/.libtorch/stamp"), STAMP);
    for name in [
        "torch/include/file",
        "torch/lib/libc10.so",
        "torch/lib/libgomp.so.1",
        "torch/lib/libtorch_cpu.so",
        "torch-2.11.0.dist-info/licenses/file",
        "nvidia/cu13/lib/libcudart.so.13",
        "nvidia/cu13/lib/libcupti.so.13",
        "nvidia_cuda_runtime-13.0.96.dist-info/licenses/file",
        "nvidia_cuda_cupti-13.0.85.dist-info/licenses/file",
    ] {
        assert!(repository.exists(&format!("repository/.libtorch/{name}")), "{name} is missing");
    }
    assert_eq!(repository.read("repository/.libtorch/torch/lib/libtorch.so"), "INPUT ( libtorch_cpu.so libc10.so )\n");
    assert_eq!(repository.read("repository/.libtorch/torch/build-version"), "2.11.0\n");
    assert!(repository.is_tidy());
}

#[test]
fn a_second_call_does_nothing() {
    let repository = repository();
    repository.run("setup", &[]).success();
    assert_whole(&repository);
    assert_eq!(repository.read("log"), log(&[TORCH, RUNTIME, CUPTI]));

    let outcome = repository.run("setup", &[]).success();
    assert_eq!(outcome.stderr, "xtask: libtorch 2.11.0 (CPU) is in .libtorch\n");
    assert_eq!(repository.read("log"), log(&[TORCH, RUNTIME, CUPTI]), "nothing was fetched again");
}

#[test]
fn an_older_or_broken_tree_is_made_anew() {
    let repository = repository();
    repository.write("repository/.libtorch/stamp", "layout 0\n");
    repository.write("repository/.libtorch/torch/lib/libtorch_old.so", "");
    repository.run("setup", &[]).success();
    assert_whole(&repository);
    assert!(!repository.exists("repository/.libtorch/torch/lib/libtorch_old.so"));

    fs::remove_file(repository.path("repository/.libtorch/torch/lib/libtorch_cpu.so")).unwrap();
    repository.run("setup", &[]).success();
    assert_whole(&repository);
}

#[test]
fn a_killed_call_is_taken_up_where_it_was() {
    let repository = repository();
    repository.write("hold", RUNTIME);
    let mut killed = repository.start("setup");
    wait_for(&repository.path("held"));
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(!repository.exists("repository/.libtorch"));
    assert_eq!(repository.read("log"), format!("fetch {TORCH}\nfetch {RUNTIME}\n"));

    fs::remove_file(repository.path("hold")).unwrap();
    repository.write("log", "");
    let outcome = repository.run("setup", &[]).success();
    assert!(outcome.stderr.contains(&format!("{TORCH} is there from an earlier call")), "{}", outcome.stderr);
    assert_eq!(repository.read("log"), log(&[RUNTIME, CUPTI]));
    assert_whole(&repository);
}

#[test]
fn a_damaged_wheel_is_fetched_again() {
    let repository = repository();
    repository.write(&format!("repository/.libtorch.partial/wheels/{TORCH}"), "half");
    repository.write(&format!("repository/.libtorch.partial/wheels/{CUPTI}"), "whole");
    repository.write("repository/.libtorch.partial/work-1/tree/torch/lib/libc10.so", "left over");
    repository.run("setup", &[]).success();
    assert_eq!(repository.read("log"), log(&[TORCH, RUNTIME]));
    assert_whole(&repository);
}

#[test]
fn a_failed_call_keeps_the_wheels_and_the_old_tree() {
    let repository = repository();
    repository.write("repository/.libtorch/stamp", "layout 0\n");
    repository.write("hold", CUPTI);
    repository.write("go", "off");
    repository.run("setup", &[]).refused(&["pip could not fetch nvidia-cuda-cupti==13.0.85"]);
    assert_eq!(repository.read("repository/.libtorch/stamp"), "layout 0\n");

    repository.write("go", "on");
    repository.write("log", "");
    repository.run("setup", &[]).success();
    assert_eq!(repository.read("log"), log(&[CUPTI]));
    assert_whole(&repository);
}

#[test]
fn a_second_call_waits_for_the_first() {
    let repository = repository();
    repository.write("hold", RUNTIME);
    let mut first = repository.start("setup");
    wait_for(&repository.path("held"));
    let mut second = repository.start("setup");
    let mut said = BufReader::new(second.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert_eq!(line, "xtask: another call is setting up libtorch here; waiting for it\n");

    repository.write("go", "on");
    assert!(first.wait().unwrap().success());
    assert!(second.wait().unwrap().success());
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "xtask: libtorch 2.11.0 (CPU) is in .libtorch\n");
    assert_eq!(repository.read("log"), log(&[TORCH, RUNTIME, CUPTI]), "each wheel was fetched once");
    assert_whole(&repository);
}

#[test]
fn the_way_from_a_link_to_the_wheels_and_back() {
    let repository = repository();
    repository.set_up();
    repository.run("setup --cpu", &[]).success();
    assert_whole(&repository);
    assert!(repository.exists("installed/torch/lib/libc10.so"), "what the link led to stays");

    repository.set_up();
    assert_eq!(repository.link("torch"), Some(repository.path("installed/torch")));
    assert!(repository.is_tidy());
}

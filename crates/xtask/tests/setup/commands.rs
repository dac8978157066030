//! Which cargo commands the tasks run, told by a cargo that writes down its calls.

use crate::repository::Repository;

const CARGO: &str = r#"
echo "$* | LIBTORCH=$LIBTORCH LD_LIBRARY_PATH=$LD_LIBRARY_PATH RUSTDOCFLAGS=$RUSTDOCFLAGS" >> "$here/log"
case "$*" in *FAIL*) exit 101;; esac
case "$1" in tree) cat "$here/tree" 2>/dev/null;; esac
exit 0
"#;

fn repository() -> Repository {
    let repository = Repository::new();
    repository.set_up();
    repository.program("cargo", CARGO);
    repository
}

fn calls(repository: &Repository) -> Vec<String> {
    let log = repository.read("log");
    log.lines().map(|line| line.split(" | ").next().unwrap().to_owned()).collect()
}

#[test]
fn the_demo_is_a_release_run_with_the_arguments_passed_on() {
    let repository = repository();
    repository.run("demo --epochs 1", &[]).success();
    assert_eq!(calls(&repository), ["run --release -p fain -- demo --epochs 1"]);
    assert_eq!(repository.run("demo FAIL", &[]).code, Some(101), "the exit code is passed on");
}

#[test]
fn tests_and_benchmarks_run_in_the_whole_workspace_unless_a_crate_is_named() {
    let repository = repository();
    let lines = ["test", "test -p fain-metrics -- auc", "bench kernels", "bench kernels -p fain-layers", "bench augru"];
    for line in lines {
        let outcome = repository.run(line, &[]).success();
        assert!(outcome.stderr.trim_end().ends_with(" s"), "the seconds are said: {}", outcome.stderr);
    }
    assert_eq!(
        calls(&repository),
        [
            "test --release --workspace",
            "test --release -p fain-metrics -- auc",
            "bench --workspace",
            "bench -p fain-layers",
            "run --release -p fain-benchmarks -- augru",
        ]
    );
    repository.run("test FAIL", &[]).refused(&["`cargo test --release --workspace FAIL` failed (exit status: 101)"]);
}

#[test]
fn a_folder_for_a_gpu_has_stripped_programs_and_is_small() {
    let repository = repository();
    repository.program("strip", "echo \"stripped $3\" > \"$2\"");
    for file in ["configs/a.toml", "configs/notes.md"] {
        repository.write(&format!("repository/{file}"), "");
    }
    for file in ["service.py", "encoding.py", "requirements.txt"] {
        repository.write(&format!("repository/crates/benchmarks/peers/{file}"), "");
    }
    repository.run("cuda-folder", &[]).success();
    assert_eq!(calls(&repository), ["build --release -p fain -p fain-benchmarks"]);
    let program = repository.path("repository/target/release/fain");
    assert_eq!(repository.read("repository/target/cuda/bin/fain"), format!("stripped {}\n", program.display()));
    for (file, there) in [
        ("bin/fain-benchmarks", true),
        ("configs/a.toml", true),
        ("configs/notes.md", false),
        ("peers/service.py", true),
        ("peers/requirements.txt", true),
        ("peers/encoding.py", false),
        ("run.sh", true),
        ("README.md", true),
    ] {
        assert_eq!(repository.exists(&format!("repository/target/cuda/{file}")), there, "{file}");
    }
    // Made anew, elsewhere; but not over the files of somebody else.
    repository.run("cuda-folder", &[]).success();
    let elsewhere = repository.path("elsewhere");
    repository.run(&format!("cuda-folder --output {}", elsewhere.display()), &[]).success();
    let configs = repository.path("repository/configs");
    repository
        .run(&format!("cuda-folder --output {}", configs.display()), &[])
        .refused(&["configs has other things in it; name another folder"]);
    repository.program("strip", "head -c 31000000 /dev/zero > \"$2\"");
    repository.run("cuda-folder", &[]).refused(&["at most 60000000 are allowed"]);
    repository.remove_program("strip");
    repository.run("cuda-folder", &[]).refused(&["`strip` cannot be started; it comes with the C++ compiler"]);
}

#[test]
fn the_checks_stand_in_their_order() {
    let repository = repository();
    repository.run("ci", &[("RUSTDOCFLAGS", "--cfg docsrs")]).success();
    let tree =
        |name: &str| format!("tree --locked --package {name} --edges normal,build,dev --prefix none --format {{p}}");
    let expected = [
        "fmt --version".to_owned(),
        "clippy --version".to_owned(),
        "test --release --workspace".to_owned(),
        "fmt --all --check".to_owned(),
        tree("fain-tables"),
        tree("fain-storage"),
        tree("fain-samples"),
        tree("fain-prepare"),
        tree("fain-features"),
        tree("fain-dataset"),
        tree("fain-simulator"),
        tree("fain-metrics"),
        tree("fain-kernels"),
        tree("fain-cuda"),
        "clippy --release --workspace --all-targets -- -D warnings".to_owned(),
        "doc --release --workspace --no-deps --config build.rustdocflags=[\"-Dwarnings\"]".to_owned(),
        "test -p fain-tables -p fain-storage -p fain-samples -p fain-prepare -p fain-features -p fain-dataset \
         -p fain-simulator -p fain-metrics -p fain-kernels -p fain-cuda"
            .to_owned(),
    ];
    assert_eq!(calls(&repository), expected);
    let log = repository.read("log");
    let line = |start: &str| log.lines().find(|line| line.starts_with(start)).unwrap();
    assert!(line("doc").ends_with("RUSTDOCFLAGS="), "it would replace the flag that makes warnings errors");
    assert!(line("test -p").contains("LIBTORCH=/nonexistent "), "{log}");

    repository.write("log", "");
    repository.run("ci --no-test", &[]).success();
    assert!(!calls(&repository).contains(&"test --release --workspace".to_owned()));
    assert_eq!(calls(&repository).len(), expected.len() - 1);
}

#[test]
fn a_torch_in_the_free_half_is_refused() {
    let repository = repository();
    repository.write("tree", "fain-tables v0.1.0\ntorch-sys v0.24.0\n");
    repository
        .run("ci --no-test", &[])
        .refused(&["fain-tables must build without libtorch, but torch-sys is among its dependencies"]);
}

#[test]
fn missing_components_are_named() {
    let repository = repository();
    repository.program("cargo", "test \"$1\" != clippy");
    repository.run("ci", &[]).refused(&["clippy is missing. The checks need it; type: rustup component add clippy"]);
}

#[test]
fn variables_that_override_the_configuration_are_warned_about() {
    let repository = repository();
    let library = repository.path("repository/.libtorch/torch/lib");
    let outcome =
        repository.run("test", &[("RUSTFLAGS", "-Ctarget-cpu=native"), ("LIBTORCH", "/opt/libtorch")]).success();
    assert!(outcome.stderr.contains("warning: RUSTFLAGS is set"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("warning: LIBTORCH is set"), "{}", outcome.stderr);
    assert_eq!(
        repository.read("log"),
        format!("test --release --workspace | LIBTORCH= LD_LIBRARY_PATH={} RUSTDOCFLAGS=\n", library.display())
    );
}

#[test]
fn builds_against_a_cuda_library_that_is_gone_are_forgotten() {
    let repository = repository();
    let output = "repository/target/release/build/torch-sys-0123/output";
    repository.write(output, "cargo:rustc-link-lib=torch_cpu\n");
    repository.run("setup", &[]).success();
    assert_eq!(calls(&repository), [""; 0]);

    repository.write(output, "cargo:rustc-link-lib=torch_cuda\ncargo:rustc-link-lib=torch_cpu\n");
    repository.run("setup", &[]).success();
    assert_eq!(calls(&repository), ["clean --package torch-sys --profile release"]);

    repository.write("log", "");
    repository.write("installed/torch/lib/libtorch_cuda.so", "");
    repository.run("setup", &[]).success();
    assert_eq!(calls(&repository), [""; 0], "with the library there they are right");
}

#[test]
fn a_call_from_outside_is_refused() {
    let repository = Repository::new();
    std::fs::remove_file(repository.path("repository/crates/xtask/Cargo.toml")).unwrap();
    repository.run("setup", &[]).refused(&["is not inside the fain repository"]);
}

//! What is refused, with which words.

use crate::repository::Repository;

#[test]
fn a_compiler_is_looked_for_first() {
    let repository = Repository::new();
    repository.remove_program("c++");
    repository
        .run("setup", &[])
        .refused(&["there is no C++ compiler (c++, g++, clang++ or $CXX)", "apt-get install g++"]);
    repository.program("clang++", "");
    repository.run("setup", &[]).refused(&["there is only clang++. Type: export CXX=clang++"]);
    repository
        .run("setup", &[("CXX", "g++-99 -O2")])
        .refused(&["CXX=g++-99 -O2 names a C++ compiler that is not there"]);
    repository.run("setup", &[("CXX", "clang++")]).refused(&["python3 is missing"]);
}

#[test]
fn python_and_pip_are_asked_for_with_the_way_to_get_them() {
    let repository = Repository::new();
    let ways = [
        "fetches libtorch from the public wheel",
        "apt-get install python3-pip",
        "or set FAIN_LIBTORCH to an installed PyTorch 2.11",
    ];
    repository.run("setup", &[]).refused(&["error: python3 is missing"]).refused(&ways);
    repository.program("python3", "test \"$1\" = --version");
    repository.run("setup", &[]).refused(&["python3 is there, but its pip is missing"]).refused(&ways);
    assert!(!repository.exists("repository/.libtorch"));
    assert!(repository.is_tidy());
}

#[test]
fn a_small_disk_is_refused_before_anything_is_fetched() {
    let repository = Repository::new();
    repository.program("python3", "case \"$*\" in *download*) touch $here/fetched;; esac");
    repository.program(
        "df",
        "echo Filesystem 1024-blocks Used Available Capacity Mounted on; echo /dev/sda 9000000 8100000 900000 90% /",
    );
    repository.run("setup", &[]).refused(&["has 900 MB free, and the set-up needs 1300 MB"]);
    assert!(!repository.exists("fetched"));
}

#[test]
fn a_failing_pip_is_quoted_with_what_to_do() {
    let repository = Repository::new();
    repository.program(
        "python3",
        "case \"$*\" in *download*) \
           for line in first 2 3 4 5 6 'ERROR: No matching distribution found for torch==2.11.0'; do \
             echo \"$line\" >&2; \
           done; exit 1;; \
         esac",
    );
    let outcome = repository.run("setup", &[]).refused(&[
        "pip could not fetch torch==2.11.0. It says:",
        "  ERROR: No matching distribution found for torch==2.11.0",
        "set FAIN_LIBTORCH to its folder",
        "complete downloads are kept",
    ]);
    assert!(!outcome.stderr.contains("first"), "only the last lines: {}", outcome.stderr);
    assert!(!repository.exists("repository/.libtorch"));
}

#[test]
fn a_folder_that_is_no_pytorch_changes_nothing() {
    let repository = Repository::new();
    repository.set_up();
    let before = repository.read("repository/.libtorch/stamp");
    let refused = |path: &str, parts: &[&str]| {
        let path = repository.path(path);
        let variable = format!("FAIN_LIBTORCH={} cannot be used", path.display());
        repository.run("setup", &[("FAIN_LIBTORCH", path.to_str().unwrap())]).refused(&[&variable]).refused(parts);
        assert_eq!(repository.read("repository/.libtorch/stamp"), before);
        assert_eq!(repository.link("torch"), Some(repository.path("installed/torch")));
        assert!(repository.is_tidy());
    };
    refused("nowhere", &["nowhere cannot be read", "No such file"]);

    repository.write("empty/README", "");
    refused("empty", &["empty holds no PyTorch", "Needed is a site-packages folder"]);

    repository.pytorch("old/torch", "version.py", "__version__ = '2.10.1+cu128'\n");
    refused("old", &["version.py says this is PyTorch 2.10.1+cu128, and needed is 2.11"]);

    repository.pytorch("archive", "build-version", "2.12.0+cpu\n");
    refused("archive", &["build-version says this is PyTorch 2.12.0+cpu, and needed is 2.11.0"]);

    repository.write("half/torch/lib/libtorch_cpu.so", "");
    refused("half", &["half/torch is no whole PyTorch: lib/libc10.so is missing"]);
}

#[test]
fn the_repository_does_not_link_to_itself() {
    let repository = Repository::new();
    repository.set_up();
    let own = repository.path("repository/.libtorch");
    repository
        .run("setup", &[("FAIN_LIBTORCH", own.to_str().unwrap())])
        .refused(&["is what this repository provides itself; unset FAIN_LIBTORCH"]);
    assert_eq!(repository.link("torch"), Some(repository.path("installed/torch")));
}

#[test]
fn a_wrong_request_has_the_exit_code_2() {
    let repository = Repository::new();
    let wrong = |line: &str, variables: &[(&str, &str)], text: &str| {
        let outcome = repository.run(line, variables);
        assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
        assert_eq!(outcome.stderr, format!("xtask: error: {text}\n"));
        assert_eq!(outcome.stdout, "");
    };
    wrong("tset", &[], "there is no task `tset`; the tasks are setup, demo, test, bench, cuda-folder, fuzz, ci");
    wrong("setup now", &[], "`cargo xtask setup` does not know `now`; it knows --cpu and --help");
    wrong(
        "setup --cpu",
        &[("FAIN_LIBTORCH", "/opt/torch")],
        "--cpu asks for the public CPU wheel and FAIN_LIBTORCH for /opt/torch; leave one of them out",
    );
}

#[test]
fn the_overview_is_printed_for_no_task_at_all() {
    let repository = Repository::new();
    let outcome = repository.run("", &[]).success();
    assert!(outcome.stdout.contains("Usage: cargo xtask <TASK> [ARGUMENTS]"), "{}", outcome.stdout);
    assert_eq!(outcome.stderr, "");
    assert_eq!(repository.run("--help", &[]).success().stdout, outcome.stdout);
}

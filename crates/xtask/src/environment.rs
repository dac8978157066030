//! What the environment changes about the build, and what the tasks do about it.
//!
//! `.cargo/config.toml` says where libtorch is, for the compiler (`LIBTORCH`) and for the programs (an rpath relative
//! to `target/`). A variable of the shell can override both without a word; then a build fails with an obscure message,
//! or succeeds against another libtorch than the one that is loaded.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workspace::Workspace;

/// These make `torch-sys` build against something else than `.libtorch`.
const TORCH_SYS: [&str; 5] =
    ["LIBTORCH_LIB", "LIBTORCH_INCLUDE", "LIBTORCH_USE_PYTORCH", "LIBTORCH_STATIC", "LIBTORCH_CXX11_ABI"];

/// These replace the flags of `.cargo/config.toml`, so that programs or documentation examples lose their rpath.
const FLAGS: [&str; 4] = ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTDOCFLAGS", "CARGO_ENCODED_RUSTDOCFLAGS"];

/// How the commands of the tasks differ from commands typed in the same shell.
pub(crate) struct Environment {
    removed: Vec<&'static str>,
    library_path: Option<OsString>,
    target: PathBuf,
    notes: Vec<String>,
}

impl Environment {
    /// Reads the variables that matter. `program` is the path of the running xtask: it lies where cargo puts programs,
    /// whichever variable, option or configuration file decided that.
    pub(crate) fn read(workspace: &Workspace, program: &Path, variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let mut notes = Vec::new();
        let removed = foreign_libtorch(workspace, &variable);
        for name in &removed {
            notes.push(format!(
                "{name} is set, so that plain cargo builds against another libtorch than .libtorch; this task sets it \
                 aside. Unset it, and use FAIN_LIBTORCH=PATH to choose a PyTorch"
            ));
        }

        // cargo takes an empty variable for the whole of the flags, too.
        let flags: Vec<&str> = FLAGS.into_iter().filter(|name| variable(name).is_some()).collect();
        let library = workspace.torch().join("lib");
        for name in &flags {
            notes.push(format!(
                "{name} is set and replaces the flags of .cargo/config.toml, so that what plain cargo builds does not \
                 find libtorch when it starts; this task sets LD_LIBRARY_PATH. Elsewhere unset {name}, or set \
                 LD_LIBRARY_PATH={}",
                library.display()
            ));
        }

        let profile = program.parent().unwrap_or(program);
        let target = profile.parent().unwrap_or(profile);
        let foreign_target = target.parent() != Some(workspace.root());
        if foreign_target {
            notes.push(format!(
                "cargo builds into {}, which is not a folder of the repository's root, so that programs do not find \
                 libtorch when they start; this task sets LD_LIBRARY_PATH. Elsewhere unset CARGO_TARGET_DIR (or \
                 build.target-dir), or set LD_LIBRARY_PATH={}",
                target.display(),
                library.display()
            ));
        }

        let library_path =
            (foreign_target || !flags.is_empty()).then(|| prepended(&library, variable("LD_LIBRARY_PATH")));
        Self { removed, library_path, target: target.to_owned(), notes }
    }

    /// A warning for each thing found, with what to do.
    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The folder that cargo builds into.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Makes a command build against `.libtorch`, and what it starts find it.
    pub(crate) fn apply(&self, command: &mut Command) {
        for name in &self.removed {
            command.env_remove(name);
        }
        if let Some(value) = &self.library_path {
            command.env("LD_LIBRARY_PATH", value);
        }
    }
}

/// The variables that lead `torch-sys` away from `.libtorch`.
fn foreign_libtorch(workspace: &Workspace, variable: &impl Fn(&str) -> Option<OsString>) -> Vec<&'static str> {
    // cargo itself sets LIBTORCH for `cargo xtask`, from its configuration: that value is the right one.
    let ours = |value: &OsStr| {
        let path = Path::new(value);
        path == workspace.torch()
            || path.canonicalize().is_ok_and(|path| workspace.torch().canonicalize().is_ok_and(|torch| torch == path))
    };
    let mut found = Vec::new();
    if variable("LIBTORCH").is_some_and(|value| !ours(&value)) {
        found.push("LIBTORCH");
    }
    found.extend(TORCH_SYS.into_iter().filter(|name| variable(name).is_some()));
    found
}

fn prepended(folder: &Path, path: Option<OsString>) -> OsString {
    let mut value = folder.as_os_str().to_owned();
    if let Some(path) = path.filter(|path| !path.is_empty()) {
        value.push(":");
        value.push(path);
    }
    value
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    struct Case {
        _folder: tempfile::TempDir,
        workspace: Workspace,
    }

    fn case() -> Case {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("crates/xtask")).unwrap();
        std::fs::write(folder.path().join("crates/xtask/Cargo.toml"), "").unwrap();
        std::fs::create_dir_all(folder.path().join(".libtorch/torch")).unwrap();
        let workspace = Workspace::above(folder.path()).unwrap();
        Case { _folder: folder, workspace }
    }

    impl Case {
        fn read(&self, program: &str, variables: &[(&str, &str)]) -> Environment {
            let program = self.workspace.root().join(program);
            Environment::read(&self.workspace, &program, |name| {
                let value = variables.iter().find(|(key, _)| *key == name);
                value.map(|(_, value)| OsString::from(value))
            })
        }
    }

    /// What `apply` sets (`Some`) and removes (`None`), by name.
    fn changes(environment: &Environment) -> Vec<(String, Option<String>)> {
        let mut command = Command::new("cargo");
        environment.apply(&mut command);
        let text = |value: &OsStr| value.to_str().unwrap().to_owned();
        command.get_envs().map(|(name, value)| (text(name), value.map(text))).collect()
    }

    #[test]
    fn the_usual_environment_changes_nothing() {
        let case = case();
        let torch = case.workspace.torch();
        let environment = case.read("target/release/xtask", &[("LIBTORCH", torch.to_str().unwrap())]);
        assert_eq!(environment.notes(), [""; 0]);
        assert_eq!(changes(&environment), []);
        assert_eq!(environment.target(), case.workspace.root().join("target"));
    }

    #[test]
    fn another_libtorch_is_set_aside() {
        let case = case();
        let environment =
            case.read("target/release/xtask", &[("LIBTORCH", "/opt/libtorch"), ("LIBTORCH_USE_PYTORCH", "1")]);
        assert_eq!(changes(&environment), [("LIBTORCH".to_owned(), None), ("LIBTORCH_USE_PYTORCH".to_owned(), None)]);
        assert_eq!(environment.notes().len(), 2);
        assert!(environment.notes()[0].starts_with("LIBTORCH is set"), "{}", environment.notes()[0]);
        assert!(environment.notes()[0].contains("FAIN_LIBTORCH=PATH"), "{}", environment.notes()[0]);
    }

    #[test]
    fn the_same_libtorch_by_another_path_is_ours() {
        let case = case();
        let roundabout = case.workspace.root().join("crates/../.libtorch/torch");
        let environment = case.read("target/release/xtask", &[("LIBTORCH", roundabout.to_str().unwrap())]);
        assert_eq!(environment.notes(), [""; 0]);
    }

    #[test]
    fn flags_in_the_environment_make_the_library_path_necessary() {
        let case = case();
        let library = case.workspace.root().join(".libtorch/torch/lib");
        let environment =
            case.read("target/release/xtask", &[("RUSTFLAGS", "-g"), ("LD_LIBRARY_PATH", "/usr/local/lib")]);
        assert_eq!(
            changes(&environment),
            [("LD_LIBRARY_PATH".to_owned(), Some(format!("{}:/usr/local/lib", library.display())))]
        );
        assert_eq!(environment.notes().len(), 1);
        assert!(environment.notes()[0].starts_with("RUSTFLAGS is set"), "{}", environment.notes()[0]);
    }

    #[test]
    fn empty_flags_replace_those_of_the_configuration_as_well() {
        let case = case();
        for name in FLAGS {
            let environment = case.read("target/release/xtask", &[(name, "")]);
            assert_eq!(environment.notes().len(), 1);
            assert!(environment.notes()[0].starts_with(&format!("{name} is set")), "{}", environment.notes()[0]);
            assert_eq!(changes(&environment).len(), 1, "{name}");
        }
    }

    #[test]
    fn a_target_folder_elsewhere_makes_the_library_path_necessary() {
        let case = case();
        let library = case.workspace.root().join(".libtorch/torch/lib").display().to_string();
        for program in ["/scratch/target/release/xtask", "target/x86_64-unknown-linux-gnu/release/xtask"] {
            let environment = case.read(program, &[]);
            assert_eq!(changes(&environment), [("LD_LIBRARY_PATH".to_owned(), Some(library.clone()))], "{program}");
            assert_eq!(environment.notes().len(), 1);
            assert!(environment.notes()[0].contains("CARGO_TARGET_DIR"), "{}", environment.notes()[0]);
        }
        let elsewhere = case.read("/scratch/target/release/xtask", &[]);
        assert_eq!(elsewhere.target(), Path::new("/scratch/target"));
    }
}

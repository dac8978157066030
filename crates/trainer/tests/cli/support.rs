//! Running the program, and the data and runs that many tests share.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

/// What a call of the program gave.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Outcome {
    /// The call succeeded; gives its standard output.
    pub(crate) fn done(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout
    }

    /// The call succeeded, and its standard output is one JSON document.
    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.done()).unwrap()
    }

    /// The call failed with this code; its last line names all of `parts`; it gave no result.
    pub(crate) fn refused(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.stdout, "");
        let line = self.stderr.lines().last().unwrap();
        assert!(line.starts_with("fain: error: "), "{line}");
        for part in parts {
            assert!(line.contains(part), "\"{part}\" is not in: {line}");
        }
    }
}

/// The program, to be called from `folder`.
pub(crate) fn fain_in(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fain"));
    command.current_dir(folder);
    command
}

/// Calls the program from a folder of its own.
pub(crate) fn fain<A: AsRef<OsStr>>(arguments: &[A]) -> Outcome {
    let folder = folder();
    fain_in(folder.path()).args(arguments).output().unwrap().into()
}

/// Calls the program where no file may grow beyond `blocks` of 512 or 1024 bytes: to the program, a full disk.
pub(crate) fn fain_on_full_disk(blocks: u32, arguments: &[&str]) -> Outcome {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_fain")]).args(arguments);
    command.output().unwrap().into()
}

/// An empty folder.
pub(crate) fn folder() -> TempDir {
    tempfile::tempdir_in(shared()).unwrap()
}

/// The folder of everything that the tests write, empty when they start.
fn shared() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli");
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir_all(&folder).unwrap();
        folder
    })
}

/// The folder of a small shop: `train.csv` and `test.csv`, 9,000 and 1,000 rows.
pub(crate) fn shop() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = shared().join("shop");
        let output = folder.to_str().unwrap();
        fain(&["simulate", "--impressions", "10000", "--seed", "5", "--output", output]).done();
        folder
    })
}

/// A small experiment on the shop.
const EXPERIMENT: &str = r#"
[data]
root = "ROOT"
train = "train.csv"
test = "test.csv"
cache = "CACHE"
validation.fraction = 0.2
[schema]
label = "label"
group = "user"
ceiling = { blind = "blind_probability", optimal = "true_probability" }
[schema.features]
gender = { kind = "category" }
item = { kind = "category", min_count = 2 }
category = { kind = "category" }
price = { kind = "numeric" }
history_items = { kind = "sequence", max_length = 10, vocabulary = "item" }
history_categories = { kind = "sequence", max_length = 10, vocabulary = "category" }
[model]
kind = "din"
interests = [{ candidate = ["item", "category"], history = ["history_items", "history_categories"] }]
embedding = { dim = 4, std = 0.1 }
attention = { hidden = [8] }
mlp = { hidden = [16], dropout = 0.1 }
[training]
batch_size = 256
evaluation_batch_size = 300
epochs = 2
seed = 3
threads = 1
learning_rate = 0.01
patience = 9
evaluations_per_epoch = 2
"#;

/// The file of the small experiment.
pub(crate) fn experiment() -> &'static str {
    static FILE: OnceLock<String> = OnceLock::new();
    FILE.get_or_init(|| {
        let cache = shared().join("cache");
        let text = EXPERIMENT.replace("ROOT", shop().to_str().unwrap()).replace("CACHE", cache.to_str().unwrap());
        let file = shared().join("small.toml");
        fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    })
}

/// A run of the small experiment that is done. Tests only read it.
pub(crate) fn trained() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = shared().join("trained");
        fain(&["train", experiment(), "--output", folder.to_str().unwrap()]).done();
        folder
    })
}

/// A JSON file.
pub(crate) fn read_json(file: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

/// The names in a folder, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The names and bytes of a folder's files.
pub(crate) fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    names(folder).into_iter().map(|name| (name.clone(), fs::read(folder.join(&name)).unwrap())).collect()
}

/// Copies a folder with everything in it.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for name in names(from) {
        let (from, to) = (from.join(&name), to.join(&name));
        if from.is_dir() {
            copy_folder(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

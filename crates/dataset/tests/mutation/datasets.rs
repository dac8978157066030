//! Datasets: what is not as it was written is refused.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use fain_dataset::{BatchPlan, Batches, DataConfig, Dataset, Manifest, Order, Split, Tail};
use fain_features::{Samples, SchemaConfig};

use crate::cases::{Counts, Outcome, cases, scratch};
use crate::folder::Folder;

const INLINE: &str = "
    label = 'label'
    group = 'user'
    features.user = { kind = 'category' }
    features.history = { kind = 'sequence', max_length = 50 }
    features.price = { kind = 'numeric', scale = 'quantile' }
";

fn inline(folder: &Path) -> PathBuf {
    let rows: Vec<String> = (0..40).map(|i| format!("{},u{},{}|{},{}", i % 2, i % 7, i, i + 1, i % 5)).collect();
    fs::write(folder.join("train.csv"), format!("label,user,history,price\n{}\n", rows.join("\n"))).unwrap();
    let schema: SchemaConfig = toml::from_str(INLINE).unwrap();
    let mut data: DataConfig = toml::from_str("train = 'train.csv'\nvalidation = { fraction = 0.1 }").unwrap();
    folder.clone_into(&mut data.root);
    data.cache = folder.join("cache");
    let dataset = Dataset::prepare(&data, &schema.check().unwrap(), &mut |_| ControlFlow::Continue(())).unwrap();
    dataset.folder().to_owned()
}

/// All rows of all splits, in order, and the manifest.
type Contents = (Manifest, Vec<Samples>);

fn contents(dataset: &Dataset) -> Contents {
    let rows = |split: &Split| -> Vec<Samples> {
        let plan = BatchPlan { batch_size: 64, order: Order::Sequential, tail: Tail::Keep, start: 0, prefetch: 1 };
        Batches::new(split, plan).unwrap().map(Result::unwrap).collect()
    };
    let splits = [Some(dataset.train()), Some(dataset.validation()), dataset.test()];
    (dataset.manifest().clone(), splits.into_iter().flatten().flat_map(rows).collect())
}

/// Breaks the files of a dataset. Nothing tells a changed manifest from a sound one but its fields: with such a one,
/// `other` says whether the rows may be others, too.
fn check(name: &'static str, sound: &Path, may_differ: fn(&Manifest, &Manifest) -> bool) -> Counts {
    let sound = Folder::read(sound);
    let files = sound.files();
    let expected = {
        let place = scratch();
        sound.write(place.path());
        contents(&Dataset::open(place.path()).unwrap())
    };
    cases(name, files, move |folder| {
        let (folder, sound, expected) = (folder.to_owned(), sound.clone(), expected.clone());
        sound.write(&folder);
        move |file, broken| {
            let outcome = sound.with_broken(&folder, file, broken, || Dataset::open(&folder));
            let Ok(dataset) = outcome else { return Outcome::Refused };
            let (manifest, rows) = contents(&dataset);
            assert!(rows == expected.1 || may_differ(&manifest, &expected.0), "other rows");
            Outcome::Accepted
        }
    })
}

#[test]
fn datasets_in_line() {
    let place = scratch();
    let counts = check("datasets in line", &inline(place.path()), |_, _| false);
    assert!(counts.refused > 100, "{counts:?}");
}

/// The dataset of views that the tests of compatibility keep. Its manifest says how negatives are drawn.
#[test]
fn datasets_of_views() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dataset/version_2/dataset");
    let counts = check("datasets of views", &kept, |read, sound| read.content != sound.content);
    assert!(counts.refused > 100, "{counts:?}");
}

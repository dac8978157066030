//! Folders that programs of ours wrote.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::types::{Float32Type, UInt32Type};
use arrow_array::{ArrayRef, Float32Array, ListArray, RecordBatch, StringArray, UInt32Array};
use arrow_schema::{DataType, Field, Schema};
use fain_dataset::{BatchPlan, Batches, DataConfig, Dataset, Order, Tail};
use fain_features::{Samples, SchemaConfig};
use fain_samples::SamplesFolder;
use fain_storage::{ColumnFile, FileInfo, FileWriter, checksum, list_of};

use crate::mutate::cases;

fn dataset(folder: &Path) -> Dataset {
    let rows: Vec<String> = (0..100).map(|i| format!("{},u{},{}|{},{}", i % 2, i % 7, i, i + 1, i % 5)).collect();
    fs::write(folder.join("train.csv"), format!("label,user,history,price\n{}\n", rows.join("\n"))).unwrap();
    let schema: SchemaConfig = toml::from_str(
        "label = 'label'\ngroup = 'user'\n[features]\nuser = { kind = 'category' }\n\
         history = { kind = 'sequence', max_length = 50 }\nprice = { kind = 'numeric', scale = 'quantile' }",
    )
    .unwrap();
    let mut data: DataConfig = toml::from_str("train = 'train.csv'\nvalidation = { fraction = 0.1 }").unwrap();
    folder.clone_into(&mut data.root);
    data.cache = folder.join("cache");
    Dataset::prepare(&data, &schema.check().unwrap(), &mut |_| ControlFlow::Continue(())).unwrap()
}

/// All training rows, in order.
fn rows(dataset: &Dataset) -> Vec<Samples> {
    let plan = BatchPlan { batch_size: 64, order: Order::Sequential, tail: Tail::Keep, start: 0, prefetch: 1 };
    Batches::new(dataset.train(), plan).unwrap().map(Result::unwrap).collect()
}

/// The checksums of a folder refuse whatever is not as it was written.
#[test]
fn datasets() {
    let place = tempfile::tempdir().unwrap();
    let sound = dataset(place.path());
    let expected = rows(&sound);
    let folder = sound.folder().to_owned();
    drop(sound);
    let names = ["manifest.json", "encoders.json", "train.arrow", "validation.arrow"];
    let files: Vec<Vec<u8>> = names.iter().map(|name| fs::read(folder.join(name)).unwrap()).collect();
    let mut refused = 0;
    cases(&files, |file, broken| {
        fs::write(folder.join(names[file]), broken).unwrap();
        match Dataset::open(&folder) {
            Ok(dataset) => assert_eq!(rows(&dataset), expected),
            Err(_) => refused += 1,
        }
        fs::write(folder.join(names[file]), &files[file]).unwrap();
    });
    assert!(refused > 100);
}

/// Samples in the folder that the tests of fain-samples keep.
#[test]
fn samples() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/tests/samples/version_1/samples");
    let place = tempfile::tempdir().unwrap();
    let mut names: Vec<PathBuf> = Vec::new();
    for folder in ["", "terms"] {
        fs::create_dir_all(place.path().join(folder)).unwrap();
        for entry in fs::read_dir(kept.join(folder)).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file())
        {
            let name = Path::new(folder).join(entry.file_name());
            fs::copy(entry.path(), place.path().join(&name)).unwrap();
            names.push(name);
        }
    }
    names.retain(|name| name.extension().is_some_and(|kind| kind == "arrow" || kind == "json"));
    names.sort_unstable();
    let files: Vec<Vec<u8>> = names.iter().map(|name| fs::read(place.path().join(name)).unwrap()).collect();
    let sound = SamplesFolder::open(place.path()).unwrap().manifest().clone();
    let mut refused = 0;
    cases(&files, |file, broken| {
        let path = place.path().join(&names[file]);
        fs::write(&path, broken).unwrap();
        match SamplesFolder::open(place.path()) {
            Ok(folder) => assert_eq!(*folder.manifest(), sound),
            Err(_) => refused += 1,
        }
        fs::write(&path, &files[file]).unwrap();
    });
    assert!(refused > 100);
}

fn schema() -> Arc<Schema> {
    Arc::new(Schema::new(vec![
        Field::new("label", DataType::Float32, false),
        Field::new("history", list_of(DataType::UInt32), false),
        Field::new("term", DataType::Utf8, false),
    ]))
}

fn columns(folder: &Path) -> PathBuf {
    let history =
        ListArray::from_iter_primitive::<UInt32Type, _, _>((0..40_u32).map(|row| Some((0..row % 4).map(Some))));
    let (_, offsets, values, _) = history.into_parts();
    let item = Arc::new(Field::new("item", DataType::UInt32, false));
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(Float32Array::from_iter_values((0..40_u8).map(|row| f32::from(row % 2)))),
        Arc::new(ListArray::new(item, offsets, Arc::new(UInt32Array::from(values.to_data())), None)),
        Arc::new(StringArray::from_iter_values((0..40).map(|row| "é".repeat(row % 3)))),
    ];
    let mut writer = FileWriter::create(folder.join("rows.arrow"), &schema()).unwrap();
    writer.write(&RecordBatch::try_new(schema(), arrays).unwrap()).unwrap();
    folder.join(writer.finish().unwrap().file)
}

/// A file whose checksum was made to fit: what is behind the checksum must hold by itself.
#[test]
fn arrow_files_with_a_fitting_checksum() {
    let place = tempfile::tempdir().unwrap();
    let path = columns(place.path());
    let sound = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let mut opened = 0;
    cases(&[sound], |_, broken| {
        fs::write(&path, broken).unwrap();
        let info =
            |rows| FileInfo { file: String::new(), rows, bytes: broken.len() as u64, checksum: checksum(broken) };
        if let Ok(file) = ColumnFile::open(&path, &info(40), &schema()) {
            let labels = file.chunks::<Float32Type>("label").unwrap();
            let lists = file.lists::<UInt32Type>("history").unwrap();
            let texts = file.texts("term").unwrap();
            for row in 0..40 {
                assert!(labels.get(row).is_some() && texts.get(row).is_some());
                assert!(lists.list(row).len() <= broken.len());
            }
            opened += 1;
        }
        fs::remove_file(&path).unwrap();
    });
    assert!(opened > 100, "nearly everything was refused: the cases show nothing");
}

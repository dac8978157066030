//! Which files appear, with which bytes, and what is left when the work does not end well.

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use fain_simulator::{Phase, Progress, Shop, ShopConfig, SimulatorError};
use xxhash_rust::xxh3::xxh3_64;

use crate::rows::{generate, go_on, samples};

fn small() -> ShopConfig {
    ShopConfig { impressions: 10_000, history_length: 20, ..ShopConfig::default() }
}

fn shop() -> Shop {
    small().check().unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The checksum of each file.
fn checksums(folder: &Path) -> Vec<(String, u64)> {
    names(folder).into_iter().map(|name| (name.clone(), xxh3_64(&fs::read(folder.join(name)).unwrap()))).collect()
}

fn write_all(shop: &Shop, folder: &Path) {
    shop.write_samples(folder, &mut go_on).unwrap();
    shop.write_log(folder, &mut go_on).unwrap();
}

/// The bytes of a shop are part of its contract: figures are quoted for them. A change here is a
/// change of every shop, and belongs in the change log.
#[test]
fn the_bytes_are_pinned() {
    let folder = tempfile::tempdir().unwrap();
    write_all(&shop(), folder.path());
    let expected = [
        ("events.csv", 0x454e_40b5_785c_4f42),
        ("items.csv", 0x76b8_ece3_6e85_0e25),
        ("test.csv", 0xab99_e3c2_80b5_ac43),
        ("train.csv", 0xacf6_9ebf_f44a_6e9a),
        ("users.csv", 0x20a5_3d84_3be8_bd37),
    ];
    assert_eq!(checksums(folder.path()), expected.map(|(name, checksum)| (name.to_owned(), checksum)));
}

/// What was generated before samples had negatives is still generated, to the byte.
#[test]
fn negatives_change_no_other_column() {
    let folder = tempfile::tempdir().unwrap();
    let files = shop().write_samples(folder.path(), &mut go_on).unwrap();
    let without = |file: &Path| {
        let mut kept = String::new();
        for row in fs::read_to_string(file).unwrap().lines() {
            let fields: Vec<&str> = row.split(',').collect();
            kept.push_str(&[&fields[..12], &fields[14..]].concat().join(","));
            kept.push('\n');
        }
        xxh3_64(kept.as_bytes())
    };
    assert_eq!((without(&files.test), without(&files.train)), (0x618b_ec8b_ebbf_31b5, 0x6dd6_eaaf_d20d_3455));
}

#[test]
fn threads_do_not_change_the_bytes() {
    let with_threads = |threads| {
        let folder = tempfile::tempdir().unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| write_all(&shop(), folder.path()));
        checksums(folder.path())
    };
    assert_eq!(with_threads(1), with_threads(3));
}

#[test]
fn another_seed_is_another_shop() {
    let with_seed = |seed| {
        let folder = tempfile::tempdir().unwrap();
        write_all(&ShopConfig { seed, ..small() }.check().unwrap(), folder.path());
        checksums(folder.path())
    };
    let (one, two) = (with_seed(1), with_seed(2));
    assert!(one.iter().zip(&two).all(|(a, b)| a.0 == b.0 && a.1 != b.1), "{one:x?} {two:x?}");
}

#[test]
fn the_last_impressions_of_every_user_are_the_test_split() {
    for (impressions, test_per_user, users) in [(10_000, 4, None), (10_007, 1, Some(5003)), (12_345, 7, Some(321))] {
        let config = ShopConfig { impressions, test_per_user, users, ..small() };
        let (train, test) = generate(&config);
        let users = config.check().unwrap().users();
        assert_eq!((train.len() + test.len()) as u64, impressions);
        let mut last_train: BTreeMap<u64, u64> = BTreeMap::new();
        for sample in &train {
            let last = last_train.insert(sample.user, sample.time);
            assert!(last < Some(sample.time), "times of a user grow");
        }
        assert_eq!(last_train.keys().copied().collect::<Vec<u64>>(), (0..users).collect::<Vec<u64>>());
        let mut of_user: BTreeMap<u64, u32> = BTreeMap::new();
        for sample in &test {
            assert!(sample.time > last_train[&sample.user]);
            *of_user.entry(sample.user).or_default() += 1;
        }
        assert_eq!(of_user.len() as u64, users);
        assert!(of_user.values().all(|&count| count == test_per_user));
    }
}

#[test]
fn progress_counts_up_to_all_impressions() {
    let folder = tempfile::tempdir().unwrap();
    let mut seen: Vec<Progress> = Vec::new();
    let mut remember = |progress: &Progress| {
        seen.push(*progress);
        ControlFlow::Continue(())
    };
    shop().write_samples(folder.path(), &mut remember).unwrap();
    for (phase, total) in [(Phase::Calibrate, 36), (Phase::Write, 10_000)] {
        let done: Vec<u64> = seen.iter().filter(|p| p.phase == phase).map(|p| p.done).collect();
        assert!(seen.iter().filter(|p| p.phase == phase).all(|p| p.total == total));
        assert_eq!((done.first(), done.last()), (Some(&0), Some(&total)));
        assert!(done.is_sorted());
    }
}

#[test]
fn an_interrupt_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["train.csv", "events.csv"] {
        fs::write(folder.path().join(name), "of an earlier run").unwrap();
    }
    for (phase, share) in [(Phase::Calibrate, 0.5), (Phase::Write, 0.5), (Phase::Write, 1.0)] {
        let mut stop = |progress: &Progress| {
            if progress.phase == phase && progress.done as f64 >= share * progress.total as f64 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let error = shop().write_samples(folder.path(), &mut stop).unwrap_err();
        assert!(matches!(error, SimulatorError::Interrupted));
        let error = shop().write_log(folder.path(), &mut stop).unwrap_err();
        assert_eq!(error.to_string(), "interrupted");
        assert_eq!(names(folder.path()), ["events.csv", "train.csv"]);
    }
    assert_eq!(fs::read_to_string(folder.path().join("train.csv")).unwrap(), "of an earlier run");
    shop().write_samples(folder.path(), &mut go_on).unwrap();
    assert_eq!(samples(&folder.path().join("train.csv")).len(), 9_000);
}

#[test]
fn a_missing_folder_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("data/shop");
    let files = shop().write_samples(&inner, &mut go_on).unwrap();
    assert_eq!((files.train, files.test), (inner.join("train.csv"), inner.join("test.csv")));
    let files = shop().write_log(&inner, &mut go_on).unwrap();
    assert_eq!((files.events, files.items), (inner.join("events.csv"), inner.join("items.csv")));
    assert_eq!(files.users, inner.join("users.csv"));
}

#[test]
fn a_failure_names_the_file_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = shop().write_samples(&file, &mut go_on).unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot write {}: ", file.display())), "{error}");

    let taken = folder.path().join("test.csv");
    fs::create_dir(&taken).unwrap();
    let error = shop().write_samples(folder.path(), &mut go_on).unwrap_err().to_string();
    assert_eq!(error, format!("cannot write {}: is a directory", taken.display()));
    assert_eq!(names(folder.path()), ["file", "test.csv"]);
}

#[cfg(unix)]
#[test]
fn the_files_are_as_readable_as_any_other() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other");
    fs::write(&other, "").unwrap();
    let files = shop().write_samples(folder.path(), &mut go_on).unwrap();
    let mode = |file: &Path| fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode(&files.train), mode(&other));
}

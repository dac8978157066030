//! The recipes in `datasets/`: each makes samples of rows in the format of its data set, which are made up here. Where
//! `FAIN_DATA` names a folder with the real files, those that are there are prepared too.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use fain_prepare::{PrepareConfig, Prepared, prepare};
use fain_samples::{Field, Part, SamplesFolder, StoredColumn, TermTable};

/// The folder of the recipes.
fn datasets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets")
}

fn recipe(name: &str) -> PrepareConfig {
    let text = fs::read_to_string(datasets().join(name)).unwrap();
    let config: PrepareConfig = toml::from_str(&text).unwrap();
    config.check().unwrap();
    config
}

fn run(mut config: PrepareConfig, root: &Path, output: &Path) -> Prepared {
    root.clone_into(&mut config.root);
    prepare(&config, output, &mut |_| ControlFlow::Continue(())).unwrap()
}

/// Makes samples by a recipe of files with these names and contents.
fn made(name: &str, files: &[(&str, String)]) -> (tempfile::TempDir, SamplesFolder) {
    let place = tempfile::tempdir().unwrap();
    for (file, content) in files {
        fs::write(place.path().join(file), content).unwrap();
    }
    let samples = run(recipe(name), place.path(), &place.path().join("samples")).samples;
    (place, samples)
}

/// Stored rows of training, validation and test.
fn rows(samples: &SamplesFolder) -> [u64; 3] {
    Part::ALL.map(|part| samples.rows(part).rows)
}

fn names(samples: &SamplesFolder) -> Vec<String> {
    samples.columns().into_iter().map(|column| column.name).collect()
}

/// `users` users with `events` events each, on `items` items: a line for each, in order of time.
fn lines(users: u32, events: u32, items: u32, line: impl Fn(u32, u32, u32) -> String) -> String {
    let mut text = String::new();
    for user in 1..=users {
        for event in 0..events {
            let item = (user * 7 + event * 3) % items + 1;
            writeln!(text, "{}", line(user, item, event)).unwrap();
        }
    }
    text
}

/// A table of `rows` users or items, numbered from 1.
fn table(rows: u32, line: impl Fn(u32) -> String) -> String {
    (1..=rows).map(line).collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn every_recipe_is_tried_here() {
    let mut found = Vec::new();
    for folder in fs::read_dir(datasets()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        for file in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            let text = fs::read_to_string(&file).unwrap();
            if file.extension().is_some_and(|extension| extension == "toml") && text.contains("[log]") {
                found.push(file.strip_prefix(datasets()).unwrap().display().to_string());
            }
        }
    }
    found.sort_unstable();
    // That of the shop is tried in shop.rs.
    let tried = [
        "amazon_2014/dien.toml",
        "amazon_2014/prepare.toml",
        "amazon_2018/prepare.toml",
        "movielens_100k/prepare.toml",
        "movielens_1m/ordered.toml",
        "movielens_1m/prepare.toml",
        "movielens_20m/prepare.toml",
        "shop/prepare.toml",
        "taobao_display_ad/prepare.toml",
        "taobao_user_behavior/prepare.toml",
    ];
    assert_eq!(found, tried);
}

fn movielens_1m(log: &str, content: String) -> Vec<(&str, String)> {
    let users = table(4, |user| format!("{user}::F::1::10::4806{user}"));
    let movies = table(30, |movie| format!("{movie}::Film, the {movie}th (1995)::Drama|War"));
    vec![(log, content), ("users.dat", users), ("movies.dat", movies)]
}

#[test]
fn movielens_1m_by_time() {
    let log =
        lines(4, 20, 30, |user, item, event| format!("{user}::{item}::{}::{}", event % 2 * 3 + 1, 978_300_000 + event));
    let (_place, samples) = made("movielens_1m/prepare.toml", &movielens_1m("ratings.dat", log));
    // The first two of 20 events have no click before them; then 5 validate and 10 test.
    assert_eq!(rows(&samples), [12, 20, 40]);
    let wanted = ["label", "timestamp", "userId", "gender", "age", "movieId", "genres", "history.movieId"];
    assert!(wanted.iter().all(|name| names(&samples).iter().any(|found| found == name)), "{:?}", names(&samples));
    assert!(names(&samples).contains(&"negative.movieId".to_owned()));
}

#[test]
fn movielens_1m_by_order() {
    let rating = |user, item, event: u32| {
        let seq = if event == 19 { -1 } else { i64::from(event) };
        format!("{user},{item},{},978300000,{seq}", event % 2 * 3 + 1)
    };
    let log = format!("userId,movieId,rating,timestamp,seq\n{}", lines(4, 20, 30, rating));
    let (_place, samples) = made("movielens_1m/ordered.toml", &movielens_1m("ratings_recovered.csv.gz", log));
    // 19 events count, the first two have no click before them, 10 test.
    let [train, validation, test] = rows(&samples);
    assert_eq!((train + validation, test), (28, 40));
}

#[test]
fn movielens_100k() {
    let log =
        lines(4, 20, 30, |user, item, event| format!("{user}\t{item}\t{}\t{}", event % 2 * 3 + 1, 881_250_949 + event));
    let users = table(4, |user| format!("{user}|24|M|technician|8571{user}"));
    let flags = "|0".repeat(19);
    let items = table(30, |item| format!("{item}|Film {item}|01-Jan-1995||http://a.b{flags}"));
    let files = [("u.data", log), ("u.user", users), ("u.item", items)];
    assert_eq!(rows(&made("movielens_100k/prepare.toml", &files).1), [12, 20, 40]);
}

#[test]
fn movielens_20m() {
    let log = lines(60, 6, 30, |user, item, event| {
        format!("{user},{item},{}.5,{}", event % 2 * 3 + 1, 1_112_486_027 + event)
    });
    let items: String = table(30, |item| format!("{item},\"Film, the {item}th\",Drama|War"));
    let files = [
        ("ratings.csv", format!("userId,movieId,rating,timestamp\n{log}")),
        ("movies.csv", format!("movieId,title,genres\n{items}")),
    ];
    let (_place, samples) = made("movielens_20m/prepare.toml", &files);
    let [train, validation, test] = rows(&samples);
    // All events of a user but the first two, in one part.
    assert_eq!((train + validation + test, train % 4, validation % 4, test % 4), (240, 0, 0, 0));
    assert!(train > test && test > 0 && validation > 0);
    assert!(names(&samples).contains(&"history.genre".to_owned()));
}

fn amazon(users: u32) -> Vec<(&'static str, String)> {
    let log =
        lines(users, 5, 30, |user, item, event| format!("A{user}\tB{item}\t5.0\t{}", 1_360_000_000 + event * 86_400));
    let items: String = table(30, |item| format!("B{item}\tCategory {}", item % 4));
    vec![("reviews.tsv", format!("user\titem\trating\ttime\n{log}")), ("items.tsv", format!("item\tcategory\n{items}"))]
}

#[test]
fn amazon_in_the_protocol_of_din() {
    for recipe in ["amazon_2014/prepare.toml", "amazon_2018/prepare.toml"] {
        let (_place, samples) = made(recipe, &amazon(40));
        // Five reviews: the first has no history, the last two are held out.
        assert_eq!(rows(&samples), [80, 40, 40]);
        assert_eq!(samples.summary().parts.train.drawn, 80);
    }
}

#[test]
fn amazon_in_the_protocol_of_dien() {
    let (_place, samples) = made("amazon_2014/dien.toml", &amazon(200));
    // One row a user.
    assert_eq!(rows(&samples).iter().sum::<u64>(), 200);
    assert!(rows(&samples).iter().all(|&rows| rows > 0), "{:?}", rows(&samples));
}

#[test]
fn taobao_user_behavior() {
    let day = |event: u32| 1_511_539_200 + u64::from(event) * 86_400;
    let log = lines(5, 9, 30, |user, item, event| format!("{user},{item},{},pv,{}", item % 4, day(event)));
    let others = "1,1,1,buy,1511539300\n1,1,1,pv,1400000000\n";
    let (_place, samples) =
        made("taobao_user_behavior/prepare.toml", &[("UserBehavior.csv", format!("{log}{others}"))]);
    // Nine days, a page view a day: the first has no history.
    assert_eq!(rows(&samples), [30, 5, 5]);
    assert!(names(&samples).contains(&"negative.category".to_owned()));
    let keys = samples.terms(TermTable::Item(Field::Key)).unwrap();
    let categories = samples.terms(TermTable::Item(Field::Column(0))).unwrap();
    let StoredColumn::Term(codes) = &samples.items().columns[0] else { unreachable!("the category is a term") };
    for (item, code) in (0..samples.items().rows).zip(codes.slices().flatten()) {
        let key: u32 = keys.get(item).unwrap().parse().unwrap();
        assert_eq!(categories.get(u64::from(*code)), Some((key % 4).to_string().as_str()));
    }
}

#[test]
fn taobao_display_ad() {
    let day = |event: u32| 1_494_000_000 + u64::from(event) * 86_400;
    let impression = |user, item, event: u32| {
        let clicked = event % 2;
        format!("{user},{},{item},430548_1007,{},{clicked}", day(event), 1 - clicked)
    };
    let log = lines(5, 8, 30, impression);
    let profile = "userid,cms_segid,cms_group_id,final_gender_code,age_level,pvalue_level,shopping_level,occupation,new_user_class_level ";
    let users: String = table(5, |user| format!("{user},0,5,2,5,,3,0,3"));
    let items: String = table(30, |item| format!("{item},62,83237,1,95471,170.0"));
    let files = [
        ("raw_sample.csv", format!("user,time_stamp,adgroup_id,pid,nonclk,clk\n{log}")),
        ("user_profile.csv", format!("{profile}\n{users}")),
        ("ad_feature.csv", format!("adgroup_id,cate_id,campaign_id,customer,brand,price\n{items}")),
    ];
    let (_place, samples) = made("taobao_display_ad/prepare.toml", &files);
    assert_eq!(rows(&samples), [30, 5, 5]);
}

/// The real MovieLens files, where they are.
#[test]
fn movielens_as_it_is() {
    let Some(data) = env::var_os("FAIN_DATA").map(PathBuf::from) else { return };
    let place = tempfile::tempdir().unwrap();
    let small = run(recipe("movielens_100k/prepare.toml"), &data.join("ml100k"), &place.path().join("ml100k"));
    assert_eq!((small.summary.rows, small.summary.undescribed_users, small.summary.undescribed_items), (100_000, 0, 0));
    assert_eq!(small.samples.users().rows, 943);
    let large = run(recipe("movielens_1m/ordered.toml"), &data.join("ml1m"), &place.path().join("ml1m"));
    assert_eq!((large.summary.rows, large.summary.counted_rows), (1_000_209, 999_611));
    let [train, validation, test] = rows(&large.samples);
    assert_eq!((train + validation, test), (927_361, 60_380));
}

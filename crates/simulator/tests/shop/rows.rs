//! Reads back what a shop wrote.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use fain_simulator::{Progress, ShopConfig};

/// A row of `train.csv` or `test.csv`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    pub(crate) label: f64,
    pub(crate) user: u64,
    pub(crate) time: u64,
    pub(crate) age_group: String,
    pub(crate) gender: String,
    pub(crate) city_tier: String,
    pub(crate) item: u32,
    pub(crate) category: u32,
    pub(crate) department: u32,
    pub(crate) price: f64,
    pub(crate) history_items: Vec<u32>,
    pub(crate) history_categories: Vec<u32>,
    pub(crate) negative_items: Vec<u32>,
    pub(crate) negative_categories: Vec<u32>,
    pub(crate) blind: f64,
    pub(crate) optimal: f64,
}

impl Sample {
    pub(crate) fn profile(&self) -> (&str, &str, &str) {
        (&self.age_group, &self.gender, &self.city_tier)
    }
}

pub(crate) fn go_on(_progress: &Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// The rows of a CSV file under the header it must have.
pub(crate) fn rows(file: &Path, header: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(file).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(header));
    let rows: Vec<Vec<String>> = lines.map(|line| line.split(',').map(str::to_owned).collect()).collect();
    let width = header.split(',').count();
    assert!(rows.iter().all(|row| row.len() == width), "{}", file.display());
    rows
}

pub(crate) fn samples(file: &Path) -> Vec<Sample> {
    let header = "label,user,time,age_group,gender,city_tier,item,category,department,price,history_items,\
                  history_categories,negative_items,negative_categories,blind_probability,true_probability";
    let list = |text: &str| text.split('|').filter(|term| !term.is_empty()).map(|term| term.parse().unwrap()).collect();
    rows(file, header)
        .into_iter()
        .map(|row| Sample {
            label: row[0].parse().unwrap(),
            user: row[1].parse().unwrap(),
            time: row[2].parse().unwrap(),
            age_group: row[3].clone(),
            gender: row[4].clone(),
            city_tier: row[5].clone(),
            item: row[6].parse().unwrap(),
            category: row[7].parse().unwrap(),
            department: row[8].parse().unwrap(),
            price: row[9].parse().unwrap(),
            history_items: list(&row[10]),
            history_categories: list(&row[11]),
            negative_items: list(&row[12]),
            negative_categories: list(&row[13]),
            blind: row[14].parse().unwrap(),
            optimal: row[15].parse().unwrap(),
        })
        .collect()
}

/// Train and test samples of a shop.
pub(crate) fn generate(config: &ShopConfig) -> (Vec<Sample>, Vec<Sample>) {
    let folder = tempfile::tempdir().unwrap();
    let files = config.check().unwrap().write_samples(folder.path(), &mut go_on).unwrap();
    let (train, test) = (samples(&files.train), samples(&files.test));
    assert_eq!((train.len() as u64, test.len() as u64), (files.train_samples, files.test_samples));
    (train, test)
}

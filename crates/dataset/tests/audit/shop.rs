//! A dataset without faults, to plant them in.

use std::fmt::Write;
use std::ops::ControlFlow;

use fain_dataset::{Audit, AuditConfig, DataConfig, Dataset, Finding, FindingKind, Severity, SplitName, audit};
use fain_features::SchemaConfig;
use tempfile::TempDir;

pub(crate) use fain_dataset::FindingKind as Kind;
pub(crate) use fain_dataset::Severity::{Fault, Note, Warning};
pub(crate) use fain_dataset::SplitName::{Test, Train, Validation};

pub(crate) const USERS: u64 = 40;
pub(crate) const ITEMS: u64 = 150;

/// One row of a source, before it is text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) label: u8,
    pub(crate) user: String,
    pub(crate) time: i64,
    pub(crate) item: u64,
    /// Oldest event first.
    pub(crate) history: Vec<u64>,
    /// Items that the user did not choose.
    pub(crate) negatives: Vec<u64>,
    /// Of the events.
    pub(crate) times: Vec<i64>,
    pub(crate) price: i32,
    pub(crate) colour: String,
}

/// The sources of a dataset.
#[derive(Debug, Clone)]
pub(crate) struct Shop {
    pub(crate) train: Vec<Row>,
    pub(crate) validation: Vec<Row>,
    pub(crate) test: Vec<Row>,
}

/// Numbers that look random and are the same each time.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

impl Row {
    fn draw(numbers: &mut Numbers, time: i64) -> Self {
        let item = numbers.below(ITEMS);
        let mut others = Vec::new();
        while others.len() < 12 {
            let other = numbers.below(ITEMS);
            if other != item && !others.contains(&other) {
                others.push(other);
            }
        }
        let negatives = others.split_off(8);
        others.truncate(numbers.below(9) as usize);
        let times = (0..others.len() as i64).map(|event| time - 100 + event).collect();
        Self {
            label: u8::from(numbers.below(5) < 2),
            user: format!("u{}", numbers.below(USERS)),
            time,
            item,
            history: others,
            negatives,
            times,
            price: numbers.below(1_000_000) as i32,
            colour: ["red", "green", "blue"][numbers.below(3) as usize].to_owned(),
        }
    }
}

fn joined<T: ToString>(values: &[T]) -> String {
    values.iter().map(T::to_string).collect::<Vec<_>>().join("|")
}

/// The rows with the other label.
pub(crate) fn flipped(rows: &[Row]) -> Vec<Row> {
    rows.iter().map(|row| Row { label: 1 - row.label, ..row.clone() }).collect()
}

pub(crate) fn text(rows: &[Row]) -> String {
    let mut text = "click,user,time,item,history,negatives,times,price,colour,group\n".to_owned();
    for row in rows {
        let Row { label, user, time, item, history, negatives, times, price, colour } = row;
        let (history, negatives, times) = (joined(history), joined(negatives), joined(times));
        let group = item / 10;
        writeln!(text, "{label},{user},{time},{item},{history},{negatives},{times},{price},{colour},{group}").unwrap();
    }
    text
}

impl Shop {
    /// 2000 training rows, then 600 validation rows, then 600 test rows.
    pub(crate) fn clean() -> Self {
        let mut numbers = Numbers(7);
        let mut rows =
            |start: i64, count: i64| (start..start + count).map(|time| Row::draw(&mut numbers, time)).collect();
        Self { train: rows(1000, 2000), validation: rows(3000, 600), test: rows(3600, 600) }
    }

    pub(crate) fn splits(&mut self) -> [&mut Vec<Row>; 3] {
        [&mut self.train, &mut self.validation, &mut self.test]
    }

    pub(crate) fn each(&mut self, mut change: impl FnMut(&mut Row)) {
        self.splits().into_iter().flatten().for_each(&mut change);
    }

    pub(crate) fn dataset(&self, schema: &str) -> (TempDir, Dataset) {
        let folder = tempfile::tempdir().unwrap();
        for (name, rows) in [("train", &self.train), ("validation", &self.validation), ("test", &self.test)] {
            std::fs::write(folder.path().join(format!("{name}.csv")), text(rows)).unwrap();
        }
        let config = "train = 'train.csv'\nvalidation.file = 'validation.csv'\ntest = 'test.csv'";
        let mut config: DataConfig = toml::from_str(config).unwrap();
        config.root = folder.path().into();
        config.cache = folder.path().join("cache");
        let schema: SchemaConfig = toml::from_str(schema).unwrap();
        let dataset = Dataset::prepare(&config, &schema.check().unwrap(), &mut |_| ControlFlow::Continue(())).unwrap();
        (folder, dataset)
    }

    /// The audit with the negatives named.
    pub(crate) fn audit(&self) -> Audit {
        self.audit_with(SCHEMA, "")
    }

    pub(crate) fn audit_with(&self, schema: &str, config: &str) -> Audit {
        let (_folder, dataset) = self.dataset(schema);
        let mut config: AuditConfig = toml::from_str(config).unwrap();
        config.negatives = vec!["negatives".to_owned()];
        audit(&dataset, &config, &mut |_| ControlFlow::Continue(())).unwrap()
    }
}

pub(crate) const SCHEMA: &str = r#"
label = "click"
group = "user"
time = "time"
features.user = { kind = "category" }
features.item = { kind = "category" }
features.history = { kind = "sequence", max_length = 8, vocabulary = "item" }
features.negatives = { kind = "sequence", max_length = 8, vocabulary = "item" }
features.times = { kind = "times", max_length = 8 }
features.price = { kind = "numeric", scale = "none" }
features.colour = { kind = "category" }
"#;

/// What a finding is, without its words.
pub(crate) type Short<'a> = (Severity, FindingKind, Vec<&'a str>, Vec<SplitName>);

pub(crate) fn short(audit: &Audit) -> Vec<Short<'_>> {
    audit
        .findings
        .iter()
        .map(|one| (one.severity, one.kind, one.features.iter().map(String::as_str).collect(), one.splits.clone()))
        .collect()
}

/// The one finding that is of this kind.
pub(crate) fn only(audit: &Audit, kind: FindingKind) -> &Finding {
    let found: Vec<&Finding> = audit.findings.iter().filter(|finding| finding.kind == kind).collect();
    assert_eq!(found.len(), 1, "{audit}");
    found[0]
}

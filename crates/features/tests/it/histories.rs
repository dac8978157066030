//! Rows of one user after the other, whose histories move on: many at once are the same as each alone.

use fain_features::{Binding, CsvConfig, EncoderFitter, Parts, Record, Samples, TableReader};
use proptest::prelude::*;

use crate::files::TestFile;
use crate::fitted::schema;

const SCHEMA: &str = "\
label = 'y'
features.item = { kind = 'category' }
features.age = { kind = 'numeric', scale = 'quantile' }
features.height = { kind = 'bucket', quantiles = 3 }
features.last = { kind = 'sequence', max_length = 4, vocabulary = 'item' }
features.first = { kind = 'sequence', max_length = 4, keep = 'first', min_count = 2 }
features.long = { kind = 'sequence', max_length = 50, separator = '::' }
features.far = { kind = 'sequence', max_length = 5, separator = '→', buckets = 7 }
features.weighted = { kind = 'sequence', max_length = 5, weight_separator = ':' }
features.times = { kind = 'times', max_length = 5 }
";

/// From which event to which a row's history goes, as steps from the row before.
#[derive(Debug, Clone)]
struct Step {
    item: u32,
    dropped: usize,
    added: usize,
    user: bool,
}

fn step() -> impl Strategy<Value = Step> {
    let step = (0..4_u32, prop::sample::select(vec![0, 0, 0, 1, 1, 2, 7]), 0..3_usize, prop::bool::weighted(0.1));
    step.prop_map(|(item, dropped, added, user)| Step { item, dropped, added, user })
}

/// A list of the events in a column: some terms are empty, and they have one digit or two.
fn list(events: &[u32], separator: &str, term: impl Fn(u32) -> String) -> String {
    events.iter().map(|&event| term(event)).collect::<Vec<_>>().join(separator)
}

fn text(events: &[u32], steps: &[Step]) -> String {
    let mut lines =
        vec!["y,item,age,height,last,first,long,far,weighted,times".to_owned(), "1,1,20,150,,,,,,".to_owned()];
    let (mut start, mut end, mut user) = (0, 0, 0_usize);
    for step in steps {
        end = (end + step.added).min(events.len());
        start = (start + step.dropped).min(end);
        if step.user {
            (start, end, user) = (0, 0, user + 1);
        }
        let history = &events[start..end];
        let term = |event: u32| if event == 0 { String::new() } else { event.to_string() };
        let fields = [
            list(history, "|", term),
            list(history, "|", term),
            list(history, "::", term),
            list(history, "→", term),
            list(history, "|", |event| format!("{}:{}", event % 5, event % 3)),
            list(history, "|", |event| event.to_string()),
        ];
        let (item, age) = (step.item, 20 + user % 3);
        lines.push(format!("0,{item},{age},{},{}", 150 + age, fields.join(",")));
    }
    lines.join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn histories_that_move_on_are_read_as_if_each_stood_alone(
        events in prop::collection::vec(0..30_u32, 0..60),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let file = TestFile::new("rows.csv", text(&events, &steps));
        let schema = schema(SCHEMA);
        let mut table = TableReader::open(file.path(), &CsvConfig::default()).unwrap();
        let parts = Parts::of(&schema);
        let binding = Binding::new(&schema, parts, table.header(), file.path()).unwrap();
        let (mut records, mut record) = (Vec::new(), Record::new());
        while table.read(&mut record).unwrap() {
            records.push(record.clone());
        }

        let (mut alone, mut together) = (EncoderFitter::new(schema.clone()), EncoderFitter::new(schema.clone()));
        for record in &records {
            alone.observe(record, &binding).unwrap();
        }
        together.observe_rows(&records, &binding).unwrap();
        let encoders = alone.finish().unwrap();
        prop_assert_eq!(together.finish().unwrap().to_json().unwrap(), encoders.to_json().unwrap());

        let (mut alone, mut together) = (Samples::new(&schema, parts), Samples::new(&schema, parts));
        for record in &records {
            encoders.encode(record, &binding, &mut alone).unwrap();
        }
        encoders.encode_rows(&records, &binding, &mut together).unwrap();
        prop_assert_eq!(together, alone);
    }
}

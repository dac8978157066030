//! What was written is read.

use fain_samples::{Part, SamplesFolder, StoredColumn, Values};
use fain_storage::Chunks;
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

use crate::star::{Star, stars};
use crate::support::{FULL, Written};

fn all<T: arrow_buffer::ArrowNativeType>(chunks: &Chunks<T>) -> Vec<T> {
    chunks.slices().flatten().copied().collect()
}

/// Values that can be compared: `NaN` as its bits.
fn comparable(values: &Values) -> Vec<Vec<u64>> {
    match values {
        Values::Term(codes) => codes.iter().map(|code| vec![u64::from(*code)]).collect(),
        Values::Number(numbers) => numbers.iter().map(|number| vec![number.to_bits()]).collect(),
        Values::Terms(lists) => {
            let list = |row| lists.get(row).unwrap().iter().map(|code| u64::from(*code)).collect();
            (0..lists.len()).map(list).collect()
        }
    }
}

fn stored(column: &StoredColumn, rows: u64) -> Vec<Vec<u64>> {
    let row = |row| match column {
        StoredColumn::Term(codes) => vec![u64::from(codes.at(row))],
        StoredColumn::Number(numbers) => vec![numbers.at(row).to_bits()],
        StoredColumn::Terms(lists) => lists.list(row).iter().map(|code| u64::from(*code)).collect(),
    };
    (0..rows).map(row).collect()
}

fn check_columns(found: &[StoredColumn], rows: u64, written: &[Values]) {
    let found: Vec<_> = found.iter().map(|column| stored(column, rows)).collect();
    assert_eq!(found, written.iter().map(comparable).collect::<Vec<_>>());
}

/// Everything in a folder must be as in a star.
pub(crate) fn check(folder: &SamplesFolder, star: &Star) {
    assert_eq!(folder.layout(), &star.layout);
    assert_eq!(folder.manifest().negatives, star.negatives);
    for part in Part::ALL {
        let (found, written) = (folder.rows(part), star.rows.get(part));
        assert_eq!(found.rows, written.labels.len() as u64);
        assert_eq!(found.positives, written.labels.iter().map(|label| u64::from(*label)).sum::<u64>());
        assert_eq!(all(&found.labels), written.labels);
        assert_eq!(all(&found.users), written.users);
        assert_eq!(all(&found.items), written.items);
        assert_eq!(all(&found.history_ends), written.history_ends);
        assert_eq!(found.times.as_ref().map(all).unwrap_or_default(), written.times);
        check_columns(&found.columns, found.rows, &written.columns);
    }
    let events = folder.events();
    assert_eq!(all(&events.items), star.events.items);
    assert_eq!(events.times.is_some(), star.layout.time.is_some());
    assert_eq!(events.times.as_ref().map(all).unwrap_or_default(), star.events.times);
    check_columns(&events.columns, events.rows, &star.events.columns);
    let users = folder.users();
    assert_eq!(all(&users.events_starts), star.users.events_starts);
    assert_eq!(all(&users.events_ends), star.users.events_ends);
    assert_eq!(all(&users.window_ends), star.users.window_ends);
    check_columns(&users.columns, users.rows, &star.users.columns);
    assert_eq!(all(&folder.items().counts), star.items.counts);
    check_columns(&folder.items().columns, folder.items().rows, &star.items.columns);
    for (table, texts) in &star.terms {
        assert_eq!(folder.terms(*table).unwrap().iter().collect::<Vec<_>>(), *texts);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_written_is_read(star in stars()) {
        check(&Written::new(&star).open(), &star);
    }

    /// Blocks of any size give the same bytes.
    #[test]
    fn blocks_leave_no_trace(star in stars(), block in 1_usize..9) {
        let (whole, pieces) = (Written::new(&star), Written::in_blocks(&star, block));
        prop_assert_eq!(whole.files(), pieces.files());
        for file in whole.files() {
            prop_assert_eq!(whole.read(&file), pieces.read(&file));
        }
    }

    /// A history is the last events before its end, and no others.
    #[test]
    fn histories(star in stars(), user in any::<u32>(), end in any::<u32>()) {
        let folder = Written::new(&star).open();
        for part in Part::ALL {
            let rows = star.rows.get(part);
            for (user, end) in rows.users.iter().zip(&rows.history_ends) {
                let start = star.users.events_starts[*user as usize];
                let all: Vec<u64> = (u64::from(start)..u64::from(*end)).collect();
                let kept = all.len().saturating_sub(star.layout.max_length as usize);
                prop_assert_eq!(folder.history(*user, *end).collect::<Vec<_>>(), &all[kept..]);
            }
        }
        // Arguments from elsewhere never lead to more events than there may be.
        let any = folder.history(user, end);
        prop_assert!(any.start <= any.end && any.end - any.start <= u64::from(star.layout.max_length));
    }
}

#[test]
fn a_folder_opens_anywhere() {
    let star = Star::random(FULL);
    let written = Written::new(&star);
    let moved = written.path.with_file_name("moved");
    std::fs::rename(&written.path, &moved).unwrap();
    check(&SamplesFolder::open(&moved).unwrap(), &star);
}

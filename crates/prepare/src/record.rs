//! A row of the log as it waits to be sorted: a few bytes instead of its texts.

use fain_samples::{Kind, Values};

use crate::columns::Value;

/// Bytes before the columns: time, user, item, flags.
const HEAD: usize = 8 + 4 + 4 + 1;
const POSITIVE: u8 = 1;
const IN_HISTORY: u8 = 2;
const MAY_BE_SAMPLE: u8 = 4;
const FOLLOWS: u8 = 8;

/// What every row of the log has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the answers of four rules, which are independent")]
pub(crate) struct Head {
    pub(crate) time: i64,
    pub(crate) user: u32,
    pub(crate) item: u32,
    pub(crate) positive: bool,
    pub(crate) in_history: bool,
    pub(crate) may_be_sample: bool,
    pub(crate) follows: bool,
}

impl Head {
    fn to_bytes(self) -> [u8; HEAD] {
        let flags = [
            (self.positive, POSITIVE),
            (self.in_history, IN_HISTORY),
            (self.may_be_sample, MAY_BE_SAMPLE),
            (self.follows, FOLLOWS),
        ];
        let mut bytes = [0; HEAD];
        bytes[..8].copy_from_slice(&self.time.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.user.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.item.to_le_bytes());
        bytes[16] = flags.into_iter().map(|(holds, flag)| u8::from(holds) * flag).sum();
        bytes
    }

    /// The head of a record that [`RecordFormat::write`] wrote.
    pub(crate) fn read(record: &[u8]) -> Self {
        let flags = record[16];
        Self {
            time: i64::from_le_bytes(array(record, 0)),
            user: u32::from_le_bytes(array(record, 8)),
            item: u32::from_le_bytes(array(record, 12)),
            positive: flags & POSITIVE != 0,
            in_history: flags & IN_HISTORY != 0,
            may_be_sample: flags & MAY_BE_SAMPLE != 0,
            follows: flags & FOLLOWS != 0,
        }
    }
}

fn array<const N: usize>(bytes: &[u8], start: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[start..start + N]);
    array
}

/// How records lie in memory and in spilled files: the head, the hash of the row if there is one, the length of the
/// record if it has lists, the columns of the event, those of the row. A term is its code, a number its bits, a list its
/// length and its codes.
#[derive(Debug, Clone)]
pub(crate) struct RecordFormat {
    hashed: bool,
    lists: bool,
    /// Where the length is, if there is one.
    length: usize,
    /// Where the columns of the event begin.
    event: usize,
    /// Where the columns of the row begin.
    row: usize,
    /// Bytes of a record without lists; a record with lists has no fewer.
    fixed: usize,
    /// The columns of the event, then those of the row.
    kinds: Vec<Kind>,
}

/// New numbers for the codes of records.
#[derive(Debug, Default)]
pub(crate) struct Codes {
    pub(crate) users: Vec<u32>,
    pub(crate) items: Vec<u32>,
    /// For each column of the event, then of the row.
    pub(crate) columns: Vec<Vec<u32>>,
}

impl RecordFormat {
    /// Of the columns of events, which hold no lists, and of rows. `hashed`: whether every row has a hash.
    pub(crate) fn new(event: &[Kind], row: &[Kind], hashed: bool) -> Self {
        let width = |kinds: &[Kind]| kinds.iter().map(|kind| if *kind == Kind::Number { 8 } else { 4 }).sum::<usize>();
        let lists = row.contains(&Kind::Terms);
        let length = HEAD + if hashed { 8 } else { 0 };
        let start = length + if lists { 4 } else { 0 };
        let row_start = start + width(event);
        let kinds = [event, row].concat();
        Self { hashed, lists, length, event: start, row: row_start, fixed: row_start + width(row), kinds }
    }

    /// Begins a record at the end of `out`. Its columns must follow, then [`RecordFormat::finish`].
    pub(crate) fn begin(&self, head: Head, hash: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(&head.to_bytes());
        if self.hashed {
            out.extend_from_slice(&hash.to_le_bytes());
        }
        out.resize(out.len() + self.event - self.length, 0);
    }

    /// Appends the next column of a record; `list` holds the terms of a list.
    pub(crate) fn push(value: Value, list: &[u32], out: &mut Vec<u8>) {
        match value {
            Value::Term(code) => out.extend_from_slice(&code.to_le_bytes()),
            Value::Number(number) => out.extend_from_slice(&number.to_le_bytes()),
            Value::Terms => {
                out.extend_from_slice(&(list.len() as u32).to_le_bytes());
                for code in list {
                    out.extend_from_slice(&code.to_le_bytes());
                }
            }
        }
    }

    /// Ends the record that began at `start`.
    pub(crate) fn finish(&self, start: usize, out: &mut [u8]) {
        if self.lists {
            let length = (out.len() - start) as u32;
            let place = start + self.length;
            out[place..place + 4].copy_from_slice(&length.to_le_bytes());
        }
    }

    /// Replaces every code of a record, for which `codes` must have a number.
    pub(crate) fn recode(&self, record: &mut [u8], codes: &Codes) {
        recode(record, 8, &codes.users);
        recode(record, 12, &codes.items);
        let mut place = self.event;
        for (kind, codes) in self.kinds.iter().zip(&codes.columns) {
            match kind {
                Kind::Term => recode(record, place, codes),
                Kind::Number => place += 4,
                Kind::Terms => {
                    for _ in 0..u32::from_le_bytes(array(record, place)) {
                        place += 4;
                        recode(record, place, codes);
                    }
                }
            }
            place += 4;
        }
    }

    /// Bytes of every record at least; so many tell its length.
    pub(crate) fn shortest(&self) -> usize {
        self.fixed
    }

    /// Bytes of the record that begins with `start`.
    pub(crate) fn length(&self, start: &[u8]) -> usize {
        if self.lists { u32::from_le_bytes(array(start, self.length)) as usize } else { self.fixed }
    }

    /// The hash of a record's row; 0 if rows have none.
    pub(crate) fn hash(&self, record: &[u8]) -> u64 {
        if self.hashed { u64::from_le_bytes(array(record, HEAD)) } else { 0 }
    }

    /// Appends the columns of a record's event.
    pub(crate) fn read_event(&self, record: &[u8], columns: &mut [Values]) {
        read_columns(&record[self.event..], columns);
    }

    /// Appends the columns of a record's row.
    pub(crate) fn read_row(&self, record: &[u8], columns: &mut [Values]) {
        read_columns(&record[self.row..], columns);
    }
}

/// Replaces the code at a place of a record.
fn recode(record: &mut [u8], place: usize, codes: &[u32]) {
    let code = codes[u32::from_le_bytes(array(record, place)) as usize];
    record[place..place + 4].copy_from_slice(&code.to_le_bytes());
}

fn read_columns(bytes: &[u8], columns: &mut [Values]) {
    let mut place = 0;
    for column in columns {
        match column {
            Values::Term(codes) => codes.push(u32::from_le_bytes(array(bytes, place))),
            Values::Number(numbers) => numbers.push(f64::from_le_bytes(array(bytes, place))),
            Values::Terms(lists) => {
                let length = u32::from_le_bytes(array(bytes, place)) as usize;
                let codes = bytes[place + 4..place + 4 + 4 * length].chunks_exact(4);
                lists.push(codes.map(|code| u32::from_le_bytes(array(code, 0))));
                place += 4 * length;
            }
        }
        place += if matches!(column, Values::Number(_)) { 8 } else { 4 };
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;

    fn kind(value: Value) -> Kind {
        match value {
            Value::Term(_) => Kind::Term,
            Value::Number(_) => Kind::Number,
            Value::Terms => Kind::Terms,
        }
    }

    /// A column of the values that it should hold after one record.
    fn column(value: Value, list: &[u32]) -> Values {
        let mut values = Values::new(kind(value));
        match &mut values {
            Values::Term(codes) => codes.extend(if let Value::Term(code) = value { Some(code) } else { None }),
            Values::Number(numbers) => {
                numbers.extend(if let Value::Number(number) = value { Some(number) } else { None });
            }
            Values::Terms(lists) => lists.push(list.iter().copied()),
        }
        values
    }

    fn scalar() -> impl Strategy<Value = Value> {
        prop_oneof![any::<u32>().prop_map(Value::Term), (-1e9_f64..1e9).prop_map(Value::Number)]
    }

    fn head() -> impl Strategy<Value = Head> {
        (any::<i64>(), any::<u32>(), any::<u32>(), any::<[bool; 4]>()).prop_map(
            |(time, user, item, [positive, in_history, may_be_sample, follows])| Head {
                time,
                user,
                item,
                positive,
                in_history,
                may_be_sample,
                follows,
            },
        )
    }

    /// Every code gets its new number, and nothing else changes.
    #[test]
    fn a_record_is_recoded_as_if_it_had_been_written_so() {
        let (event, row) = ([Kind::Number, Kind::Term], [Kind::Terms, Kind::Term, Kind::Number, Kind::Terms]);
        let format = RecordFormat::new(&event, &row, true);
        let head =
            Head { time: -3, user: 1, item: 2, positive: false, in_history: true, may_be_sample: true, follows: false };
        let write = |head: Head, codes: [u32; 5]| {
            let [one, two, three, four, five] = codes;
            let mut bytes = Vec::new();
            format.begin(head, 99, &mut bytes);
            RecordFormat::push(Value::Number(0.5), &[], &mut bytes);
            RecordFormat::push(Value::Term(one), &[], &mut bytes);
            RecordFormat::push(Value::Terms, &[two, three], &mut bytes);
            RecordFormat::push(Value::Term(four), &[], &mut bytes);
            RecordFormat::push(Value::Number(f64::NAN), &[], &mut bytes);
            RecordFormat::push(Value::Terms, &[five], &mut bytes);
            format.finish(0, &mut bytes);
            bytes
        };
        let codes = Codes {
            users: vec![9, 8],
            items: vec![9, 9, 7],
            columns: vec![vec![], vec![50], vec![60, 61], vec![70, 71, 72], vec![], vec![80]],
        };
        let mut record = write(head, [0, 1, 0, 2, 0]);
        format.recode(&mut record, &codes);
        assert_eq!(record, write(Head { user: 8, item: 7, ..head }, [50, 61, 60, 72, 80]));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_record_is_read_as_it_was_written(
            head in head(),
            hash in prop::option::of(any::<u64>()),
            event in prop::collection::vec(scalar(), 0..3),
            row in prop::collection::vec((prop_oneof![scalar(), Just(Value::Terms)], prop::collection::vec(any::<u32>(), 0..4)), 0..4),
        ) {
            let kinds = |values: &[Value]| values.iter().copied().map(kind).collect::<Vec<_>>();
            let row_values: Vec<Value> = row.iter().map(|(value, _)| *value).collect();
            let format = RecordFormat::new(&kinds(&event), &kinds(&row_values), hash.is_some());
            // Another record before it: its place must not matter.
            let mut bytes = vec![7; 5];
            format.begin(head, hash.unwrap_or(9), &mut bytes);
            for value in &event {
                RecordFormat::push(*value, &[], &mut bytes);
            }
            for (value, list) in &row {
                RecordFormat::push(*value, list, &mut bytes);
            }
            format.finish(5, &mut bytes);

            let record = bytes.split_off(5);
            prop_assert!(bytes.iter().all(|byte| *byte == 7));
            let record = &record;
            prop_assert_eq!(Head::read(record), head);
            prop_assert_eq!(format.hash(record), hash.unwrap_or(0));
            prop_assert_eq!(format.length(&record[..format.shortest()]), record.len());
            let mut found: Vec<Values> = kinds(&event).into_iter().map(Values::new).collect();
            format.read_event(record, &mut found);
            prop_assert_eq!(found, event.iter().map(|value| column(*value, &[])).collect::<Vec<_>>());
            let mut found: Vec<Values> = kinds(&row_values).into_iter().map(Values::new).collect();
            format.read_row(record, &mut found);
            prop_assert_eq!(found, row.iter().map(|(value, list)| column(*value, list)).collect::<Vec<_>>());
        }
    }
}

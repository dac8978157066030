//! Random samples folders. The generator is small and its own, so that a test of another crate can include this file.

use std::path::Path;

use fain_samples::{
    ByPart, CandidateNegatives, CodeLists, ColumnInfo, Distribution, Draw, EventBlock, Exclude, Field, ItemBlock, Kind,
    Layout, Manifest, NegativeRule, Negatives, Part, Place, RowBlock, SamplesWriter, TermTable, UserBlock, Values,
};
use proptest::prelude::{Strategy, any};

/// A samples folder in memory.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Star {
    pub(crate) layout: Layout,
    pub(crate) negatives: Negatives,
    pub(crate) rows: ByPart<RowBlock>,
    pub(crate) events: EventBlock,
    pub(crate) users: UserBlock,
    pub(crate) items: ItemBlock,
    pub(crate) terms: Vec<(TermTable, Vec<String>)>,
}

/// What a random star is like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) users: u32,
    /// At least 4.
    pub(crate) items: u32,
    pub(crate) max_length: u32,
    pub(crate) times: bool,
    pub(crate) columns: bool,
    pub(crate) candidates: Option<u32>,
    pub(crate) history: bool,
    pub(crate) seed: u64,
}

/// Any small star. Something is left to draw for every row.
pub(crate) fn stars() -> impl Strategy<Value = Star> {
    let candidates = (any::<bool>(), 1_u32..4).prop_map(|(some, number)| some.then_some(number));
    (0_u32..6, 4_u32..12, 1_u32..6, any::<[bool; 3]>(), candidates, any::<u64>()).prop_map(
        |(users, items, max_length, [times, columns, history], candidates, seed)| {
            Star::random(Shape { users, items, max_length, times, columns, candidates, history, seed })
        },
    )
}

/// Steele, Lea and Flood's `SplitMix64`.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u32) -> u32 {
        (self.next() % u64::from(bound)) as u32
    }
}

/// Texts that a careless writer would break. The first is the missing one.
const TEXTS: [&str; 6] = ["", "plain", "a, \"quoted\" one", "two\nlines", "Ünïcode", " spaces "];

fn column(name: &str, kind: Kind) -> ColumnInfo {
    ColumnInfo { name: name.to_owned(), kind }
}

impl Shape {
    fn layout(self) -> Layout {
        let columns = |columns: &[ColumnInfo]| if self.columns { columns.to_vec() } else { Vec::new() };
        Layout {
            user: "userId".to_owned(),
            item: "movieId".to_owned(),
            time: self.times.then(|| "timestamp".to_owned()),
            max_length: self.max_length,
            row_columns: columns(&[
                column("device", Kind::Term),
                column("hour", Kind::Number),
                column("tags", Kind::Terms),
            ]),
            event_columns: columns(&[column("rating", Kind::Number), column("behaviour", Kind::Term)]),
            user_columns: columns(&[column("gender", Kind::Term), column("age", Kind::Number)]),
            item_columns: columns(&[
                column("genres", Kind::Terms),
                column("genre", Kind::Term),
                column("price", Kind::Number),
            ]),
        }
    }

    fn negatives(self) -> Negatives {
        let rule = |exclude, distribution| NegativeRule { distribution, exclude, draw: Draw::Fixed, seed: self.seed };
        Negatives {
            candidates: self.candidates.map(|per_positive| CandidateNegatives {
                per_positive,
                rule: rule(Exclude::Past, Distribution::Popularity(0.75)),
            }),
            history: self.history.then(|| rule(Exclude::Window, Distribution::Uniform)),
        }
    }
}

impl Star {
    /// A star of a shape; the same for the same shape.
    pub(crate) fn random(shape: Shape) -> Self {
        let layout = shape.layout();
        let mut star = Self {
            negatives: shape.negatives(),
            rows: ByPart::try_from_fn(|_| Ok::<_, ()>(RowBlock::new(&layout))).unwrap(),
            events: EventBlock::new(&layout),
            users: UserBlock::new(&layout),
            items: ItemBlock { counts: vec![0; shape.items as usize], ..ItemBlock::new(&layout) },
            terms: Vec::new(),
            layout,
        };
        let mut numbers = Numbers(shape.seed);
        for user in 0..shape.users {
            // So that two items are left to draw.
            let events = numbers.below(shape.items - 2);
            let items: Vec<u32> = (0..events).map(|_| numbers.below(shape.items)).collect();
            let window = numbers.below(events + 1);
            let cuts: Vec<u32> = (0..=events).filter(|_| numbers.below(3) > 0).collect();
            star.add_user(user, &items, window, &cuts, &mut numbers);
        }
        // One user has chosen everything, so that every item can be drawn; there are no samples of this one.
        let all: Vec<u32> = (0..shape.items).collect();
        star.add_user(shape.users, &all, shape.items, &[], &mut numbers);
        star.add_terms(shape, &mut numbers);
        star
    }

    fn add_user(&mut self, user: u32, items: &[u32], window: u32, cuts: &[u32], numbers: &mut Numbers) {
        let start = self.events.items.len() as u32;
        self.users.events_starts.push(start);
        self.users.events_ends.push(start + items.len() as u32);
        self.users.window_ends.push(start + window);
        for (place, item) in (0..).zip(items) {
            self.events.items.push(*item);
            if self.layout.time.is_some() {
                self.events.times.push(i64::from(place / 2) - 3);
            }
            if place < window {
                self.items.counts[*item as usize] += 1;
            }
        }
        for cut in cuts {
            let part = if *cut < window { Part::Train } else { [Part::Validation, Part::Test][(*cut % 2) as usize] };
            let rows = self.rows.get_mut(part);
            let positive = self.negatives.candidates.is_some() || numbers.below(2) == 1;
            rows.labels.push(u8::from(positive));
            rows.users.push(user);
            rows.items.push(numbers.below(self.items.counts.len() as u32));
            rows.history_ends.push(start + cut);
            if self.layout.time.is_some() {
                rows.times.push(i64::from(*cut));
            }
        }
    }

    /// Fills the named columns, and makes the texts that all codes point to.
    fn add_terms(&mut self, shape: Shape, numbers: &mut Numbers) {
        for part in Part::ALL {
            let rows = self.rows.get_mut(part);
            fill(&mut rows.columns, rows.labels.len(), numbers);
        }
        fill(&mut self.events.columns, self.events.items.len(), numbers);
        fill(&mut self.users.columns, self.users.events_starts.len(), numbers);
        fill(&mut self.items.columns, self.items.counts.len(), numbers);
        for table in self.layout.term_tables() {
            let texts = match table {
                TermTable::User(Field::Key) => (0..=shape.users).map(|user| format!("u{user}")).collect(),
                TermTable::Item(Field::Key) => (0..shape.items).map(|item| format!("film {item}")).collect(),
                _ => TEXTS.map(str::to_owned).to_vec(),
            };
            self.terms.push((table, texts));
        }
    }

    /// Writes the star, in blocks of `block` rows.
    pub(crate) fn write(&self, folder: &Path, block: usize) -> Manifest {
        let mut writer = SamplesWriter::create(folder, self.layout.clone(), self.negatives.clone()).unwrap();
        for (table, texts) in &self.terms {
            texts.chunks(block).for_each(|texts| writer.write_terms(*table, texts).unwrap());
        }
        for start in (0..self.users.events_starts.len()).step_by(block) {
            writer.write_users(&part_of_users(&self.users, start, block)).unwrap();
        }
        for part in Part::ALL {
            let rows = self.rows.get(part);
            for start in (0..rows.labels.len()).step_by(block) {
                writer.write_rows(part, &part_of_rows(rows, start, block)).unwrap();
            }
        }
        for start in (0..self.events.items.len()).step_by(block) {
            let EventBlock { items, times, columns } = &self.events;
            let columns = part_of_columns(columns, start, block);
            let block = EventBlock { items: piece(items, start, block), times: piece(times, start, block), columns };
            writer.write_events(&block).unwrap();
        }
        for start in (0..self.items.counts.len()).step_by(block) {
            let columns = part_of_columns(&self.items.columns, start, block);
            writer.write_items(&ItemBlock { counts: piece(&self.items.counts, start, block), columns }).unwrap();
        }
        writer.finish(serde_json::json!({ "seed": 1 }), vec![]).unwrap()
    }

    /// The text of a code.
    pub(crate) fn text(&self, table: TermTable, code: u32) -> &str {
        let (_, texts) = self.terms.iter().find(|(of, _)| *of == table).unwrap();
        &texts[code as usize]
    }

    /// The columns of a place, outside of samples.
    pub(crate) fn columns(&self, place: Place) -> &[Values] {
        match place {
            Place::Row => &[],
            Place::Event => &self.events.columns,
            Place::User => &self.users.columns,
            Place::Item => &self.items.columns,
        }
    }
}

fn fill(columns: &mut [Values], rows: usize, numbers: &mut Numbers) {
    for column in columns {
        for _ in 0..rows {
            match column {
                Values::Term(codes) => codes.push(numbers.below(TEXTS.len() as u32)),
                // Tenths, so that their texts are long, and some that are missing.
                Values::Number(values) => values.push(match numbers.below(5) {
                    0 => f64::NAN,
                    _ => f64::from(numbers.below(1000)) / 10.0 - 50.0,
                }),
                Values::Terms(lists) => {
                    // No list of one missing term: it cannot be written in line.
                    let length = numbers.below(4);
                    lists.push((0..length).map(|_| 1 + numbers.below(TEXTS.len() as u32 - 1)));
                }
            }
        }
    }
}

fn piece<T: Copy>(values: &[T], start: usize, length: usize) -> Vec<T> {
    values.iter().copied().skip(start).take(length).collect()
}

fn part_of_columns(columns: &[Values], start: usize, length: usize) -> Vec<Values> {
    let part = |column: &Values| match column {
        Values::Term(codes) => Values::Term(piece(codes, start, length)),
        Values::Number(numbers) => Values::Number(piece(numbers, start, length)),
        Values::Terms(lists) => {
            let mut part = CodeLists::default();
            for list in (start..lists.len().min(start + length)).filter_map(|row| lists.get(row)) {
                part.push(list.iter().copied());
            }
            Values::Terms(part)
        }
    };
    columns.iter().map(part).collect()
}

fn part_of_rows(rows: &RowBlock, start: usize, length: usize) -> RowBlock {
    RowBlock {
        labels: piece(&rows.labels, start, length),
        users: piece(&rows.users, start, length),
        items: piece(&rows.items, start, length),
        history_ends: piece(&rows.history_ends, start, length),
        times: piece(&rows.times, start, length),
        columns: part_of_columns(&rows.columns, start, length),
    }
}

fn part_of_users(users: &UserBlock, start: usize, length: usize) -> UserBlock {
    UserBlock {
        events_starts: piece(&users.events_starts, start, length),
        events_ends: piece(&users.events_ends, start, length),
        window_ends: piece(&users.window_ends, start, length),
        columns: part_of_columns(&users.columns, start, length),
    }
}

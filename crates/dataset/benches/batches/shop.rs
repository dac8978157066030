//! Samples that are made up.

use std::path::Path;

use fain_samples::{
    CandidateNegatives, Distribution, Draw, EventBlock, Exclude, Field, ItemBlock, Layout, NegativeRule, Negatives,
    Part, RowBlock, SamplesWriter, TermTable, UserBlock,
};

pub(crate) const SCHEMA: &str = "
    label = 'label'
    group = 'user'
    features.user = { kind = 'category' }
    features.item = { kind = 'category' }
    features.history = { kind = 'sequence', column = 'history.item', max_length = 50, vocabulary = 'item' }
";
/// One item beside each event of the history.
pub(crate) const NEGATIVES: &str = "
    features.negatives = { kind = 'sequence', column = 'negative.item', max_length = 50, vocabulary = 'item' }
";

/// How many users and items there are, and how many events each user has: the last one is a validation row, the others
/// are training rows, with one candidate drawn beside each.
pub(crate) struct Shop {
    pub(crate) users: u32,
    pub(crate) items: u32,
    pub(crate) events: u32,
}

impl Shop {
    /// Writes the samples of the shop into an empty folder.
    pub(crate) fn write(&self, folder: &Path) {
        let layout = Layout {
            user: "user".to_owned(),
            item: "item".to_owned(),
            time: None,
            max_length: 50,
            row_columns: Vec::new(),
            event_columns: Vec::new(),
            user_columns: Vec::new(),
            item_columns: Vec::new(),
        };
        let rule = || NegativeRule {
            distribution: Distribution::Popularity(0.75),
            exclude: Exclude::Past,
            draw: Draw::Epoch,
            seed: 1,
        };
        let candidates = Some(CandidateNegatives { per_positive: 1, rule: rule() });
        let negatives = Negatives { candidates, history: Some(rule()) };
        let mut writer = SamplesWriter::create(folder, layout.clone(), negatives).unwrap();
        writer.write_terms(TermTable::User(Field::Key), (0..self.users).map(|user| user.to_string())).unwrap();
        writer.write_terms(TermTable::Item(Field::Key), (0..self.items).map(|item| item.to_string())).unwrap();
        // A walk through the items that comes back to none within a user.
        let item = |event: u32| ((u64::from(event) * 7919) % u64::from(self.items)) as u32;
        let mut items = ItemBlock::new(&layout);
        items.counts = vec![0; self.items as usize];
        let (mut users, mut events) = (UserBlock::new(&layout), EventBlock::new(&layout));
        let mut rows = [Part::Train, Part::Validation].map(|part| (part, RowBlock::new(&layout)));
        for user in 0..self.users {
            let (start, end) = (user * self.events, (user + 1) * self.events);
            users.events_starts.push(start);
            users.events_ends.push(end);
            users.window_ends.push(end - 1);
            for event in start..end {
                events.items.push(item(event));
                items.counts[item(event) as usize] += 1;
                let (_, rows) = &mut rows[usize::from(event == end - 1)];
                rows.labels.push(1);
                rows.users.push(user);
                rows.items.push(item(event));
                rows.history_ends.push(event);
            }
        }
        writer.write_users(&users).unwrap();
        writer.write_items(&items).unwrap();
        writer.write_events(&events).unwrap();
        for (part, rows) in &rows {
            writer.write_rows(*part, rows).unwrap();
        }
        writer.finish(serde_json::Value::Null, Vec::new()).unwrap();
    }
}

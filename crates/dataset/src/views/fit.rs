//! Encoders are fitted on views as if every training row held its columns itself: a user's term counts once for each of
//! the user's rows, an event once for each row whose history shows it.

use fain_features::{EncoderFitter, FeatureKind};
use fain_samples::{Drawing, DrawnRow, Part, Rows, TermTable};

use crate::error::DatasetError;
use crate::manifest::Reading;
use crate::progress::Phase;
use crate::table::Reporter;
use crate::views::history::{Cut, history};
use crate::views::plan::{Plan, Values, reading};
use crate::views::tables::per_row;
use crate::views::{RELEASE, drawn};

/// Rows between two reports.
const REPORT: u64 = 1 << 16;

/// Counts what training rows show.
pub(crate) struct Counting<'a> {
    plan: &'a Plan<'a>,
    rows: &'a Rows,
    drawing: Option<&'a Drawing>,
    /// Rows that each stored one counts for.
    weight: u64,
    features: Vec<Counted<'a>>,
    /// The different ways in which features cut histories.
    cuts: Vec<Cut>,
    users: Vec<u64>,
    items: Vec<u64>,
}

struct Counted<'a> {
    reading: Reading,
    values: Option<Values<'a>>,
    cut: Option<Cut>,
    /// How often each code is shown; empty for numbers and times.
    codes: Vec<u64>,
}

/// The rows of one user that follow each other.
struct Run {
    user: u32,
    /// For each cut: how many more rows show an event than the event before.
    steps: Vec<Vec<i64>>,
}

impl<'a> Counting<'a> {
    pub(crate) fn new(plan: &'a Plan<'a>, drawing: Option<&'a Drawing>) -> Self {
        let mut cuts: Vec<Cut> = Vec::new();
        let features = plan.schema.features().iter().zip(&plan.meanings).map(|(feature, meaning)| {
            let values = plan.values(*meaning, Part::Train);
            let terms = values.and_then(|values| values.terms()).and_then(|table| plan.samples.terms(table));
            let cut = Cut::of(feature);
            let reading = reading(*meaning);
            if let (Some(cut), Reading::History, Some(_)) = (cut, reading, terms)
                && !cuts.contains(&cut)
            {
                cuts.push(cut);
            }
            Counted { reading, values, cut, codes: vec![0; terms.map_or(0, |terms| terms.rows() as usize)] }
        });
        let features = features.collect();
        let (users, items) = (plan.samples.users().rows as usize, plan.samples.items().rows as usize);
        let per_row = if plan.fixed_candidates() { per_row(&plan.samples.manifest().negatives) } else { 1 };
        Self {
            plan,
            rows: plan.samples.rows(Part::Train),
            drawing,
            weight: per_row,
            features,
            cuts,
            users: vec![0; users],
            items: vec![0; items],
        }
    }

    /// Tells the fitter about all training rows.
    pub(crate) fn observe(
        mut self,
        fitter: &mut EncoderFitter,
        reporter: &mut Reporter<'_>,
    ) -> Result<(), DatasetError> {
        let mut run = Run { user: 0, steps: vec![Vec::new(); self.cuts.len()] };
        for row in 0..self.rows.rows {
            if row % REPORT == 0 {
                reporter.rows(Phase::Fit, row, self.rows.rows)?;
            }
            if row % RELEASE == 0 {
                self.plan.samples.release();
            }
            let user = self.rows.users.at(row);
            if row == 0 || user != run.user {
                self.end(&mut run);
                self.begin(&mut run, user);
            }
            self.row(row, &mut run, fitter)?;
        }
        self.end(&mut run);
        self.tables();
        if self.plan.fixed_lists() {
            self.negatives(reporter)?;
        }
        for (place, (feature, counted)) in self.plan.schema.features().iter().zip(&self.features).enumerate() {
            let table = counted.values.and_then(|values| values.terms());
            let Some(terms) = table.and_then(|table| self.plan.samples.terms(table)) else { continue };
            if matches!(feature.kind, FeatureKind::Category { .. } | FeatureKind::Sequence { .. }) {
                for (term, count) in terms.iter().zip(&counted.codes).filter(|(_, count)| **count > 0) {
                    fitter.observe_term(place, term, *count)?;
                }
            }
        }
        reporter.rows(Phase::Fit, self.rows.rows, self.rows.rows)
    }

    fn begin(&self, run: &mut Run, user: u32) {
        let users = self.plan.samples.users();
        let (start, end) = (users.events_starts.at(u64::from(user)), users.events_ends.at(u64::from(user)));
        run.user = user;
        for steps in &mut run.steps {
            steps.resize((end - start) as usize + 1, 0);
        }
    }

    /// Counts the events that the rows of the run show.
    fn end(&mut self, run: &mut Run) {
        if run.steps.iter().all(Vec::is_empty) {
            return;
        }
        let first = u64::from(self.plan.samples.users().events_starts.at(u64::from(run.user)));
        let items = &self.plan.samples.events().items;
        for (cut, steps) in self.cuts.iter().zip(&mut run.steps) {
            let mut shown = 0;
            for (event, step) in (first..).zip(steps.drain(..)) {
                shown += step;
                if shown == 0 {
                    continue;
                }
                for feature in &mut self.features {
                    if feature.reading != Reading::History || feature.cut != Some(*cut) {
                        continue;
                    }
                    let Some(values) = feature.values.filter(|_| !feature.codes.is_empty()) else { continue };
                    let of_event = matches!(values.terms(), Some(TermTable::Event(_)));
                    let place = if of_event { event } else { u64::from(items.at(event)) };
                    feature.codes[values.code(place) as usize] += shown as u64;
                }
            }
        }
    }

    fn row(&mut self, row: u64, run: &mut Run, fitter: &mut EncoderFitter) -> Result<(), DatasetError> {
        let (user, item, end) = (run.user, self.rows.items.at(row), self.rows.history_ends.at(row));
        let users = self.plan.samples.users();
        let start = users.events_starts.at(u64::from(user));
        let events = history(start, end, self.plan.samples.layout().max_length);
        for (cut, steps) in self.cuts.iter().zip(&mut run.steps) {
            let shown = cut.apply(&events);
            steps[(shown.start - u64::from(start)) as usize] += self.weight as i64;
            steps[(shown.end - u64::from(start)) as usize] -= self.weight as i64;
        }
        self.users[user as usize] += self.weight;
        let drawn = DrawnRow {
            epoch: 0,
            part: Part::Train,
            row,
            user,
            history_end: end,
            window_end: users.window_ends.at(u64::from(user)),
        };
        for number in 0..self.weight {
            let item = match self.drawing {
                Some(drawing) if number > 0 => drawing
                    .candidate(&drawn, item, (number - 1) as u32)
                    .map_err(|none| self.plan.none_left(user, none))?,
                _ => item,
            };
            self.items[item as usize] += 1;
            for (place, feature) in self.features.iter().enumerate() {
                let Some(values @ (Values::Numbers(_) | Values::Times(_))) = feature.values else { continue };
                let of = match feature.reading {
                    Reading::Row => row,
                    Reading::User => u64::from(user),
                    Reading::Item => u64::from(item),
                    Reading::History | Reading::Negative => continue,
                };
                fitter.observe_number(place, values.number(of))?;
            }
        }
        for feature in self.features.iter_mut().filter(|feature| feature.reading == Reading::Row) {
            feature.add(row, self.weight);
        }
        Ok(())
    }

    /// Counts the terms of users and items, each for the rows that refer to it.
    fn tables(&mut self) {
        for feature in &mut self.features {
            let weights = match feature.reading {
                Reading::User => &self.users,
                Reading::Item => &self.items,
                Reading::Row | Reading::History | Reading::Negative => continue,
            };
            for (row, weight) in (0..).zip(weights).filter(|(_, weight)| **weight > 0) {
                feature.add(row, *weight);
            }
        }
    }

    /// Counts the items that are drawn beside the events of histories. Features with one cut show the same items.
    fn negatives(&mut self, reporter: &mut Reporter<'_>) -> Result<(), DatasetError> {
        let Some(drawing) = self.drawing else { return Ok(()) };
        let reads = |feature: &Counted<'_>| feature.cut.filter(|_| feature.reading == Reading::Negative);
        let mut cuts: Vec<Cut> = Vec::new();
        for cut in self.features.iter().filter_map(reads) {
            if !cuts.contains(&cut) {
                cuts.push(cut);
            }
        }
        for cut in cuts {
            let items = drawn::count(self.plan, drawing, cut, reporter)?;
            for feature in self.features.iter_mut().filter(|feature| reads(feature) == Some(cut)) {
                for (item, count) in (0..).zip(&items).filter(|(_, count)| **count > 0) {
                    feature.add(item, count * self.weight);
                }
            }
        }
        Ok(())
    }
}

impl Counted<'_> {
    /// Counts the terms of a row of the feature's table.
    fn add(&mut self, row: u64, times: u64) {
        match self.values {
            Some(values @ (Values::Key(_) | Values::Codes(..))) => self.codes[values.code(row) as usize] += times,
            Some(Values::Lists(lists, _)) => {
                let list = lists.list(row);
                let kept = self.cut.map_or(0..0, |cut| cut.apply(&(0..list.len() as u64)));
                for code in &list[kept.start as usize..kept.end as usize] {
                    self.codes[*code as usize] += times;
                }
            }
            Some(Values::Numbers(_) | Values::Times(_)) | None => {}
        }
    }
}

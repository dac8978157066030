//! What each feature of a schema reads in a samples folder.

use fain_features::{CeilingConfig, DataError, Feature, FeatureKind, IdRule, Schema};
use fain_samples::{
    Content, Draw, Field, Logical, LogicalColumn, NoneLeft, Part, Past, SamplesFolder, StoredColumn, TermTable,
};
use fain_storage::{Chunks, ListChunks};
use fain_tables::find_column;

use crate::error::DatasetError;
use crate::files::quoted;
use crate::manifest::Reading;

/// A schema whose columns were found in a samples folder.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) samples: &'a SamplesFolder,
    pub(crate) schema: &'a Schema,
    /// What each feature reads, in the order of the schema.
    pub(crate) meanings: Vec<Logical>,
    pub(crate) group: Option<Logical>,
    /// Places of the columns of the rows that hold the known probabilities.
    pub(crate) ceiling: Option<[Logical; 2]>,
}

/// The values of a column.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Values<'a> {
    /// The code of each row is its number.
    Key(TermTable),
    Codes(&'a Chunks<u32>, TermTable),
    Lists(&'a ListChunks<u32>, TermTable),
    Numbers(&'a Chunks<f64>),
    Times(&'a Chunks<i64>),
}

impl Values<'_> {
    /// The table of terms that codes point into.
    pub(crate) fn terms(&self) -> Option<TermTable> {
        match self {
            Self::Key(table) | Self::Codes(_, table) | Self::Lists(_, table) => Some(*table),
            Self::Numbers(_) | Self::Times(_) => None,
        }
    }

    /// The code of a row; for columns with one term per row.
    pub(crate) fn code(&self, row: u64) -> u32 {
        match self {
            // Rows of users and items are numbered by 32 bits.
            Self::Key(_) => row as u32,
            Self::Codes(codes, _) => codes.at(row),
            Self::Lists(..) | Self::Numbers(_) | Self::Times(_) => 0,
        }
    }

    /// The number of a row; `None` where it is missing, or where terms are.
    pub(crate) fn number(&self, row: u64) -> Option<f64> {
        match self {
            Self::Numbers(numbers) => Some(numbers.at(row)).filter(|number| !number.is_nan()),
            Self::Times(times) => Some(times.at(row) as f64),
            Self::Key(_) | Self::Codes(..) | Self::Lists(..) => None,
        }
    }
}

/// The table that a name is looked up in.
pub(crate) fn reading(meaning: Logical) -> Reading {
    match meaning {
        Logical::Label | Logical::Time | Logical::Row(_) => Reading::Row,
        Logical::User(_) => Reading::User,
        Logical::Item(_) => Reading::Item,
        Logical::History(_) => Reading::History,
        Logical::Negative(_) => Reading::Negative,
    }
}

impl<'a> Plan<'a> {
    /// Finds the columns of the schema.
    ///
    /// # Errors
    /// A missing column is named with those there are; [`DatasetError::Config`] where a column holds something else than
    /// the schema reads there.
    pub(crate) fn new(samples: &'a SamplesFolder, schema: &'a Schema) -> Result<Self, DatasetError> {
        let columns = samples.columns();
        let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        let find = |name: &str, key: &str| -> Result<&LogicalColumn, DatasetError> {
            let place = find_column(name, key, &names, samples.folder()).map_err(DataError::from)?;
            Ok(&columns[place])
        };
        let part = |name: &str, key: &str, wanted: &[Content], needed: &str| -> Result<Logical, DatasetError> {
            let column = find(name, key)?;
            if wanted.contains(&column.content) {
                return Ok(column.meaning);
            }
            let found = in_words(column.content);
            Err(DatasetError::config(key, quoted(name), format!("the samples have {found} there; needed: {needed}")))
        };
        part(schema.label(), "schema.label", &[Content::Label], "the label, which is called \"label\"")?;
        let group = schema.group().map(|name| part(name, "schema.group", &[Content::Term], "one term per sample"));
        if let Some(time) = schema.time() {
            part(time, "schema.time", &[Content::Time], "the time of the sample")?;
        }
        let ceiling = schema.ceiling().map(|CeilingConfig { blind, optimal }| {
            if samples.manifest().negatives.candidates.is_some() {
                let allowed = "cannot be known of candidates that are drawn, as the samples say";
                return Err(DatasetError::config("schema.ceiling", "{ .. }", allowed));
            }
            let number = |name: &str, key| part(name, key, &[Content::Number], "a number per sample");
            Ok([number(blind, "schema.ceiling.blind")?, number(optimal, "schema.ceiling.optimal")?])
        });
        let meanings = schema
            .features()
            .iter()
            .map(|feature| {
                let key = format!("schema.features.{}", feature.name);
                let column = find(&feature.column, &key)?;
                check(feature, &key, column)?;
                Ok(column.meaning)
            })
            .collect::<Result<Vec<_>, DatasetError>>()?;
        let plan = Self { samples, schema, meanings, group: group.transpose()?, ceiling: ceiling.transpose()? };
        plan.check_counted()?;
        Ok(plan)
    }

    /// What each feature reads, in the order of the schema.
    pub(crate) fn readings(&self) -> Vec<Reading> {
        self.meanings.iter().map(|meaning| reading(*meaning)).collect()
    }

    /// The values under a name; those of the rows are of one part.
    pub(crate) fn values(&self, meaning: Logical, part: Part) -> Option<Values<'a>> {
        let table = meaning.term_table(self.samples.layout());
        let column = |column: &'a StoredColumn| {
            Some(match column {
                StoredColumn::Term(codes) => Values::Codes(codes, table?),
                StoredColumn::Terms(lists) => Values::Lists(lists, table?),
                StoredColumn::Number(numbers) => Values::Numbers(numbers),
            })
        };
        let (users, items) = (self.samples.users(), self.samples.items());
        match meaning {
            Logical::Label => None,
            Logical::Time => self.samples.rows(part).times.as_ref().map(Values::Times),
            Logical::Row(place) => column(self.samples.rows(part).columns.get(place)?),
            Logical::User(Field::Key)
            | Logical::Item(Field::Key)
            | Logical::History(Past::Item(Field::Key))
            | Logical::Negative(Field::Key) => table.map(Values::Key),
            Logical::User(Field::Column(place)) => column(users.columns.get(place)?),
            Logical::Item(Field::Column(place))
            | Logical::History(Past::Item(Field::Column(place)))
            | Logical::Negative(Field::Column(place)) => column(items.columns.get(place)?),
            Logical::History(Past::Event(place)) => column(self.samples.events().columns.get(place)?),
            Logical::History(Past::Time) => self.samples.events().times.as_ref().map(Values::Times),
        }
    }

    /// Whether training rows have the negatives of their histories in every epoch alike.
    pub(crate) fn fixed_lists(&self) -> bool {
        self.samples.manifest().negatives.history.as_ref().is_some_and(|rule| rule.draw == Draw::Fixed)
    }

    /// Whether training rows have the candidates drawn beside them in every epoch alike.
    pub(crate) fn fixed_candidates(&self) -> bool {
        let candidates = self.samples.manifest().negatives.candidates.as_ref();
        candidates.is_some_and(|candidates| candidates.rule.draw == Draw::Fixed)
    }

    /// The error of a draw for a user who has chosen everything.
    pub(crate) fn none_left(&self, user: u32, cause: NoneLeft) -> DatasetError {
        let keys = self.samples.terms(TermTable::User(Field::Key));
        let user = keys.and_then(|keys| keys.get(u64::from(user))).unwrap_or_default().to_owned();
        DatasetError::NoneLeft { user, cause }
    }

    /// A vocabulary must not be made of draws that are others in each epoch.
    fn check_counted(&self) -> Result<(), DatasetError> {
        if self.fixed_lists() {
            return Ok(());
        }
        for (feature, meaning) in self.schema.features().iter().zip(&self.meanings) {
            let owned = self.schema.vocabularies().iter().position(|owner| *owner == feature.name);
            let counted = owned.is_some_and(|place| matches!(self.schema.id_rules()[place], IdRule::Terms { .. }));
            if reading(*meaning) == Reading::Negative && counted {
                let key = format!("schema.features.{}.vocabulary", feature.name);
                let allowed = "must name the feature that reads the items themselves, as negatives that are drawn anew in \
                               each epoch have no counts";
                return Err(DatasetError::config(key, "(not set)", allowed));
            }
        }
        Ok(())
    }
}

/// A feature must be able to read what its column holds.
fn check(feature: &Feature, key: &str, column: &LogicalColumn) -> Result<(), DatasetError> {
    let (wanted, kind, needed): (&[Content], _, _) = match &feature.kind {
        FeatureKind::Category { .. } => (&[Content::Term], "category", "one term per sample"),
        FeatureKind::Sequence { .. } => (&[Content::Terms], "sequence", "a list of terms per sample"),
        FeatureKind::Numeric { .. } => (&[Content::Number, Content::Time], "numeric", "a number per sample"),
        FeatureKind::Bucket { .. } => (&[Content::Number, Content::Time], "bucket", "a number per sample"),
        FeatureKind::Times { .. } => (&[Content::Times], "times", "the times of a history"),
    };
    if !wanted.contains(&column.content) {
        let found = in_words(column.content);
        let allowed = format!(
            "the column \"{}\" of the samples holds {found}; a feature of this kind reads {needed}",
            column.name
        );
        return Err(DatasetError::config(format!("{key}.kind"), quoted(kind), allowed));
    }
    match &feature.kind {
        FeatureKind::Sequence { separator, .. } | FeatureKind::Times { separator, .. } if separator != "|" => {
            let allowed = "must be left out: samples keep the terms of a list apart without one";
            Err(DatasetError::config(format!("{key}.separator"), quoted(separator), allowed))
        }
        FeatureKind::Sequence { weight_separator: Some(separator), .. } => {
            let allowed = "must be left out: samples have no weights";
            Err(DatasetError::config(format!("{key}.weight_separator"), quoted(separator), allowed))
        }
        _ => Ok(()),
    }
}

fn in_words(content: Content) -> &'static str {
    match content {
        Content::Label => "the label",
        Content::Time => "the time of the sample",
        Content::Term => "one term per sample",
        Content::Number => "a number per sample",
        Content::Terms => "a list of terms per sample",
        Content::Times => "the times of a history",
        Content::Numbers => "a list of numbers per sample",
    }
}

//! The way from a log to samples.

use std::ops::ControlFlow;
use std::path::Path;

use fain_samples::{
    Field, ItemBlock, Kind, Layout, Manifest, Part, Place, SamplesFolder, SamplesWriter, SourceInfo, SourceTable,
    TermTable as TermsOf, UserBlock,
};
use fain_storage::{StorageError, Workshop};
use fain_tables::TermTable;

use crate::config::{AttributeTable, PrepareConfig};
use crate::entities::Entities;
use crate::error::PrepareError;
use crate::log::Log;
use crate::progress::{Phase, Progress, Reporter};
use crate::quantile::order_statistics;
use crate::rules::{Follow, NegativesConfig, Rules, TimeCuts, TimeShares};
use crate::sort::{SortMemory, Sorted};
use crate::table::Sources;
use crate::write::UserWriter;

/// What [`prepare`] made.
#[derive(Debug)]
pub struct Prepared {
    /// The samples.
    pub samples: SamplesFolder,
    /// What was found on the way.
    pub summary: Summary,
}

/// What was found on the way from a log to samples.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rows of the log.
    pub rows: u64,
    /// Those that fulfil the conditions of `log.only`.
    pub counted_rows: u64,
    /// Users of the log that the table of users does not have; 0 without such a table. Their columns are missing
    /// values.
    pub undescribed_users: u64,
    /// Items of the log that the table of items does not have; 0 without such a table.
    pub undescribed_items: u64,
    /// Users of whom rows of the log say different things, where their columns are taken of it. The first row counts.
    pub contradicted_users: u64,
    /// Items of which rows of the log say different things.
    pub contradicted_items: u64,
}

/// Makes samples of a log, and writes them to a new folder, which is there whole or not at all.
///
/// The same files and configuration give the same bytes, on any machine. `progress` is told how far the work is, and
/// may stop it. Memory grows with users, items and distinct terms, and with the longest log of one user, but not with
/// the log: what of it does not fit is sorted on the disk, beside `output`.
///
/// # Errors
/// [`PrepareError`], whose [`kind`](PrepareError::kind) says whether the configuration, the data or the work is at
/// fault, or the caller stopped. Nothing is left at `output` then, nor beside it.
pub fn prepare(
    config: &PrepareConfig,
    output: &Path,
    progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Prepared, PrepareError> {
    prepare_within(SortMemory::default(), config, output, progress)
}

/// As [`prepare`], with a choice of the memory that sorting takes. The result does not depend on it.
pub(crate) fn prepare_within(
    memory: SortMemory,
    config: &PrepareConfig,
    output: &Path,
    progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Prepared, PrepareError> {
    config.check()?;
    refuse_existing(output)?;
    let mut reporter = Reporter::new(progress);
    let sources = AllSources::find(config)?;
    let checksums = sources.checksums(&mut reporter)?;
    let parent = output.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let workshop = Workshop::new(parent)?;
    let summary = Work { config, sources: &sources, memory, folder: workshop.path() }.run(checksums, &mut reporter)?;
    // Everything that was written is read and checked before it gets its name.
    SamplesFolder::open(workshop.path())?;
    reporter.again()?;
    refuse_existing(output)?;
    workshop.publish(output)?;
    Ok(Prepared { samples: SamplesFolder::open(output)?, summary })
}

fn refuse_existing(output: &Path) -> Result<(), PrepareError> {
    if output.symlink_metadata().is_ok() {
        return Err(PrepareError::Exists { output: output.to_owned() });
    }
    Ok(())
}

/// A table of users or items that has files, and the column of its key.
type DescribedBy<'a> = (&'a AttributeTable, &'a str);

/// The files of all tables.
struct AllSources<'a> {
    users: Option<(DescribedBy<'a>, Sources<'a>)>,
    items: Option<(DescribedBy<'a>, Sources<'a>)>,
    log: Sources<'a>,
}

/// One thing for each table that there is.
struct ByTable<T> {
    users: Option<T>,
    items: Option<T>,
    log: T,
}

impl<'a> AllSources<'a> {
    fn find(config: &'a PrepareConfig) -> Result<Self, PrepareError> {
        let of = |table, section, files, csv| Sources::find(table, section, &config.root, files, csv);
        let attributes = |table, section, attributes: &'a Option<AttributeTable>| match attributes {
            Some(attributes @ AttributeTable { files: Some(files), key: Some(key), csv, .. }) => {
                Ok(Some(((attributes, key.as_str()), of(table, section, files, csv)?)))
            }
            // The log has what is to be known.
            Some(_) | None => Ok::<_, PrepareError>(None),
        };
        Ok(Self {
            users: attributes(SourceTable::Users, "users", &config.users)?,
            items: attributes(SourceTable::Items, "items", &config.items)?,
            log: of(SourceTable::Log, "log", &config.log.files, &config.log.csv)?,
        })
    }

    fn checksums(&self, reporter: &mut Reporter<'_>) -> Result<ByTable<Vec<String>>, PrepareError> {
        let [users, items] = [&self.users, &self.items].map(|table| table.as_ref().map(|(_, sources)| sources));
        let total = [users, items, Some(&self.log)].into_iter().flatten().map(Sources::bytes).sum();
        let mut progress = Progress { phase: Phase::Examine, done: 0, total, rows: 0 };
        reporter.report(progress)?;
        let mut checksums = |sources: &Sources<'_>| {
            sources.checksums(|bytes| {
                progress.done += bytes;
                reporter.report(progress)
            })
        };
        Ok(ByTable {
            users: users.map(&mut checksums).transpose()?,
            items: items.map(&mut checksums).transpose()?,
            log: checksums(&self.log)?,
        })
    }
}

/// What is to be done, and where.
struct Work<'a> {
    config: &'a PrepareConfig,
    sources: &'a AllSources<'a>,
    memory: SortMemory,
    folder: &'a Path,
}

impl Work<'_> {
    fn run(&self, checksums: ByTable<Vec<String>>, reporter: &mut Reporter<'_>) -> Result<Summary, PrepareError> {
        let Self { config, sources, .. } = self;
        let (mut users, user_files) =
            read_entities(sources.users.as_ref(), "users", Phase::ReadUsers, checksums.users, reporter)?;
        let (mut items, item_files) =
            read_entities(sources.items.as_ref(), "items", Phase::ReadItems, checksums.items, reporter)?;
        let log = Log::read(config, &sources.log, &mut users, &mut items, self.memory, self.folder, reporter)?;
        let log_files = sources.log.describe(checksums.log, &log.rows)?;

        let summary = Summary {
            rows: log.rows.iter().sum(),
            counted_rows: log.sorted.records(),
            undescribed_users: if config.users.is_some() { users.undescribed() } else { 0 },
            undescribed_items: if config.items.is_some() { items.undescribed() } else { 0 },
            contradicted_users: users.contradicted(),
            contradicted_items: items.contradicted(),
        };
        let manifest = self.write(log, users, items, [log_files, user_files, item_files].concat(), reporter)?;
        if Part::ALL.iter().all(|part| manifest.splits.get(*part).file.rows == 0) {
            return Err(PrepareError::NoSamples { summary, min_length: config.history.min_length });
        }
        Ok(summary)
    }

    /// Writes all files.
    fn write(
        &self,
        log: Log,
        users: Entities,
        items: Entities,
        sources: Vec<SourceInfo>,
        reporter: &mut Reporter<'_>,
    ) -> Result<Manifest, PrepareError> {
        let Self { config, .. } = self;
        let Log { rows: _, mut sorted, format, event_terms, row_terms } = log;
        let rules = Rules::new(&config.rules(), |shares| time_cuts(shares, &mut sorted))?;
        let layout = config.layout();
        let negatives = config.negatives.as_ref().map(NegativesConfig::rules).unwrap_or_default();
        let mut writer = SamplesWriter::create(self.folder, layout.clone(), negatives)?;

        let follow = Follow::of(config.label.as_ref());
        let of_users = UserWriter::new(&mut writer, &layout, format, follow, items.keys().len());
        let (user_block, counts) = of_users.write(&mut sorted, users.keys(), &rules, reporter)?;
        drop(sorted);
        let (keys, columns, terms) = users.into_columns()?;
        writer.write_users(&UserBlock { columns, ..user_block })?;
        writer.write_terms(TermsOf::User(Field::Key), keys.iter())?;
        write_terms(&mut writer, Place::User, &layout, &terms)?;
        reporter.again()?;
        let (keys, columns, terms) = items.into_columns()?;
        writer.write_items(&ItemBlock { counts, columns })?;
        writer.write_terms(TermsOf::Item(Field::Key), keys.iter())?;
        write_terms(&mut writer, Place::Item, &layout, &terms)?;
        reporter.again()?;
        write_terms(&mut writer, Place::Event, &layout, &event_terms)?;
        write_terms(&mut writer, Place::Row, &layout, &row_terms)?;
        Ok(writer.finish(self.rule()?, sources)?)
    }

    /// The configuration as the manifest keeps it: without the folder of the sources, which is another on each machine.
    fn rule(&self) -> Result<serde_json::Value, PrepareError> {
        let failed = |cause| {
            StorageError::io(
                "write the configuration to",
                self.folder,
                std::io::Error::other::<serde_json::Error>(cause),
            )
        };
        let mut rule = serde_json::to_value(self.config).map_err(failed)?;
        if let Some(fields) = rule.as_object_mut() {
            fields.retain(|key, _| key != "root");
        }
        Ok(rule)
    }
}

/// Reads a table of users or items, if there is one.
fn read_entities(
    table: Option<&(DescribedBy<'_>, Sources<'_>)>,
    section: &str,
    phase: Phase,
    checksums: Option<Vec<String>>,
    reporter: &mut Reporter<'_>,
) -> Result<(Entities, Vec<SourceInfo>), PrepareError> {
    let (Some((config, sources)), Some(checksums)) = (table, checksums) else {
        return Ok((Entities::default(), Vec::new()));
    };
    let (entities, rows) = Entities::read(*config, section, phase, sources, reporter)?;
    Ok((entities, sources.describe(checksums, &rows)?))
}

/// The times that part the rows of the log in these shares.
fn time_cuts(shares: TimeShares, sorted: &mut Sorted) -> Result<TimeCuts, PrepareError> {
    let ranks = shares.ranks(sorted.records())?;
    // There are rows, for else there would be no ranks.
    let (first, last) = sorted.times().unwrap_or_default();
    let ranks = [ranks.validation_from, ranks.test_from];
    let times = order_statistics(&ranks, first, last, |visit| sorted.each_time(visit))?;
    shares.cuts(first, TimeCuts { validation_from: times[0], test_from: times[1] })
}

/// Writes the texts of a place's columns.
fn write_terms(
    writer: &mut SamplesWriter,
    place: Place,
    layout: &Layout,
    terms: &[TermTable],
) -> Result<(), PrepareError> {
    for (column, (info, terms)) in layout.columns(place).iter().zip(terms).enumerate() {
        if info.kind != Kind::Number {
            writer.write_terms(TermsOf::of(place, column), terms.iter())?;
        }
    }
    Ok(())
}

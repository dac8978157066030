//! Builds a dataset whose rows refer to tables, from a samples folder.

use std::path::{Path, PathBuf};

use fain_features::Schema;
use fain_samples::{Choices, Drawing, Part, SamplesFolder};
use fain_storage::{StorageError, checksum};
use indexmap::IndexMap;

use crate::build::Built;
use crate::encoders::EncodersSource;
use crate::error::DatasetError;
use crate::layout::{TEST, TRAIN, VALIDATION};
use crate::manifest::{BySplit, Content, MANIFEST, Reading, SourceInfo, ViewsInfo};
use crate::progress::Phase;
use crate::table::Reporter;
use crate::views::encode::Encoding;
use crate::views::fit::Counting;
use crate::views::plan::{Plan, reading};

/// A samples folder, seen from outside: the manifest, which holds the checksums of all its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundSamples {
    pub(crate) folder: PathBuf,
    pub(crate) manifest: SourceInfo,
}

/// Looks for the manifest of a samples folder.
pub(crate) fn find_samples(folder: PathBuf) -> Result<FoundSamples, DatasetError> {
    let path = folder.join(MANIFEST);
    let bytes = std::fs::read(&path).map_err(|cause| StorageError::unreadable(&path, cause))?;
    let file = MANIFEST.to_owned();
    let manifest = SourceInfo { file, bytes: bytes.len() as u64, checksum: checksum(&bytes), rows: None };
    Ok(FoundSamples { folder, manifest })
}

/// What a dataset of views is built from.
pub(crate) struct ViewsJob<'a> {
    pub(crate) samples: SamplesFolder,
    pub(crate) found: &'a FoundSamples,
    pub(crate) schema: &'a Schema,
    pub(crate) encoders: &'a EncodersSource,
}

impl ViewsJob<'_> {
    /// Looks for missing columns and rows.
    pub(crate) fn check(&self) -> Result<(), DatasetError> {
        Plan::new(&self.samples, self.schema)?;
        self.check_parts()
    }

    /// Writes the encoded tables.
    pub(crate) fn run(&self, folder: &Path, reporter: &mut Reporter<'_>) -> Result<Built, DatasetError> {
        let plan = Plan::new(&self.samples, self.schema)?;
        let encoders = self.encoders.make(self.schema, |fitter| {
            let drawing = self.drawing(&plan)?;
            Counting::new(&plan, drawing.as_ref()).observe(fitter, reporter)
        })?;
        let encoding = Encoding::new(&plan, &encoders, folder)?;
        let users = encoding.users(reporter)?;
        let items = encoding.items(reporter)?;
        let events = encoding.events(reporter)?;
        let splits = BySplit {
            train: encoding.rows(Part::Train, TRAIN, Phase::EncodeTrain, reporter)?,
            validation: encoding.rows(Part::Validation, VALIDATION, Phase::EncodeValidation, reporter)?,
            test: match self.samples.rows(Part::Test).rows {
                0 => None,
                _ => Some(encoding.rows(Part::Test, TEST, Phase::EncodeTest, reporter)?),
            },
        };
        let (layout, manifest) = (self.samples.layout(), self.samples.manifest());
        let features: IndexMap<String, Reading> =
            self.schema.features().iter().map(|feature| feature.name.clone()).zip(plan.readings()).collect();
        let content = Content::Views(Box::new(ViewsInfo {
            samples: self.found.manifest.clone(),
            user: layout.user.clone(),
            item: layout.item.clone(),
            max_length: layout.max_length,
            negatives: manifest.negatives.clone(),
            features,
            group: plan.group.map(reading),
            users,
            items,
            events,
        }));
        Ok(Built { encoders, content, splits })
    }

    /// What training rows hold that is drawn, and the same in every epoch.
    fn drawing(&self, plan: &Plan<'_>) -> Result<Option<Drawing>, DatasetError> {
        let mut negatives = self.samples.manifest().negatives.clone();
        negatives.candidates.take_if(|_| !plan.fixed_candidates());
        negatives.history.take_if(|_| !plan.fixed_lists() || !plan.readings().contains(&Reading::Negative));
        let (users, events) = (self.samples.users(), self.samples.events());
        let choices = Choices { starts: &users.events_starts, ends: &users.events_ends, items: &events.items };
        Ok(Drawing::new(&negatives, &self.samples.items().counts, choices)?)
    }

    /// No split is made of nothing, and a model learns nothing from rows that all have one label.
    fn check_parts(&self) -> Result<(), DatasetError> {
        let file = || self.samples.folder().to_owned();
        for (part, what) in [(Part::Train, "training"), (Part::Validation, "validation")] {
            if self.samples.rows(part).rows == 0 {
                return Err(DatasetError::NoRows { file: file(), reason: format!("the samples have no {what} rows") });
            }
        }
        let train = self.samples.rows(Part::Train);
        let drawn = self.samples.manifest().negatives.candidates.is_some();
        if train.positives == 0 || (train.positives == train.rows && !drawn) {
            return Err(DatasetError::OneClass {
                file: file(),
                column: self.schema.label().to_owned(),
                rows: train.rows,
                value: u8::from(train.positives > 0),
            });
        }
        Ok(())
    }
}

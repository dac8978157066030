//! Vocabularies that gain terms.

use crate::checked::IdRule;
use crate::encoders::Encoders;
use crate::error::DataError;
use crate::fitter::EncoderFitter;
use crate::learner::full;
use crate::vocabulary::Ids;

impl Encoders {
    /// The encoders with the terms that newer training rows have and they lack.
    ///
    /// Known terms keep their ids. New ones follow, sorted among themselves: those that the fitter counted at least
    /// `min_count` times. Numbers, boundaries and hash buckets stay as they were, so that old rows are encoded as
    /// before, but for terms that were unknown.
    ///
    /// # Errors
    /// [`DataError::Mismatch`] for a fitter of another schema; [`DataError::VocabularyFull`].
    pub fn grow(self, fitter: &EncoderFitter) -> Result<Self, DataError> {
        let (schema, mut vocabularies, numbers) = self.into_parts();
        if fitter.schema != schema {
            return Err(DataError::Mismatch { what: "fitter" });
        }
        let learnt = schema.id_rules().iter().zip(&fitter.learnt.counters);
        for (place, (vocabulary, learnt)) in vocabularies.iter_mut().zip(learnt).enumerate() {
            if let (Ids::Terms(terms), (IdRule::Terms { min_count }, Some(counter))) = (&mut vocabulary.ids, learnt)
                && !terms.grow(counter, *min_count)
            {
                return Err(full(&schema, place));
            }
        }
        Ok(Self::new(schema, vocabularies, numbers)?)
    }
}

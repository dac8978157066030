//! What stands beside the tensors of a golden file.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{Bounds, Tolerance};

/// What stands in `NAME.json`. Fields that only people read are left out.
#[derive(Deserialize)]
pub(crate) struct Sidecar {
    pub(crate) cases: Vec<CaseEntry>,
    pub(crate) tensors: BTreeMap<String, String>,
}

#[derive(Deserialize)]
pub(crate) struct CaseEntry {
    pub(crate) id: String,
    pub(crate) config: serde_json::Value,
    /// Absent where a case is no layer, and so has no sections.
    pub(crate) modes: Option<BTreeMap<String, ModeEntry>>,
    /// What a case without sections recommends; its form is that of its fixture.
    #[serde(default)]
    pub(crate) recommended: serde_json::Value,
    #[serde(flatten)]
    pub(crate) others: BTreeMap<String, serde_json::Value>,
}

#[derive(Deserialize)]
pub(crate) struct ModeEntry {
    pub(crate) source: String,
    #[serde(default)]
    pub(crate) recommended: BTreeMap<String, Recommended>,
    #[serde(default)]
    pub(crate) f32_f64: BTreeMap<String, Measured>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Recommended {
    Bound(Recommendation),
    /// In words, why there is no bound.
    Remark(String),
}

#[derive(Clone, Copy, Deserialize)]
pub(crate) struct Recommendation {
    atol: f64,
    rtol: f64,
}

impl From<Recommendation> for Tolerance {
    fn from(Recommendation { atol, rtol }: Recommendation) -> Self {
        Self { absolute: atol, relative: rtol }
    }
}

#[derive(Deserialize)]
pub(crate) struct Measured {
    max_abs: f64,
}

impl ModeEntry {
    /// The recommended tolerance of a part. Where a variant gives none, or a section is said not to be comparable, it is
    /// made by the rule that made the others: eight times the difference measured between float32 and float64, at least
    /// 2e-6.
    fn tolerance(&self, part: &str) -> Option<Tolerance> {
        match self.recommended.get(part) {
            Some(&Recommended::Bound(bound)) => return Some(bound.into()),
            Some(Recommended::Remark(remark)) if !remark.starts_with("not comparable") => return None,
            Some(Recommended::Remark(_)) | None => {}
        }
        self.f32_f64
            .get(part)
            .map(|measured| Tolerance { absolute: (8.0 * measured.max_abs).max(2e-6), relative: 1e-5 })
    }

    pub(crate) fn bounds(&self) -> Option<Bounds> {
        Some(Bounds {
            out: self.tolerance("out")?,
            grad_in: self.tolerance("grad_in")?,
            grad: self.tolerance("grad")?,
            buffer: self.tolerance("buffer")?,
        })
    }
}

//! Crossed features: one learned number for each combination of ids.

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor, nn};

use crate::{FeatureSpace, InputColumn, ModelError, ModelInput, SpaceKind};

/// 2³¹ − 1, a prime: the product of a rest of it and `MULTIPLIER` does not leave 63 bits.
const MODULUS: i64 = 2_147_483_647;
/// A multiplier that spreads well modulo this prime: Fishman and Moore, 1986, the first of their table.
const MULTIPLIER: i64 = 742_938_285;
/// About half of the bits.
const SHIFT: i64 = 15;

/// Categories whose combination has a learned number of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrossConfig {
    /// Category features, at least two.
    pub features: Vec<String>,
    /// The most learned numbers, 1 to 2147483647. Where there are no more combinations than that, each has its own;
    /// where there are more, they are hashed, and some share one.
    #[serde(default = "CrossConfig::default_buckets")]
    pub buckets: i64,
}

impl CrossConfig {
    /// 100,000.
    fn default_buckets() -> i64 {
        100_000
    }

    /// Looks for conflicts with the features. `key` is where the cross stands in the configuration file.
    ///
    /// # Errors
    /// [`ModelError::Config`] names the key, its value and what is allowed.
    pub(crate) fn check(&self, key: &str, space: &FeatureSpace) -> Result<(), ModelError> {
        let refuse = |key: String, value: String, allowed: String| Err(ModelError::Config { key, value, allowed });
        if self.features.len() < 2 {
            let value = format!("{:?}", self.features);
            return refuse(format!("{key}.features"), value, "at least two categories".to_owned());
        }
        if !(1..=MODULUS).contains(&self.buckets) {
            return refuse(format!("{key}.buckets"), self.buckets.to_string(), format!("1 to {MODULUS}"));
        }
        for (index, name) in self.features.iter().enumerate() {
            let allowed = if !matches!(space.kind(name), Some(SpaceKind::Category(_))) {
                format!("a category feature: {}", space.names(|kind| matches!(kind, SpaceKind::Category(_))))
            } else if self.features[..index].contains(name) {
                "each category once".to_owned()
            } else {
                continue;
            };
            return refuse(format!("{key}.features.{index}"), format!("`{name}`"), allowed);
        }
        Ok(())
    }
}

/// One learned number for each combination of the ids of some categories.
///
/// Wide & Deep, eq. (1), the cross-product transformation, <https://arxiv.org/abs/1606.07792>: `φ = Π xᵢ` is 1 for the one
/// combination of ids that a sample has. With `V₁·V₂·…` combinations, no more than the buckets, the number of a
/// combination is `(id₁·V₂ + id₂)·V₃ + …`. With more it is hashed: from `h = 0`, for each id
/// `h ← (h + id + 1)·742938285 mod (2³¹ − 1)`, then `h ← h xor ⌊h/2¹⁵⌋`; at last `h mod buckets`. The hash is the same on
/// every machine.
/// Parameter, started at 0: `weight` `[min(buckets, combinations), 1]`.
#[derive(Debug)]
pub struct CrossedCategories {
    features: Vec<(usize, String)>,
    sizes: Vec<i64>,
    hashed: bool,
    weight: Tensor,
    sparse: bool,
}

impl CrossedCategories {
    /// Registers the numbers.
    ///
    /// # Errors
    /// [`ModelError::Config`] when a feature is no category, stands there twice, or `buckets` is out of bounds; no
    /// variable is registered then.
    pub fn new(variables: &nn::Path<'_>, space: &FeatureSpace, config: &CrossConfig) -> Result<Self, ModelError> {
        config.check("cross", space)?;
        let (mut features, mut sizes) = (Vec::new(), Vec::new());
        for name in &config.features {
            if let (Some(feature), Some(SpaceKind::Category(vocabulary))) = (space.position(name), space.kind(name)) {
                features.push((feature, name.clone()));
                sizes.push(space.vocabularies()[vocabulary].1 as i64);
            }
        }
        let combinations = sizes.iter().try_fold(1i64, |product, &size| product.checked_mul(size));
        let exact = combinations.filter(|&combinations| combinations <= config.buckets);
        let weight = variables.f_var("weight", &[exact.unwrap_or(config.buckets), 1], nn::Init::Const(0.0))?;
        Ok(Self { features, sizes, hashed: exact.is_none(), weight, sparse: false })
    }

    /// Whether the gradient holds only the rows of the batch; it does not at first.
    #[must_use]
    pub fn sparse(self, sparse: bool) -> Self {
        Self { sparse, ..self }
    }

    /// The categories, by their places in the space.
    pub fn features(&self) -> impl Iterator<Item = usize> + '_ {
        self.features.iter().map(|&(feature, _)| feature)
    }

    /// Which number each sample has: `[B]`, int64; one where all samples share their features.
    ///
    /// # Errors
    /// [`ModelError::Column`] when the batch is not of the space the numbers were registered for.
    pub fn rows(&self, input: &ModelInput) -> Result<Tensor, ModelError> {
        let mut row = Tensor::f_zeros([1], (Kind::Int64, self.weight.device()))?;
        for ((feature, name), &size) in self.features.iter().zip(&self.sizes) {
            let ids = match input.columns.get(*feature) {
                Some(InputColumn::Category(ids)) => ids,
                column => {
                    return Err(ModelError::Column {
                        column: name.clone(),
                        got: column.map_or("missing", InputColumn::kind),
                        needed: "a category",
                    });
                }
            };
            row = if self.hashed {
                // Alone, the multiplication would lay neighbouring ids on neighbouring buckets, over those of others.
                let product = row.f_add(ids)?.f_add_scalar(1)?.f_mul_scalar(MULTIPLIER)?.f_remainder(MODULUS)?;
                product.f_bitwise_xor_tensor(&product.f_bitwise_right_shift_tensor_scalar(SHIFT)?)?
            } else {
                row.f_mul_scalar(size)?.f_add(ids)?
            };
        }
        if self.hashed { Ok(row.f_remainder(self.weight.size()[0])?) } else { Ok(row) }
    }

    /// # Shapes
    /// - returns `[B, 1]`
    ///
    /// # Errors
    /// As [`CrossedCategories::rows`].
    pub fn forward(&self, input: &ModelInput) -> Result<Tensor, ModelError> {
        input.for_all_rows(Tensor::f_embedding(&self.weight, &self.rows(input)?, -1, false, self.sparse)?)
    }
}

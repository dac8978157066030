//! Where the operands of hidden layers stand among the inputs of their function.

/// Where the operands of a normalisation stand among the inputs.
pub(super) struct NormPlaces {
    pub(super) epsilon: f64,
    pub(super) scale: Option<usize>,
    pub(super) shift: Option<usize>,
    /// Mean and variance; `None` takes those of the rows.
    pub(super) given: Option<(usize, usize)>,
}

pub(super) enum ActivationPlaces {
    Identity,
    /// A slope below zero that is not learned.
    Constant(f64),
    Sigmoid,
    /// One slope, or one for each unit.
    Slope(usize),
    /// By the columns, and `α`.
    Dice(NormPlaces, usize),
    /// By the rows: `α`.
    RowDice(usize),
}

/// A hidden layer behind its dense map, and the weight and bias of the next one.
pub(super) struct HiddenPlaces {
    pub(super) norm: Option<NormPlaces>,
    pub(super) activation: ActivationPlaces,
    pub(super) dense: Option<(usize, usize)>,
}

impl HiddenPlaces {
    /// The normalisations, that of Dice last.
    pub(super) fn norms(&self) -> impl Iterator<Item = &NormPlaces> {
        let dice = if let ActivationPlaces::Dice(norm, _) = &self.activation { Some(norm) } else { None };
        self.norm.iter().chain(dice)
    }
}

//! Terms with weights, such as `hat:0.5`.

/// What the weight of a term may be.
pub(crate) const WEIGHT: &str = "a term whose weight is a number from 0 up, within the range of 32-bit floats";

/// How a term and its weight are told apart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WeightRule {
    separator: String,
}

impl WeightRule {
    pub(crate) fn new(separator: &str) -> Self {
        Self { separator: separator.to_owned() }
    }

    /// The term before the last separator, and the weight behind it. A term without separator weighs 1.
    pub(crate) fn split<'a>(&self, text: &'a str) -> Result<(&'a str, f32), &'static str> {
        let Some((term, weight)) = text.rsplit_once(&self.separator) else { return Ok((text, 1.0)) };
        match weight.parse::<f32>() {
            // NaN fails the comparison. Weights are added up, and a negative sum would turn a mean around.
            Ok(weight) if (0.0..=f32::MAX).contains(&weight) => Ok((term, weight + 0.0)),
            _ => Err(WEIGHT),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_separator_divides() {
        let rule = WeightRule::new(":");
        assert_eq!(rule.split("hat:0.5"), Ok(("hat", 0.5)));
        assert_eq!(rule.split("hat"), Ok(("hat", 1.0)));
        assert_eq!(rule.split("a:b:2"), Ok(("a:b", 2.0)));
        assert_eq!(rule.split(":3"), Ok(("", 3.0)));
        assert_eq!(rule.split("hat:0"), Ok(("hat", 0.0)));
        assert_eq!(rule.split("hat:-0").map(|(_, weight)| weight.to_bits()), Ok(0));
        assert_eq!(WeightRule::new("=>").split("a=>4=>5e-1"), Ok(("a=>4", 0.5)));
    }

    #[test]
    fn weights_are_strict() {
        for text in ["hat:", "hat:x", "hat: 1", "hat:1 ", "hat:-1", "hat:nan", "hat:inf", "hat:1e39", "hat:0,5"] {
            assert_eq!(WeightRule::new(":").split(text), Err(WEIGHT), "{text}");
        }
    }
}

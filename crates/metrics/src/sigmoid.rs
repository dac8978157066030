/// The click probability of a logit: `1 / (1 + e^-logit)`, in double precision.
///
/// This is the one way from a logit to a probability: training, evaluation and serving all use it,
/// so that a served score equals the evaluated one to the last bit.
///
/// A model's logit is an `f32`; its probability is an `f64`. In single precision every logit above
/// 17 gives exactly 1: samples that the model ranked become ties, which changes the AUC, and their
/// log loss is decided by the clip alone. In double precision neighbouring `f32` logits still have
/// different probabilities at 22.
///
/// Never overflows: an infinite logit gives 0 or 1. NaN gives NaN, which the metrics refuse.
///
/// ```
/// assert_eq!(fain_metrics::sigmoid(0.0), 0.5);
/// assert!(fain_metrics::sigmoid(20.0) < 1.0);
/// ```
pub fn sigmoid(logit: f32) -> f64 {
    let logit = f64::from(logit);
    // The exponent is never positive, so it cannot overflow and small probabilities keep all digits.
    if logit >= 0.0 {
        1.0 / (1.0 + (-logit).exp())
    } else {
        let odds = logit.exp();
        odds / (1.0 + odds)
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "limits and the middle are exact")]
mod tests {
    use super::sigmoid;

    #[test]
    fn known_values() {
        assert_eq!(sigmoid(0.0), 0.5);
        assert!((sigmoid(1.0) - 0.731_058_578_630_004_9).abs() < 1e-15);
        assert!((sigmoid(-1.0) - 0.268_941_421_369_995_1).abs() < 1e-15);
        let small = sigmoid(-40.0);
        assert!((small / 4.248_354_255_291_589e-18 - 1.0).abs() < 1e-14, "{small}");
    }

    #[test]
    fn limits() {
        assert_eq!(sigmoid(f32::INFINITY), 1.0);
        assert_eq!(sigmoid(f32::NEG_INFINITY), 0.0);
        assert_eq!(sigmoid(f32::MAX), 1.0);
        assert_eq!(sigmoid(f32::MIN), 0.0);
        assert!(sigmoid(f32::NAN).is_nan());
    }

    #[test]
    fn keeps_neighbouring_logits_apart_where_single_precision_ties() {
        assert_eq!(1.0 / (1.0 + (-17.5f32).exp()), 1.0 / (1.0 + (-18.0f32).exp()));
        for start in [0.0f32, 1.0, 8.0, 15.9, 16.0, 17.5, 20.0, 21.99, -0.001, -17.5, -80.0] {
            let mut logit = start;
            for _ in 0..1000 {
                let next = logit.next_up();
                // Near zero the spacing of logits is finer than any probability near one half.
                if next.abs() > 1e-6 {
                    assert!(sigmoid(next) > sigmoid(logit), "{logit} and {next}");
                }
                logit = next;
            }
        }
    }
}

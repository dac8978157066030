//! Numbers and rows as text, appended to bytes in memory.

use std::io::Write;

pub(crate) fn push_number(text: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0_u8; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    text.extend_from_slice(&digits[start..]);
}

/// The shortest decimal that reads back as the same number.
pub(crate) fn push_probability(text: &mut Vec<u8>, probability: f64) {
    // Writing to memory cannot fail.
    let _ = write!(text, "{probability}");
}

/// Euros with two decimals, from cents.
pub(crate) fn push_price(text: &mut Vec<u8>, cents: u32) {
    let _ = write!(text, "{}.{:02}", cents / 100, cents % 100);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::{push_number, push_price, push_probability};

    fn text_of(push: impl Fn(&mut Vec<u8>)) -> String {
        let mut text = Vec::new();
        push(&mut text);
        String::from_utf8(text).unwrap_or_default()
    }

    proptest! {
        #[test]
        fn numbers_read_back(number in any::<u64>()) {
            prop_assert_eq!(text_of(|text| push_number(text, number)), number.to_string());
        }

        #[test]
        fn probabilities_read_back(probability in 0.0_f64..1.0) {
            let text = text_of(|text| push_probability(text, probability));
            prop_assert_eq!(text.parse::<f64>().ok(), Some(probability));
        }
    }

    #[test]
    fn prices_have_two_decimals() {
        assert_eq!(text_of(|text| push_price(text, 1205)), "12.05");
        assert_eq!(text_of(|text| push_price(text, 7)), "0.07");
    }
}

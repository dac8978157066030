//! Numbers and tables as people read them.

use std::fmt::Write as _;

/// A whole number with a comma between thousands.
pub(crate) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A metric with four digits; an undefined one is a dash.
pub(crate) fn metric(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"))
}

/// How the cells of a column are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// To the left: words.
    Left,
    /// To the right: numbers.
    Right,
}

/// Rows of cells in columns as wide as their widest cell, with two spaces between. The first row is the heading.
pub(crate) fn table<const N: usize>(align: [Align; N], rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for ((cell, width), align) in row.iter().zip(widths).zip(align) {
            // A String takes whatever is written to it.
            let _ = match align {
                Align::Left => write!(line, "{cell:<width$}  "),
                Align::Right => write!(line, "{cell:>width$}  "),
            };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        for (value, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567"), (10_000, "10,000")] {
            assert_eq!(count(value), text);
        }
    }

    #[test]
    fn an_undefined_metric_is_a_dash() {
        assert_eq!(metric(Some(0.712_345)), "0.7123");
        assert_eq!(metric(None), "-");
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let row = |left: &str, right: &str| [left.to_owned(), right.to_owned()];
        let rows = [row("name", "n"), row("a", "1,000"), row("longer", "")];
        assert_eq!(table([Align::Left, Align::Right], &rows), "name        n\na       1,000\nlonger\n");
    }
}

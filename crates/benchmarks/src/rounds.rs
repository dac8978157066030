//! Measures several sides in turn, so that all of them meet the same weather on the machine.

use anyhow::{Context, Result, ensure};

use crate::figures::Figure;

/// Measures once; the answer is in the unit of the row.
pub(crate) type Side<'a> = Box<dyn FnMut() -> Result<f64> + 'a>;

/// Measures every side so many times, one after the other in each round.
///
/// # Errors
/// That of a side, or a side gives something that is no number.
pub(crate) fn alternate(rounds: u16, sides: &mut [Side<'_>]) -> Result<Vec<Figure>> {
    ensure!(rounds > 0, "there is nothing to measure in no round");
    let mut measured = vec![Vec::new(); sides.len()];
    for _ in 0..rounds {
        for (side, measured) in sides.iter_mut().zip(&mut measured) {
            measured.push(side()?);
        }
    }
    measured.iter().map(|rounds| Figure::of(rounds).with_context(|| format!("{rounds:?} are no figures"))).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use std::cell::RefCell;

    use anyhow::bail;

    use super::*;

    #[test]
    fn sides_take_turns() {
        let order = RefCell::new(String::new());
        let side = |name: char, start: f64| -> Side<'_> {
            let (order, mut value) = (&order, start);
            Box::new(move || {
                order.borrow_mut().push(name);
                value += 1.0;
                Ok(value)
            })
        };
        let figures = alternate(3, &mut [side('a', 0.0), side('b', 10.0)]).unwrap();
        assert_eq!(order.borrow().as_str(), "ababab");
        assert_eq!(
            figures,
            [Figure { median: 2.0, least: 1.0, most: 3.0 }, Figure { median: 12.0, least: 11.0, most: 13.0 }]
        );
    }

    #[test]
    fn a_side_that_fails_or_gives_no_number_ends_it() {
        let fails: Side<'_> = Box::new(|| bail!("the peer ended"));
        assert_eq!(alternate(2, &mut [fails]).unwrap_err().to_string(), "the peer ended");
        let nothing: Side<'_> = Box::new(|| Ok(f64::INFINITY));
        assert!(alternate(1, &mut [nothing]).unwrap_err().to_string().contains("no figures"));
        assert!(alternate(0, &mut []).is_err());
    }
}

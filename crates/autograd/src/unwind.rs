//! Panics as values: none may unwind through the frames of C++.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `body`; a panic becomes its text.
///
/// Callers see to it that nothing a panic left half done is used afterwards.
pub(crate) fn catch<T>(body: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(body)).map_err(|payload| text(payload.as_ref()))
}

fn text(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<String>() {
        return text.clone();
    }
    let text = payload.downcast_ref::<&str>().copied();
    text.unwrap_or("a panic without a text").to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, reason = "what these tests are about")]
    use super::*;

    #[test]
    fn a_panic_becomes_its_text() {
        assert_eq!(catch(|| 3), Ok(3));
        assert_eq!(catch(|| panic!("plain")), Err::<(), _>("plain".to_owned()));
        assert_eq!(catch(|| panic!("row {}", 7)), Err::<(), _>("row 7".to_owned()));
        let other = catch(|| std::panic::panic_any(7_u8));
        assert_eq!(other, Err::<(), _>("a panic without a text".to_owned()));
    }
}

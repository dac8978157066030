//! Panics of a library that reads foreign bytes, as errors.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    /// Whether this thread is inside of [`errors`].
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

static HOOK: Once = Once::new();

/// Does the work; a panic of it becomes its message, and is not reported otherwise.
///
/// A program reports each panic through one hook, before anyone can catch it. The first call puts a hook before the
/// program's own that keeps quiet about the panics caught here and hands on every other.
pub(crate) fn errors<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                before(info);
            }
        }));
    });
    QUIET.set(true);
    // What the work has touched is not used after an error.
    let outcome = panic::catch_unwind(AssertUnwindSafe(work));
    QUIET.set(false);
    outcome.map_err(|payload| message(payload.as_ref()))
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    text.unwrap_or("the decoder panicked").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::panic, reason = "it is what is tested")]
    fn a_panic_is_an_error() {
        assert_eq!(errors(|| 7), Ok(7));
        assert_eq!(errors::<()>(|| panic!("no page")), Err("no page".to_owned()));
        assert_eq!(errors::<()>(|| panic!("no page {}", 3)), Err("no page 3".to_owned()));
        assert_eq!(errors(|| [0][..].iter().sum::<i32>()), Ok(0));
    }
}

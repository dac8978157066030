//! The texts of C++ exceptions.
#![allow(unsafe_code, reason = "C++ hands the text over as a pointer")]

use std::ffi::{c_char, c_void};
use std::slice;

/// How C++ hands over the text of an error.
pub(crate) type Report = unsafe extern "C" fn(sink: *mut c_void, text: *const c_char, length: usize);

/// Stores a text in the `String` that `sink` points to.
///
/// # Safety
/// `sink` points to a `String` that nothing else uses during the call, and `text` to `length` bytes.
pub(crate) unsafe extern "C" fn report(sink: *mut c_void, text: *const c_char, length: usize) {
    // SAFETY: as the caller says.
    let (sink, text) = unsafe { (&mut *sink.cast::<String>(), slice::from_raw_parts(text.cast::<u8>(), length)) };
    *sink = String::from_utf8_lossy(text).into_owned();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_taken_as_far_as_it_goes() {
        let mut sink = "before".to_owned();
        for (text, length, taken) in [("no room left", 7, "no room"), ("", 0, "")] {
            // SAFETY: the sink is ours, and the text is no shorter than its length.
            unsafe { report((&raw mut sink).cast(), text.as_ptr().cast(), length) };
            assert_eq!(sink, taken);
        }
    }
}

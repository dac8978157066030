//! Small programs that use fain's crates from outside: see `examples/`.

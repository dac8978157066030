//! One module per command.

pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod evaluate;
pub(crate) mod inspect;
pub(crate) mod predict;
pub(crate) mod prepare;
pub(crate) mod simulate;
pub(crate) mod train;

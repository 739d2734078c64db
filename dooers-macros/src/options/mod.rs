//! The options of a macro: `key`, `key = value` and `key(…)`, separated by commas.

mod parse;
mod table;
mod values;

pub(crate) use parse::Options;
pub(crate) use table::OptionTable;

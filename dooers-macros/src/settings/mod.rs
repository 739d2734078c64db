//! `#[derive(WorkerSettings)]`.

mod allowed_keys;
mod default;
mod derive;
mod expand;
mod field;
mod field_type;
mod format;
mod formatted;
mod group;
mod item;
mod model;
mod number;
mod pattern;
mod setting;
mod step;
#[cfg(test)]
mod tests;
mod text;

pub(crate) use derive::expand_settings;

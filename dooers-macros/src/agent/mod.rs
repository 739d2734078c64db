//! `#[dooers::agent]`.

mod attribute;
mod duration;
mod expand;
mod model;
mod parse;
mod policy;
#[cfg(test)]
mod tests;
mod type_names;

pub(crate) use attribute::expand_agent;
pub(crate) use type_names::Hidden;

//! `#[dooers::agent]`.

mod attribute;
mod duration;
mod expand;
mod model;
mod parse;
mod policy;
#[cfg(test)]
mod tests;

pub(crate) use attribute::expand_agent;

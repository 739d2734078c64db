//! `#[dooers::agent]`.

mod attribute;
mod expand;
mod model;
mod policy;
#[cfg(test)]
mod tests;

pub(crate) use attribute::expand_agent;

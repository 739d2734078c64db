//! `#[dooers::agent]`.

mod attribute;
mod expand;
mod model;
mod policy;
#[cfg(test)]
mod tests;
mod tool_list;

pub(crate) use attribute::expand_agent;

//! `#[dooers::tool]`.

mod approve;
mod argument;
mod attribute;
mod default;
mod expand;
mod model;
mod name;
#[cfg(test)]
mod tests;

pub(crate) use attribute::{expand_tool, without_feature};

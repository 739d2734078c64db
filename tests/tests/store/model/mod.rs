//! A model of a store: what its answers must be, worked out in the simplest way.

mod ops;
mod reads;
mod thread;

pub(crate) use ops::Model;

//! A simple reference model of a store, which predicts its responses.

mod ops;
mod reads;
mod thread;

pub(crate) use ops::Model;

//! A model of a store: what its answers must be, worked out in the simplest way.

mod reading;
mod steps;
mod thread;

pub(crate) use steps::Model;

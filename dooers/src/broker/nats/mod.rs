//! The broker that uses a NATS server: a subject for each topic, so that a node receives only what its connections need.

mod link;
mod options;
mod start;
mod subjects;
#[cfg(test)]
mod tests;
mod unconfirmed;

pub(crate) use options::NatsPart;
pub use options::{InvalidNatsOptions, NatsOptions};
pub(crate) use start::start_nats;

//! The broker that uses a NATS server: a subject for each topic, so that a node receives only what its connections need.

mod broker;
mod link;
mod options;
mod subjects;
#[cfg(test)]
mod tests;
mod unconfirmed;

pub(crate) use broker::NatsBroker;
pub(crate) use options::NatsPart;
pub use options::{InvalidNatsOptions, NatsOptions};

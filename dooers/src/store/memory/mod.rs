//! A store in memory, whose content is lost when the process ends.

mod nodes;
mod outbox;
mod reading;
mod store;

pub use store::MemoryStore;

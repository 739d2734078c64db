//! A store in memory, whose content is lost when the process ends.

mod outbox;
mod reading;
mod store;

pub use store::MemoryStore;

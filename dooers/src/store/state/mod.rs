//! Threads in memory, as rows for the [`rules`](super::rules).
//!
//! The memory store keeps complete threads. The PostgreSQL store reads only the rows that an operation needs, so a
//! [`ThreadState`] may lack events and runs of its thread.

mod rows;
mod thread;
mod threads;

pub(crate) use thread::{KeptEvent, KeptRun, ThreadState};
pub(crate) use threads::Threads;

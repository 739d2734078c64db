//! Threads in memory, as rows on which the [`rules`](super::rules) work.
//!
//! The store in memory keeps whole threads. The store in PostgreSQL reads only what an operation needs: a [`ThreadState`]
//! need not have all events and runs of its thread.

mod rows;
mod thread;
mod threads;

pub(crate) use thread::{KeptEvent, KeptRun, ThreadState};
pub(crate) use threads::Threads;

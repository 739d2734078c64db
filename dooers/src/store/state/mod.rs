//! What the operations of a store do to threads, in memory.
//!
//! A store that works on rows does the same to its rows. One that reads threads, changes them here, and writes what has
//! become of them, shares these rules with the store that keeps all in memory. Such a store reads only what an
//! operation needs: a [`ThreadState`] need not have all events and runs of its thread.

mod thread;
mod threads;

pub(crate) use thread::{KeptEvent, KeptRun, ThreadState};
pub(crate) use threads::Threads;
#[cfg(feature = "postgres")]
pub(crate) use threads::{SentEvent, SentKey};

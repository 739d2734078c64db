//! The rules of a thread.

mod edits;
mod turns;

pub(crate) use turns::TurnRow;
#[cfg(feature = "postgres")]
pub(crate) use turns::{Held, Interrupted};

//! The rules of a thread, written once for all stores.
//!
//! A rule works on rows through the traits [`Rows`] and [`ThreadRows`], and does not know where they are stored.
//! Threads in memory ([`state`](super::state)) and the connection of SQLite's writer implement these traits. The
//! PostgreSQL store reads the rows that an operation needs into memory, applies the rules there, and writes the
//! difference.
//!
//! Each function of this module makes all its checks before its first write, so that a refusal changes nothing.

mod begin;
mod cancel;
mod changes;
mod edits;
mod feedback;
mod operations;
mod questions;
mod recover;
mod rows;
mod thread;
mod turns;
mod usage;

pub(crate) use begin::begin;
pub(crate) use cancel::cancel;
#[cfg(feature = "postgres")]
pub(crate) use cancel::cancel_in;
pub(crate) use edits::edit;
pub(crate) use feedback::give_feedback;
#[cfg(feature = "postgres")]
pub(crate) use feedback::{give_feedback_in, place_of};
pub(crate) use operations::{claim, create, delete, finish, resume, retry, write};
pub(crate) use recover::recover;
#[cfg(feature = "postgres")]
pub(crate) use recover::{Interrupted, expire};
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) use rows::Held;
pub(crate) use rows::{NewEvent, Rows, SentEvent, SentKey, ThreadRow, ThreadRows, TurnRow};

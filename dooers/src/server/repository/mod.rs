//! Conversations in the hands of the program: read and written without a socket, and outside of a turn.
//!
//! [`WorkerServer::repository`](crate::WorkerServer::repository) gives a [`Repository`], and
//! [`WorkerServer::broadcast`](crate::WorkerServer::broadcast) a [`Broadcast`]. What either of them changes takes the
//! thread's next number and reaches subscribers as everything else does.

mod broadcast;
mod error;
mod events;
mod handle;
mod list;
mod runs;
mod scope;
mod settings;
mod threads;

pub use crate::store::patch::{EventPatch, RunPatch, ThreadPatch};
pub use crate::store::scope::Scope;
pub use broadcast::Broadcast;
pub use error::RepositoryError;
pub use events::{CreateEvent, Events};
pub use handle::Repository;
pub use list::{List, Listed, MAX_PAGE, PAGE, Page};
pub use runs::{CreateRun, Runs};
pub use threads::{CreateThread, Threads};

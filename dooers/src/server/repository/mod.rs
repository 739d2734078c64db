//! Access of the program to conversations and settings, without a socket and outside of a turn.
//!
//! [`WorkerServer::repository`](crate::WorkerServer::repository) returns a [`Repository`], and
//! [`WorkerServer::broadcast`](crate::WorkerServer::broadcast) a [`Broadcast`]. Their changes take the thread's next
//! change number (`rev`) and are published to subscribers like all other changes.

mod broadcast;
mod error;
mod events;
mod feedback;
mod handle;
mod list;
mod nodes;
mod runs;
mod scope;
mod settings;
mod target;
mod threads;
mod usage;

pub use crate::store::feedback::{Feedback, FeedbackDay, FeedbackUpdate};
pub use crate::store::node::{NodeBroker, NodeInfo, NodeState};
pub use crate::store::patch::{EventPatch, RunPatch, ThreadPatch};
pub use crate::store::scope::Scope;
pub use crate::store::usage::UsageSum;
pub use broadcast::Broadcast;
pub use error::RepositoryError;
pub use events::{CreateEvent, Events};
pub use feedback::{FeedbackList, FeedbackSummary};
pub use handle::Repository;
pub use list::{List, Listed, MAX_PAGE, PAGE, Page};
pub use runs::{CreateRun, Runs};
pub use threads::{CreateThread, Threads};
pub use usage::{UsageGroup, UsageSummary};

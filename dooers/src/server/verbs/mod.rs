//! The answers to the frames of clients: one file for each family of verbs.

mod analytics;
mod caller;
mod connect;
mod event;
mod feedback;
mod router;
mod run;
mod settings;
mod thread;

pub(super) use router::{handle_frame, refuse_frame};

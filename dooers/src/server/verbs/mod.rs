//! The answers to the frames of clients: one file for each family of verbs.

mod answer;
mod caller;
mod connect;
mod event;
mod run;
mod settings;
mod thread;

pub(super) use answer::answer;

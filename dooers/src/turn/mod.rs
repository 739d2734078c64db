//! The turns of this process: claiming and running them, and writing and publishing their changes.

mod active;
mod attempt;
mod completions;
mod context;
mod driver;
mod lost_answers;
mod next;
mod outcome;
mod poll_time;
mod published_text;
mod publisher;
mod questions;
mod runner;
#[cfg(test)]
mod tests;
mod time_limit;
mod writer;
mod writer_texts;
mod written;

pub(crate) use completions::{AwaitedTurn, Ended, TurnCompletion, TurnEnd};
#[cfg(feature = "testing")]
pub(crate) use completions::{EndedTurns, TurnRecord};
pub(crate) use context::TurnParameters;
pub(crate) use lost_answers::LostIn;
pub(crate) use outcome::TurnOutcome;
pub(crate) use runner::{Outlets, Runner};

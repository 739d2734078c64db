//! What every store does, whatever it keeps its rows in: one suite, run over each of them.
//!
//! A case is an async function that is given an empty store. It is named in the [`stores::cases`] of its file,
//! which makes one test of it for each store; a case that is not named there is dead code, so the compiler tells.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

mod given;
mod model;
mod seen;
mod stores;

mod beginning;
mod busy;
mod cancelling;
mod clock;
mod forms;
mod passwords;
mod recovering;
mod reopening;
mod repeating;
mod retrying;
mod texts;
mod turn_states;
mod turns;
mod writing;

mod contents;
mod creating;
mod deleting;
mod editing;
mod ids;
mod random;
mod scopes;
mod together;

mod catching_up;
mod finding;
mod finding_runs;
mod finding_threads;
mod limits;
mod listing;
mod paging;
mod snapshots;

mod settings;

//! Quotas of clients: what a user may send, counted over all connections of the user.

mod account;
mod accounts;
mod choice;
mod env;
mod lane;
mod meter;
mod nodes;
mod quotas;
mod recent_ids;
mod refusal;
#[cfg(all(test, feature = "testing"))]
mod tests_of_nodes;
mod unfinished;

pub(super) use accounts::Accounts;
pub(super) use choice::QuotaChoice;
pub(super) use env::quotas;
pub(super) use meter::{Meter, Starts, Verdict};
pub use quotas::Quotas;

//! The topics of news.

use super::place::{PlaceKey, ThreadKey};

#[cfg_attr(
    not(test),
    allow(dead_code, reason = "the broker with a subject for each topic uses it")
)]
/// The topic of news. A broker may carry news only to the nodes that watch one of their topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Topic {
    /// What every node must hear.
    All,
    /// The rows of the threads of a place.
    Place(PlaceKey),
    /// The content of a thread.
    Thread(ThreadKey),
}

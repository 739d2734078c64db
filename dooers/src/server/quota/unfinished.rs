//! The messages of a user whose turns have not ended.

use crate::turn::TurnCompletion;
use futures::FutureExt;
use std::time::Duration;
use tokio::time::Instant;

/// The time for which a message counts at most. Without a broker, this process does not find out that another process has
/// ended a turn.
const LONGEST: Duration = Duration::from_secs(600);

/// The messages of a user whose turns have not ended.
#[derive(Debug, Default)]
pub(super) struct UnfinishedTurns(Vec<(Instant, TurnCompletion)>);

impl UnfinishedTurns {
    /// The number of these messages.
    pub(super) fn count(&mut self, now: Instant) -> usize {
        self.0.retain_mut(|(since, completion)| {
            let is_recent = now.saturating_duration_since(*since) < LONGEST;
            is_recent && completion.now_or_never().is_none()
        });
        if self.0.is_empty() {
            // An idle user holds no memory.
            self.0 = Vec::new();
        }
        self.0.len()
    }

    /// Adds a message that was stored.
    pub(super) fn add(&mut self, completion: TurnCompletion, now: Instant) {
        self.0.push((now, completion));
    }

    /// The time at which the last of the messages ceases to count.
    pub(super) fn end(&self) -> Option<Instant> {
        self.0.last().map(|(since, _)| *since + LONGEST)
    }
}

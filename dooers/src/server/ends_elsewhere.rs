//! The ends of turns that other nodes run.
//!
//! A message that is stored by this node may be answered by another one. The tasks that wait for the end of its turn are
//! notified when the store no longer has the turn. The store is asked when another node changes the thread, and slowly in any
//! case.

use super::server_state::ServerState;
use crate::store::StoreError;
use crate::turn::AwaitedTurn;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// The pause between two reads. A turn that another node runs may change its thread many times.
const PAUSE: Duration = Duration::from_millis(50);

/// Maximum number of turns that are looked up by one statement.
const ASKED: usize = 1_000;

impl ServerState {
    /// Finds the ends of turns that other nodes run, until the server has stopped.
    pub(super) async fn find_ends(self: Arc<Self>) {
        self.stopped.run_until_cancelled(self.find_on()).await;
    }

    async fn find_on(&self) {
        let endings = self.runner.publisher().endings();
        let mut has_failed = false;
        // A deadline, because marked turns must not postpone it.
        let mut all_at = Instant::now() + self.compare_pause();
        loop {
            tokio::select! {
                () = sleep_until(all_at) => {}
                () = endings.marked() => {}
            }
            if Instant::now() >= all_at {
                endings.mark_all();
                all_at = Instant::now() + self.compare_pause();
            }
            match self.find_marked().await {
                Ok(()) => has_failed = false,
                Err(error) => {
                    if !std::mem::replace(&mut has_failed, true) {
                        tracing::warn!(target: "dooers::broker", error = &error as &dyn Error, "the turns of other nodes could not be looked up; trying again");
                    }
                }
            }
            sleep(PAUSE).await;
        }
    }

    /// Looks up the marked turns. After an error, the rest is found when all are marked again. Turns that are marked in the
    /// meantime wait for the next call, unless there are many.
    async fn find_marked(&self) -> Result<(), StoreError> {
        loop {
            let mut turns = self.runner.publisher().endings().take_marked(ASKED);
            let is_last = turns.len() < ASKED;
            turns.retain(|turn| !self.runner.runs(&turn.event_id));
            self.report_ended(turns).await?;
            if is_last {
                return Ok(());
            }
        }
    }

    /// Reports those of these turns that have ended.
    async fn report_ended(&self, mut turns: Vec<AwaitedTurn>) -> Result<(), StoreError> {
        if turns.is_empty() {
            return Ok(());
        }
        let event_ids: Vec<_> = turns.iter().map(|turn| turn.event_id.clone()).collect();
        let open = self.store.open_turns(&event_ids).await?;
        turns.retain(|turn| !open.contains(&turn.event_id));
        if turns.is_empty() {
            return Ok(());
        }
        // Read afterwards, so that no change of an ended turn is later.
        let threads: Vec<_> = turns.iter().map(|turn| turn.thread_id.clone()).collect();
        let revs = self.store.thread_revs(&threads).await?;
        // A turn that this node has run in the meantime is reported with its outcome.
        turns.retain(|turn| !self.runner.runs(&turn.event_id));
        for AwaitedTurn {
            thread_id,
            event_id,
        } in turns
        {
            let rev = revs.get(&thread_id).copied();
            match rev {
                Some(rev) => self.hub.changed_elsewhere(&thread_id, rev),
                None => self.hub.compare(&thread_id, None),
            }
            // A reader has read all of a deleted thread only when it was notified of the deletion.
            let rev = rev.unwrap_or(u64::MAX);
            self.runner
                .publisher()
                .endings()
                .notify_elsewhere(&event_id, rev);
        }
        Ok(())
    }
}

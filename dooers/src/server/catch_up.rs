//! A connection that fell behind goes on from the store.

use super::identity::Identity;
use super::session::Session;
use crate::hub::{Backlog, Frame, Update, sender_of};
use crate::protocol::{ServerFrame, ShownThread};
use crate::store::{PageLimit, Position, StoreError};
use std::error::Error;
use std::time::Duration;
use tokio::time::sleep;

/// How many events are read at once for a connection that fell behind.
const CATCH_UP_EVENTS: usize = 50;

/// How long to wait before the store is asked again that did not answer.
const CATCH_UP_RETRY: Duration = Duration::from_secs(1);

impl Session {
    /// Reads from the store what did not fit into the connection's queue, as that drains.
    pub(super) async fn catch_up(&self) {
        loop {
            let backlog = tokio::select! {
                () = self.ending.ended() => return,
                next = self.connection.next_backlog() => next,
            };
            let subscription = match &backlog {
                Backlog::Thread(thread_id, _) => self.connection.subscription(thread_id),
                Backlog::Row(_) | Backlog::Setting(_) => None,
            };
            tokio::select! {
                () = self.ending.ended() => return,
                () = self.connection.outbound().has_room() => {}
            }
            Box::pin(self.catch_up_with(backlog, subscription)).await;
        }
    }

    async fn catch_up_with(&self, backlog: Backlog, subscription: Option<u64>) {
        let Some(identity) = self.identity() else {
            return;
        };
        // A subscription that began anew meanwhile stands elsewhere, and has a backlog of its own if it is behind.
        let is_over = |thread_id: &str| self.connection.subscription(thread_id) != subscription;
        match backlog {
            Backlog::Row(thread_id) => {
                let row = self.running.store.thread(&identity.scope, &thread_id).await;
                // Another `connect` may have come while the store was read.
                if self.is_still(&identity) {
                    match row {
                        Ok(record) => self.push(&ServerFrame::ThreadUpsert {
                            thread: ShownThread::new(&record.thread, None),
                        }),
                        Err(error) => self.thread_failed(&thread_id, error, || false).await,
                    }
                }
            }
            Backlog::Thread(thread_id, position) => {
                if is_over(&thread_id) {
                    return;
                }
                let is_over = || is_over(&thread_id);
                let read = self
                    .read_on(&identity, &thread_id, &position, is_over)
                    .await;
                if let Err(error) = read
                    && self.is_still(&identity)
                    && !is_over()
                {
                    self.thread_failed(&thread_id, error, is_over).await;
                }
            }
            Backlog::Setting(field_id) => {
                let worker = identity.worker();
                let sent = self
                    .running
                    .settings
                    .resend(&self.connection, &worker, &field_id)
                    .await;
                if let Err(error) = sent {
                    log(&error, &field_id);
                    if self.wait().await {
                        self.connection.put_back_setting(&field_id);
                    }
                }
            }
        }
    }

    /// A thread that could not be read is gone, or is read again later.
    async fn thread_failed(&self, thread_id: &str, error: StoreError, is_over: impl Fn() -> bool) {
        if let StoreError::NotFound(_) = error {
            self.running.hub.unsubscribe(&self.connection, thread_id);
            let deleted = Update::Deleted(thread_id.to_owned());
            self.connection.outbound().push(Frame::from(deleted));
            return;
        }
        log(&error, thread_id);
        if self.wait().await && !is_over() {
            self.connection.put_back(thread_id);
        }
    }

    /// Waits a while after the store has failed. `false` if the connection ended meanwhile.
    async fn wait(&self) -> bool {
        tokio::select! {
            () = self.ending.ended() => false,
            () = sleep(CATCH_UP_RETRY) => true,
        }
    }

    async fn read_on(
        &self,
        identity: &Identity,
        thread_id: &str,
        position: &Position,
        is_over: impl Fn() -> bool,
    ) -> Result<(), StoreError> {
        let Some(_answering) = self.may_answer().await else {
            return Ok(());
        };
        let join = self.running.hub.join(&self.connection, thread_id);
        // A step is as large as an answer.
        let bytes = self.running.config.limits.answer_bytes;
        let limit = PageLimit::new(CATCH_UP_EVENTS).bytes(bytes);
        let page = self
            .running
            .store
            .catch_up(&identity.scope, thread_id, position, limit)
            .await?;
        if is_over() {
            // Unsubscribed, or subscribed or connected anew, while the store was read.
            return Ok(());
        }
        if self.connection.behind(thread_id).as_ref() != Some(position) {
            // It has been sent older events meanwhile, whose edits concern it, too.
            self.connection.put_back(thread_id);
            return Ok(());
        }
        let sender = sender_of(&page.changes);
        let frames = page.changes.into_iter();
        let frames = frames.map(|change| Frame::from(Update::Change(change, sender.clone())));
        if page.is_complete {
            join.settle(frames, page.position);
        } else {
            join.settle_behind(frames, page.position);
        }
        Ok(())
    }
}

fn log(error: &(dyn Error + 'static), id: &str) {
    tracing::error!(target: "dooers::server", error, id, "a reader that fell behind must wait");
}

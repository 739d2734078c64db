//! Reading missed changes from the store for a connection that fell behind.

use super::identity::SessionIdentity;
use super::session::Session;
use super::settings_frames;
use crate::hub::{Backlog, Frame, Update, sender_of};
use crate::protocol::{ServerFrame, ThreadView};
use crate::settings::{ChangedSetting, Visibility};
use crate::store::{PageLimit, Position, StoreError};
use std::error::Error;
use std::time::Duration;
use tokio::time::sleep;

/// Maximum number of events that are read at once for a connection that fell behind.
const CATCH_UP_EVENTS: usize = 50;

/// The delay before the store is read again after an error.
const CATCH_UP_RETRY: Duration = Duration::from_secs(1);

impl Session {
    /// Reads the changes that did not fit into the connection's queue from the store, as soon as the queue has room.
    /// Returns when the session ends.
    pub(super) async fn catch_up(&self) {
        loop {
            let backlog = tokio::select! {
                () = self.ending.ended() => return,
                next = self.connection.next_backlog() => next,
            };
            let earlier = self.identity();
            let subscription = match &backlog {
                Backlog::Thread(thread_id, _) => self.connection.subscription(thread_id),
                Backlog::Row(_) | Backlog::Setting(_) | Backlog::Analytics => None,
            };
            tokio::select! {
                () = self.ending.ended() => return,
                () = self.connection.outbound().may_deliver() => {}
            }
            // The subscriptions of an identity that was replaced in the meantime have ended.
            if earlier.is_some_and(|earlier| self.is_still(&earlier)) {
                Box::pin(self.catch_up_with(backlog, subscription)).await;
            }
        }
    }

    async fn catch_up_with(&self, backlog: Backlog, subscription: Option<u64>) {
        let Some(identity) = self.identity() else {
            return;
        };
        // A subscription that was replaced in the meantime has its own position, and its own backlog if it is behind.
        let is_over = |thread_id: &str| self.connection.subscription(thread_id) != subscription;
        match backlog {
            Backlog::Row(thread_id) => {
                let row = self.server.store.thread(&identity.scope, &thread_id).await;
                // The client may have sent another `connect` while the store was read.
                if self.is_still(&identity) {
                    match row {
                        Ok(record) => self.push(&ServerFrame::ThreadUpsert {
                            thread: ThreadView::new(&record.thread, None),
                        }),
                        Err(error) => {
                            let is_over = || !self.is_still(&identity);
                            self.thread_failed(&thread_id, error, is_over).await;
                        }
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
            Backlog::Analytics => self.connection.send_analytics(),
            Backlog::Setting(field_id) => {
                let worker = identity.worker();
                let settings = &self.server.settings;
                let resent = settings.read_unchanged(&worker, |schema, current| {
                    let Some(field) = schema.field(&field_id) else {
                        return;
                    };
                    let is_for_creators = field.visibility() == Visibility::Creator;
                    // The client may have subscribed again since the change, for another audience or worker.
                    if self.connection.sees_setting(&worker, is_for_creators) {
                        let frame = settings_frames::patch(&ChangedSetting {
                            worker: &worker,
                            field,
                            value: current.values.of(field),
                            updated_at: current.updated_at,
                        });
                        self.connection.outbound().push(frame);
                    }
                });
                if let Err(error) = resent.await {
                    log(&error, &field_id);
                    if self.wait().await {
                        self.connection.put_back_setting(&field_id);
                    }
                }
            }
        }
    }

    /// Handles the error of a read. A thread that does not exist is reported as deleted. Any other error leads to
    /// another attempt.
    async fn thread_failed(&self, thread_id: &str, error: StoreError, is_over: impl Fn() -> bool) {
        if let StoreError::NotFound(_) = error {
            self.server.hub.unsubscribe(&self.connection, thread_id);
            let deleted = Update::Deleted(thread_id.to_owned());
            self.connection.outbound().push(Frame::from(deleted));
            return;
        }
        log(&error, thread_id);
        if self.wait().await && !is_over() {
            self.connection.put_back(thread_id);
        }
    }

    /// Waits before the next attempt after an error of the store. Returns `false` if the session ended in the meantime.
    async fn wait(&self) -> bool {
        tokio::select! {
            () = self.ending.ended() => false,
            () = sleep(CATCH_UP_RETRY) => true,
        }
    }

    async fn read_on(
        &self,
        identity: &SessionIdentity,
        thread_id: &str,
        position: &Position,
        is_over: impl Fn() -> bool,
    ) -> Result<(), StoreError> {
        let Some(_answering) = self.may_answer().await else {
            return Ok(());
        };
        let join = self.server.hub.join(&self.connection, thread_id).await;
        // A step has the same limit in bytes as an answer.
        let bytes = self.server.config.limits.answer_bytes;
        let limit = PageLimit::new(CATCH_UP_EVENTS).bytes(bytes);
        let page = self
            .server
            .store
            .catch_up(&identity.scope, thread_id, position, limit)
            .await?;
        if is_over() {
            // The subscription ended or was replaced while the store was read.
            return Ok(());
        }
        if self.connection.behind(thread_id).as_ref() != Some(position) {
            // The client has been sent older events in the meantime, and edits of these concern it too.
            self.connection.put_back(thread_id);
            return Ok(());
        }
        let sender = sender_of(&page.changes);
        let frames = page.changes.into_iter();
        let frames = frames.map(|change| Frame::from(Update::Change(change, sender.clone())));
        if page.is_complete {
            join.activate(frames, page.position);
        } else {
            join.activate_lagging(frames, page.position);
        }
        Ok(())
    }
}

fn log(error: &(dyn Error + 'static), id: &str) {
    tracing::error!(target: "dooers::server", error, id, "a connection that fell behind could not be brought up to date; trying again");
}

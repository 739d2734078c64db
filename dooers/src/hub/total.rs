//! The unsent bytes of all connections of a server.

use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

/// The share of the limit for answers that are being built.
const BEING_MADE: usize = 8;

/// The bytes that wait for all connections of a server together. A frame counts once for each connection that it waits for.
///
/// Above the limit no request is read, and live frames only go to connections for which little waits. The bytes of
/// connections that do not read are returned when these are closed.
#[derive(Debug)]
pub(crate) struct OutboundTotal {
    bytes: AtomicUsize,
    limit: usize,
    fallen: Notify,
    /// The permits for large answers that are built at the same time. Answers count towards the total only when they
    /// are enqueued.
    answers: Semaphore,
}

impl OutboundTotal {
    /// Creates a total with this limit, for answers of up to `answer_bytes`.
    pub(crate) fn new(limit: usize, answer_bytes: usize) -> Self {
        let answers = limit / BEING_MADE / answer_bytes.max(1);
        Self {
            bytes: AtomicUsize::new(0),
            limit,
            fallen: Notify::new(),
            answers: Semaphore::new(answers.clamp(1, Semaphore::MAX_PERMITS)),
        }
    }

    /// The bytes that wait now.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::SeqCst)
    }

    pub(super) fn is_exceeded(&self) -> bool {
        self.bytes.load(Ordering::SeqCst) > self.limit
    }

    pub(super) fn add(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Ordering::SeqCst);
    }

    pub(super) fn remove(&self, bytes: usize) {
        let before = self.bytes.fetch_sub(bytes, Ordering::SeqCst);
        if before > self.limit && before - bytes <= self.limit {
            self.fallen.notify_waiters();
        }
    }

    /// Waits until the limit is not exceeded.
    pub(super) async fn has_room(&self) {
        loop {
            let fallen = self.fallen.notified();
            tokio::pin!(fallen);
            // Registered before the check, so that no change in between is missed.
            fallen.as_mut().enable();
            if !self.is_exceeded() {
                return;
            }
            fallen.await;
        }
    }

    /// Waits for the permit to build a large answer, in the order of the callers. Keep the permit until the answer is
    /// enqueued.
    pub(super) async fn may_answer(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed.
        let permit = self.answers.acquire().await.ok();
        self.has_room().await;
        permit
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[tokio::test]
    async fn total_has_room_up_to_its_limit() {
        let total = OutboundTotal::new(100, 10);
        total.add(100);
        assert!(total.has_room().now_or_never().is_some());
        total.add(1);
        let waiting = total.has_room();
        tokio::pin!(waiting);
        assert!(waiting.as_mut().now_or_never().is_none());
        total.remove(1);
        assert!(waiting.now_or_never().is_some());
    }

    #[tokio::test]
    async fn answers_are_made_one_after_another() {
        let total = OutboundTotal::new(100, 10);
        let first = total.may_answer().await;
        let second = total.may_answer();
        tokio::pin!(second);
        assert!(second.as_mut().now_or_never().is_none());
        total.add(101);
        drop(first);
        assert!(second.as_mut().now_or_never().is_none());
        total.remove(1);
        assert!(second.now_or_never().is_some());
    }
}

//! The outbound queue of a connection.

use super::frame::Frame;
use super::lock::lock;
use super::total::OutboundTotal;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Notify, SemaphorePermit};
use tokio::time::Instant;

/// The limits of an outbound queue.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OutboundLimits {
    pub(crate) frames: usize,
    pub(crate) bytes: usize,
}

/// The part of a queue that live frames may fill while too much waits for all connections.
const LITTLE: usize = 16;

/// The frames that wait to be sent to one connection, bounded in number and bytes.
///
/// The frames of a socket are queued as JSON, and nothing else is kept of them. The frames of a reader in the same process
/// are queued as they are, because it does not need their JSON.
///
/// A frame counts until its writer calls [`sent`](Self::sent).
#[derive(Debug)]
pub(crate) struct Outbound {
    queue: Mutex<Queue>,
    limits: OutboundLimits,
    /// The frames of all sockets. `None` for a reader in the same process, because only its program can be slow.
    total: Option<Arc<OutboundTotal>>,
    filled: Notify,
    drained: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Frame>,
    /// The size of these frames in bytes.
    bytes: usize,
    /// The size in bytes of the frames that were taken and are not sent yet.
    sending: usize,
    /// The number of frames that were taken.
    taken: u64,
    /// Frames that a newer frame with the same key replaces while they wait, as the number of frames before each.
    replaceable: HashMap<String, u64>,
    /// The frames that waited at some moment, until all of them are sent.
    mark: Option<Mark>,
    is_closed: bool,
    /// True while live frames are refused.
    is_paused: bool,
}

/// The frames that waited at some moment.
#[derive(Debug, Clone, Copy)]
struct Mark {
    at: Instant,
    /// The number of taken frames at which all these frames have been taken.
    taken: u64,
}

impl Queue {
    fn has_room(&self, frame: &Frame, limits: OutboundLimits) -> bool {
        self.frames.is_empty()
            || (self.frames.len() < limits.frames && self.unsent() + frame.len() <= limits.bytes)
    }

    fn unsent(&self) -> usize {
        self.bytes + self.sending
    }

    /// The frame of this key, if it still waits.
    fn waiting(&mut self, key: &str) -> Option<&mut Frame> {
        let place = self.replaceable.get(key)?.checked_sub(self.taken)?;
        self.frames.get_mut(usize::try_from(place).ok()?)
    }
}

impl Outbound {
    pub(crate) fn new(limits: OutboundLimits, total: Option<Arc<OutboundTotal>>) -> Self {
        Self {
            queue: Mutex::default(),
            limits,
            total,
            filled: Notify::new(),
            drained: Notify::new(),
        }
    }

    /// Enqueues an answer to a request. No request is read while the queue is more than half full, so that a client cannot make
    /// the queue grow without limit.
    pub(crate) fn push(&self, frame: Frame) {
        let frame = self.as_queued(frame);
        self.add(&mut lock(&self.queue), frame);
    }

    /// Enqueues a frame behind all others, including one with the same key. Newer frames with the key replace this one.
    pub(crate) fn push_replaceable(&self, key: &str, frame: Frame) {
        let frame = self.as_queued(frame);
        self.add_replaceable(&mut lock(&self.queue), key, frame);
    }

    /// Enqueues a live frame. Returns `false` if the queue is full.
    pub(crate) fn offer(&self, frame: &Frame) -> bool {
        let frame = self.as_queued(frame.clone());
        let mut queue = lock(&self.queue);
        let has_room = self.has_room_for(&queue, &frame);
        if has_room {
            self.add(&mut queue, frame);
        }
        has_room
    }

    /// Enqueues a live frame if the queue is at most half full, and the total of all connections is not exceeded. Returns
    /// `false` otherwise. [`may_deliver`](Self::may_deliver) waits for the same condition.
    pub(crate) fn offer_spare(&self, frame: &Frame) -> bool {
        let frame = self.as_queued(frame.clone());
        let mut queue = lock(&self.queue);
        let has_room = !queue.is_paused && self.is_roomy(&queue) && !self.is_total_exceeded();
        if has_room {
            self.add(&mut queue, frame);
        }
        has_room
    }

    /// Enqueues a live frame. It replaces a waiting frame with the same key. Returns `false` if the queue is full.
    pub(crate) fn offer_instead(&self, key: &str, frame: &Frame) -> bool {
        let frame = self.as_queued(frame.clone());
        let bytes = frame.len();
        let mut queue = lock(&self.queue);
        if queue.is_paused {
            return false;
        }
        if let Some(waiting) = queue.waiting(key) {
            let before = std::mem::replace(waiting, frame).len();
            queue.bytes = queue.bytes - before + bytes;
            self.count(bytes);
            self.uncount(before);
            return true;
        }
        let has_room = self.has_room_for(&queue, &frame);
        if has_room {
            self.add_replaceable(&mut queue, key, frame);
        }
        has_room
    }

    /// Lets the next frame with this key come behind all others, instead of replacing the one that waits.
    pub(crate) fn end_replacing(&self, key: &str) {
        lock(&self.queue).replaceable.remove(key);
    }

    /// Converts a frame to the form in which it is queued.
    fn as_queued(&self, frame: Frame) -> Frame {
        if self.total.is_some() {
            frame.encoded()
        } else {
            frame
        }
    }

    /// Returns true if there is room for a live frame. While too much waits for all connections, only queues with few
    /// bytes have room.
    fn has_room_for(&self, queue: &Queue, frame: &Frame) -> bool {
        let few = OutboundLimits {
            bytes: self.limits.bytes / LITTLE,
            ..self.limits
        };
        !queue.is_paused
            && (queue.has_room(frame, few)
                || queue.has_room(frame, self.limits) && !self.is_total_exceeded())
    }

    fn add(&self, queue: &mut Queue, frame: Frame) {
        if queue.is_closed {
            return;
        }
        queue.bytes += frame.len();
        self.count(frame.len());
        queue.frames.push_back(frame);
        self.filled.notify_one();
    }

    /// Adds a frame that is replaced by a newer frame with the same key while it waits.
    fn add_replaceable(&self, queue: &mut Queue, key: &str, frame: Frame) {
        let place = queue.taken + queue.frames.len() as u64;
        queue.replaceable.insert(key.to_owned(), place);
        self.add(queue, frame);
    }

    fn count(&self, bytes: usize) {
        if let Some(total) = &self.total {
            total.add(bytes);
        }
    }

    fn uncount(&self, bytes: usize) {
        if let Some(total) = &self.total {
            total.remove(bytes);
        }
    }

    fn is_total_exceeded(&self) -> bool {
        self.total.as_ref().is_some_and(|total| total.is_exceeded())
    }

    /// Waits for frames and takes some, in order: about this many bytes, at least one frame. The frames count until they
    /// are [sent](Self::sent).
    pub(crate) async fn take(&self, bytes: usize, batch: &mut Vec<Frame>) {
        loop {
            let filled = self.filled.notified();
            if self.try_take(bytes, batch) {
                return;
            }
            filled.await;
        }
    }

    fn try_take(&self, bytes: usize, batch: &mut Vec<Frame>) -> bool {
        let mut queue = lock(&self.queue);
        let before = batch.len();
        if queue.mark.is_none() && !queue.frames.is_empty() {
            queue.mark = Some(Mark {
                at: Instant::now(),
                taken: queue.taken + queue.frames.len() as u64,
            });
        }
        let mut taken = 0;
        while taken < bytes
            && let Some(frame) = queue.frames.pop_front()
        {
            taken += frame.len();
            queue.taken += 1;
            batch.push(frame);
        }
        queue.bytes -= taken;
        queue.sending += taken;
        if queue.frames.is_empty() {
            // An idle connection holds no memory for frames.
            queue.frames = VecDeque::new();
            queue.replaceable = HashMap::new();
        }
        batch.len() > before
    }

    /// Marks the frames that were taken as sent.
    pub(crate) fn sent(&self) {
        let mut queue = lock(&self.queue);
        let sent = std::mem::take(&mut queue.sending);
        let taken = queue.taken;
        queue.mark = queue.mark.filter(|mark| taken < mark.taken);
        if self.is_roomy(&queue) {
            self.drained.notify_waiters();
        }
        drop(queue);
        self.uncount(sent);
    }

    /// Waits until the queue is at most half full and the total of all connections is not exceeded.
    pub(crate) async fn has_room(&self) {
        loop {
            self.has_own_room().await;
            let Some(total) = &self.total else {
                return;
            };
            total.has_room().await;
            if self.is_roomy(&lock(&self.queue)) {
                return;
            }
        }
    }

    /// Refuses live frames from now on, as if the queue were full. Answers are still enqueued.
    pub(crate) fn pause(&self) {
        lock(&self.queue).is_paused = true;
    }

    /// Accepts live frames again.
    pub(crate) fn resume(&self) {
        lock(&self.queue).is_paused = false;
        self.drained.notify_waiters();
    }

    /// Waits until live frames are accepted: they are not paused, and there is [room](Self::has_room).
    pub(crate) async fn may_deliver(&self) {
        loop {
            self.has_room().await;
            let resumed = self.drained.notified();
            tokio::pin!(resumed);
            // Registered before the check, so that no resumption in between is missed.
            resumed.as_mut().enable();
            if !lock(&self.queue).is_paused {
                return;
            }
            resumed.await;
        }
    }

    async fn has_own_room(&self) {
        loop {
            let drained = self.drained.notified();
            tokio::pin!(drained);
            // Registered before the check, so that no drain in between is missed.
            drained.as_mut().enable();
            if self.is_roomy(&lock(&self.queue)) {
                return;
            }
            drained.await;
        }
    }

    /// Waits for the permit to build a large answer. Keep the permit until the answer is enqueued.
    pub(crate) async fn may_answer(&self) -> Option<SemaphorePermit<'_>> {
        self.total.as_ref()?.may_answer().await
    }

    /// Returns true if a frame has waited for longer than this while too much waits for all connections.
    pub(crate) fn is_in_the_way(&self, at_most: Duration) -> bool {
        self.is_total_exceeded()
            && lock(&self.queue)
                .mark
                .is_some_and(|mark| mark.at.elapsed() > at_most)
    }

    /// Returns true if no frames wait.
    pub(crate) fn is_empty(&self) -> bool {
        lock(&self.queue).frames.is_empty()
    }

    fn is_roomy(&self, queue: &Queue) -> bool {
        queue.frames.len() <= self.limits.frames / 2 && queue.unsent() <= self.limits.bytes / 2
    }

    /// Drops all waiting and later frames. They no longer count towards the total.
    pub(crate) fn close(&self) {
        let mut queue = lock(&self.queue);
        let unsent = queue.unsent();
        *queue = Queue {
            is_closed: true,
            ..Queue::default()
        };
        drop(queue);
        self.uncount(unsent);
    }
}

impl Drop for Outbound {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    const LIMITS: OutboundLimits = OutboundLimits {
        frames: 4,
        bytes: 100,
    };

    #[tokio::test]
    async fn frames_leave_in_the_order_in_which_they_came() {
        let outbound = Outbound::new(LIMITS, None);
        for text in ["a", "b", "c"] {
            assert!(outbound.offer(&Frame::from_static(text)));
        }
        let mut batch = Vec::new();
        outbound.take(2, &mut batch).await;
        assert_eq!(batch, ["a", "b"].map(Frame::from_static));
        outbound.take(2, &mut batch).await;
        assert_eq!(batch, ["a", "b", "c"].map(Frame::from_static));
    }

    #[tokio::test]
    async fn live_frame_above_a_queue_limit_is_refused() {
        let outbound = Outbound::new(LIMITS, None);
        for _ in 0..4 {
            assert!(outbound.offer(&Frame::from_static("a")));
        }
        assert!(!outbound.offer(&Frame::from_static("a")));

        let outbound = Outbound::new(LIMITS, None);
        let large = Frame::from("x".repeat(90));
        assert!(outbound.offer(&large));
        assert!(!outbound.offer(&large));
        outbound.push(large.clone());
        let mut batch = Vec::new();
        outbound.take(1000, &mut batch).await;
        assert_eq!(batch.len(), 2);
        // An empty queue accepts any frame. Frames that are being sent count.
        assert!(outbound.offer(&Frame::from_static("a")));
        assert!(!outbound.offer(&large));
        outbound.sent();
        assert!(outbound.offer(&large));
    }

    #[tokio::test]
    async fn newer_frame_replaces_the_queued_one_of_its_key() {
        let outbound = Outbound::new(LIMITS, None);
        let mut batch = Vec::new();
        assert!(outbound.offer(&Frame::from_static("gone")));
        assert!(outbound.offer_instead("e", &Frame::from_static("one")));
        outbound.take(1, &mut batch).await;
        for text in ["a", "b"] {
            assert!(outbound.offer(&Frame::from_static(text)));
        }
        assert!(outbound.offer_instead("e", &Frame::from_static("two")));
        assert!(outbound.offer_instead("f", &Frame::from_static("other")));
        // A full queue only accepts frames that replace another one.
        assert!(!outbound.offer_instead("g", &Frame::from_static("refused")));
        assert!(outbound.offer_instead("e", &Frame::from_static("three")));
        outbound.take(1000, &mut batch).await;
        assert_eq!(
            batch,
            ["gone", "three", "a", "b", "other"].map(Frame::from_static)
        );
        assert!(outbound.offer_instead("e", &Frame::from_static("four")));
        outbound.end_replacing("e");
        assert!(outbound.offer_instead("e", &Frame::from_static("five")));
        batch.clear();
        outbound.take(1000, &mut batch).await;
        assert_eq!(batch, ["four", "five"].map(Frame::from_static));
        // The frame with this key was taken, so the next one is enqueued behind the others.
        assert!(outbound.offer(&Frame::from_static("c")));
        assert!(outbound.offer_instead("e", &Frame::from_static("four")));
        batch.clear();
        outbound.take(1000, &mut batch).await;
        assert_eq!(batch, ["c", "four"].map(Frame::from_static));
        assert!(outbound.is_empty());
    }

    #[tokio::test]
    async fn frame_above_the_limit_passes_an_empty_queue() {
        let outbound = Outbound::new(LIMITS, None);
        assert!(outbound.offer(&Frame::from("x".repeat(500))));
        assert!(!outbound.offer(&Frame::from_static("a")));
    }

    #[tokio::test]
    async fn sender_waiting_for_room_resumes_at_half() {
        let outbound = Outbound::new(LIMITS, None);
        for _ in 0..4 {
            outbound.push(Frame::from_static("a"));
        }
        let mut batch = Vec::new();
        let (taken, ()) = tokio::join!(
            async {
                tokio::task::yield_now().await;
                outbound.take(2, &mut batch).await;
                outbound.sent();
                true
            },
            outbound.has_room()
        );
        assert!(taken);
        assert_eq!(batch.len(), 2);
    }

    #[tokio::test]
    async fn paused_queue_takes_answers_only() {
        let outbound = Outbound::new(LIMITS, None);
        let frame = Frame::from_static("a");
        assert!(outbound.offer_instead("e", &frame));
        outbound.pause();
        assert!(!outbound.offer(&frame) && !outbound.offer_spare(&frame));
        assert!(!outbound.offer_instead("e", &frame) && !outbound.offer_instead("f", &frame));
        outbound.push(frame.clone());
        // A request can still be answered, but nothing is delivered.
        assert!(outbound.has_room().now_or_never().is_some());
        let delivering = outbound.may_deliver();
        tokio::pin!(delivering);
        assert!(delivering.as_mut().now_or_never().is_none());
        let mut batch = Vec::new();
        outbound.take(1000, &mut batch).await;
        outbound.sent();
        assert_eq!(batch.len(), 2);
        assert!(delivering.as_mut().now_or_never().is_none());
        outbound.resume();
        assert!(delivering.now_or_never().is_some());
        assert!(outbound.offer(&frame) && outbound.offer_spare(&frame));
    }

    #[tokio::test]
    async fn room_counts_frames_until_they_are_sent() {
        let outbound = Outbound::new(LIMITS, None);
        outbound.push(Frame::from("x".repeat(500)));
        let mut batch = Vec::new();
        outbound.take(1, &mut batch).await;
        let room = outbound.has_room();
        tokio::pin!(room);
        assert!(room.as_mut().now_or_never().is_none());
        outbound.sent();
        assert!(room.now_or_never().is_some());
    }

    fn counted(limit: usize) -> (Arc<OutboundTotal>, impl Fn() -> Outbound) {
        let total = Arc::new(OutboundTotal::new(limit, 1));
        let counted = Arc::clone(&total);
        (total, move || {
            Outbound::new(LIMITS, Some(Arc::clone(&counted)))
        })
    }

    #[tokio::test]
    async fn total_counts_what_waits_for_each_connection() {
        let (total, new) = counted(1000);
        let (one, other) = (new(), new());
        let frame = Frame::from("x".repeat(30));
        assert!(one.offer(&frame) && other.offer(&frame));
        one.push(frame.clone());
        assert!(other.offer_instead("e", &frame));
        assert!(other.offer_instead("e", &Frame::from("x".repeat(10))));
        assert_eq!(total.bytes(), 100);
        let mut batch = Vec::new();
        one.take(1, &mut batch).await;
        assert_eq!(total.bytes(), 100);
        one.sent();
        assert_eq!(total.bytes(), 70);
    }

    #[tokio::test]
    async fn closed_or_dropped_queue_returns_its_bytes() {
        let (total, new) = counted(1000);
        for is_dropped in [true, false] {
            let outbound = new();
            for _ in 0..4 {
                outbound.push(Frame::from("x".repeat(50)));
            }
            let mut batch = Vec::new();
            outbound.take(1, &mut batch).await;
            assert_eq!(total.bytes(), 200);
            if is_dropped {
                drop(outbound);
            } else {
                outbound.close();
                // A closed queue keeps no frames.
                outbound.push(Frame::from_static("late"));
                assert!(outbound.offer(&Frame::from_static("late")));
                outbound.sent();
                assert!(outbound.is_empty());
            }
            assert_eq!(total.bytes(), 0);
        }
    }

    #[tokio::test]
    async fn above_the_total_a_short_queue_takes_live_frames() {
        let (_, new) = counted(100);
        let (stalled, lagging, idle) = (new(), new(), new());
        assert!(lagging.offer(&Frame::from("x".repeat(10))));
        stalled.push(Frame::from("x".repeat(200)));
        let frame = Frame::from_static("abc");
        assert!(!lagging.offer(&frame) && !lagging.offer_instead("e", &frame));
        assert!(idle.offer(&frame) && idle.offer(&frame));
        assert!(!idle.offer(&frame));
        let room = idle.has_room();
        tokio::pin!(room);
        assert!(room.as_mut().now_or_never().is_none());
        drop(stalled);
        assert!(lagging.offer(&frame));
        assert!(room.now_or_never().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn queue_is_in_the_way_if_its_frames_wait_too_long() {
        let second = Duration::from_secs(1);
        let (_, new) = counted(100);
        let (slow, other) = (new(), new());
        let mut batch = Vec::new();
        for _ in 0..3 {
            slow.push(Frame::from("x".repeat(10)));
        }
        slow.take(1, &mut batch).await;
        tokio::time::advance(2 * second).await;
        // A connection is only in the way while the total is exceeded.
        assert!(!slow.is_in_the_way(second));
        other.push(Frame::from("x".repeat(100)));
        assert!(slow.is_in_the_way(second));
        assert!(!other.is_in_the_way(second));
        for _ in 0..2 {
            slow.sent();
            assert!(slow.is_in_the_way(second));
            slow.take(1, &mut batch).await;
        }
        // All frames that waited then are sent. Later frames have a new start time.
        slow.push(Frame::from("x".repeat(10)));
        slow.sent();
        assert!(!slow.is_in_the_way(second));
        slow.take(1, &mut batch).await;
        assert!(!slow.is_in_the_way(second));
    }
}
